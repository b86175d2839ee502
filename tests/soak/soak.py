"""The soak: nodes, a proxy of two workers, and a crowd that does everything at once, for as long as one likes.

It has two parts with a rest after each, when all connections are closed: what is held in the second rest must not be
more than in the first, which stands for the warmed-up proxy.
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from tests.soak import resources
from tests.soak.actors import Actor, Stage
from tests.soak.crowd import Crowd
from tests.soak.resources import Held
from tests.soak.tally import CROSSED, LOST, WRONG, Tally
from tests.support import processes, proxies

NODES, WORKERS = 3, 2
UPSTREAM_IDLE = "0.3s"  # after which the proxy closes kept connections: so the rests are soon quiet
SHORT_TIMEOUT = "0.5s"
REST_S = 30.0
SAMPLES_S = 0.5
WARM_UP = 0.25  # of the time
# What a rest may hold more than the one before, without what is shared: half-filled pages of allocators.
SLACK_KIB, SLACK = 3072, 0.05
HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


@dataclass(frozen=True)
class Plan:
    seconds: float
    seed: int
    actors: int = 48
    idle: int = 200
    most_bytes: int = 1 << 20
    reload_s: float = 7.0  # between two SIGHUPs


@dataclass
class Report:
    """`start`, `peak`, `warm` and `end` are what the proxy held: before all, at most, in the two rests."""

    plan: Plan
    tally: Tally = field(default_factory=Tally)
    problems: list[str] = field(default_factory=list)
    start: Held = field(default_factory=lambda: Held({}))
    warm: Held = field(default_factory=lambda: Held({}))
    end: Held = field(default_factory=lambda: Held({}))
    samples: list[Held] = field(default_factory=list)
    reloads: int = 0

    def text(self) -> str:
        tally = self.tally
        return "\n".join(
            [
                tally.table(),
                f"{sum(tally.outcomes.values())} answers, {tally.bytes / 1e6:.0f} MB of whole bodies, "
                f"{tally.messages} messages of tunnels, {tally.sessions} sessions, {self.reloads} reloads",
                f"start {self.start}; peak {resources.most(self.samples)}; "
                f"rest after the warm-up {self.warm}; rest at the end {self.end}",
                *(f"FAILED {each}" for each in [*self.problems, *tally.failures]),
                f"seed {self.plan.seed}: {tally.total(WRONG)} wrong bodies, {tally.total(LOST)} lost sessions, "
                f"{tally.failed + len(self.problems)} failures",
            ]
        )

    @property
    def is_clean(self) -> bool:
        return not self.problems and not self.tally.failed


@contextmanager
def nodes(folder: Path) -> Iterator[tuple[list[int], list[processes.Process]]]:
    ports, running = processes.free_ports(NODES), []
    try:
        for port in ports:
            command = [sys.executable, "-m", "tests.soak.node", str(port)]
            running.append(processes.Process(command, folder / f"node-{port}.txt", os.environ, processes.ROOT))
        for port, each in zip(ports, running, strict=True):
            each.wait_listening([port])
        yield ports, running
    finally:
        for each in running:
            each.kill()


def configuration(ports: list[int]) -> proxies.Json:
    options = {"@type": f"type.googleapis.com/{HTTP_OPTIONS}", "explicit_http_config": {"http_protocol_options": {}}}
    options["common_http_protocol_options"] = {"idle_timeout": UPSTREAM_IDLE}
    cluster = proxies.cluster("nodes", ports, typed_extension_protocol_options={HTTP_OPTIONS: options})
    routes = [
        proxies.route("/short", "nodes", timeout=SHORT_TIMEOUT),
        proxies.route("/", "nodes", timeout="0s"),
    ]
    manager = proxies.connection_manager(routes, upgrade_configs=proxies.WEBSOCKET)
    port, admin_port = processes.free_ports(2)
    return proxies.bootstrap(port, admin_port, manager, [cluster])


def soak(plan: Plan, folder: Path) -> Report:
    """All of it; the report tells what went wrong."""
    report = Report(plan)
    with nodes(folder) as (ports, running):
        proxy = proxies.Proxy(configuration(ports), folder, WORKERS)
        try:
            uvloop.run(acts(proxy, report))
            judge_resources(proxy, report)
        finally:
            proxy.stop()
        if "Traceback" in proxy.process.output:
            report.problems.append(f"the proxy's log: {proxy.process.output[-4000:]}")
        for node in running:
            report.problems += [line for line in node.output.splitlines() if "WRONG" in line or "Error" in line][:20]
    return report


async def acts(proxy: proxies.Proxy, report: Report) -> None:
    report.start = resources.held(proxy.pids())
    warm_s = report.plan.seconds * WARM_UP
    await act(proxy, report, "warm", warm_s)
    report.warm = await rest(proxy, report)
    await act(proxy, report, "main", report.plan.seconds - warm_s)
    report.end = await rest(proxy, report)


async def act(proxy: proxies.Proxy, report: Report, name: str, seconds: float) -> None:
    """Everybody at once for so long, and until all have brought to its end what they do."""
    plan, ends = report.plan, time.monotonic() + seconds
    stage = Stage(proxy.port, report.tally, lambda: time.monotonic() > ends, plan.most_bytes)
    seed = f"{plan.seed}.{name}"
    crowd = Crowd(stage, f"{seed}.crowd")
    await crowd.come(plan.idle)
    async with watched(proxy, report), asyncio.TaskGroup() as tasks:
        for number in range(plan.actors):
            tasks.create_task(Actor(stage, f"{seed}.{number}").run())
        tasks.create_task(reload(proxy, report, stage, random.Random(seed)))
    await crowd.go()


async def reload(proxy: proxies.Proxy, report: Report, stage: Stage, chance: random.Random) -> None:
    """SIGHUP now and then, at least once: nobody is to notice."""
    last = time.monotonic()
    while not stage.is_over():
        await asyncio.sleep(0.1)
        if time.monotonic() > last + report.plan.reload_s * chance.uniform(0.1, 1.5):
            await asyncio.to_thread(proxy.hang_up)
            report.reloads += 1
            last = time.monotonic()


@asynccontextmanager
async def watched(proxy: proxies.Proxy, report: Report) -> AsyncIterator[None]:
    """What the proxy holds meanwhile, as samples of the report."""

    async def watch() -> None:
        while True:
            report.samples.append(await asyncio.to_thread(lambda: resources.held(proxy.pids())))
            await asyncio.sleep(SAMPLES_S)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()


async def rest(proxy: proxies.Proxy, report: Report) -> Held:
    """What the proxy holds with its gauges at zero and as many descriptors as at the start, or when its time is up."""
    ends = time.monotonic() + REST_S
    while True:
        busy, now = await asyncio.to_thread(lambda: (proxy.busy_gauges(), resources.held(proxy.pids())))
        if not busy and now.descriptors == report.start.descriptors:
            return now
        if time.monotonic() > ends:
            found = f"{busy}, {now.descriptors} not {report.start.descriptors}"
            report.problems.append(f"not at rest after {REST_S} s: {found}")

            return now
        await asyncio.sleep(0.1)


def judge_resources(proxy: proxies.Proxy, report: Report) -> None:
    if set(proxy.pids()) != proxy.crew:
        report.problems.append(f"a process of the proxy died: {proxy.process.output[-4000:]}")
    if report.end.own_kib > report.warm.own_kib * (1 + SLACK) + SLACK_KIB:
        report.problems.append(f"memory is {report.end} after {report.warm} when warm")
    if report.tally.total(CROSSED) > report.tally.leaves:
        report.problems.append(f"{report.tally.total(CROSSED)} crossed, {report.tally.leaves} connections left")
