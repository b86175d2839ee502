"""Workers and nodes are killed at random, while the load test's users are on them: `python -m tests.loadtest.chaos`.

Each session's node and ports are known, and each worker's connections at the moment of its death. So every loss is
held against the deaths, and every death against the losses. The exit status is 1 when they do not agree.
"""

import argparse
import contextlib
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadtest import records
from tests.loadtest.deaths import Death, Verdict, judged
from tests.loadtest.rehearsal import LOG_TYPE
from tests.support import processes, proxies, socket_tables

NODES = 4
KINDS = "polling,upgrade,websocket"
NODE_NAME = re.compile(r"^(node#\d+) on ", re.MULTILINE)
ASKED = re.compile(r"^127\.0\.0\.1:(\d+) (127\.0\.0\.1:\d+)$", re.MULTILINE)
MOST_TOLD = 20
LOGGED_S = 1.5  # within which a worker's log has who was at the node that died: it goes with the worker else


@dataclass(frozen=True)
class Plan:
    """A kill every so many seconds, half of them of nodes; `settle_s` is the time after the last one."""

    users: int = 12
    seconds: float = 8.0
    every_s: float = 1.5
    life_s: float = 4.0
    talk_s: float = 0.5
    settle_s: float = 2.0
    workers: int = 3
    seed: int = 0
    timeout_s: float = 20.0


class Cluster:
    """Echo nodes that can be killed one by one, and come back on their ports with other names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ports = processes.free_ports(NODES)
        self._nodes: dict[int, processes.Process] = {}

    def start(self, ports: Sequence[int]) -> None:
        for port in ports:
            output = self._folder / f"node-{port}-{time.monotonic_ns()}.txt"
            command = [sys.executable, "-m", "echo", "--addr", f"127.0.0.1:{port}"]
            self._nodes[port] = processes.Process(command, output, os.environ, processes.ROOT)
        for port in ports:
            self._nodes[port].wait_listening([port])

    def kill(self, chance: random.Random) -> Death:
        """One of them, by the lot; another one is in its place when this returns."""
        port = chance.choice(self.ports)
        node = self._nodes[port]
        found = NODE_NAME.search(node.output)
        assert found, node.output
        before = time.time()
        node.kill()
        death = Death(found[1], True, before, time.time(), address=f"127.0.0.1:{port}")
        self.start([port])
        return death

    def end(self) -> None:
        for node in self._nodes.values():
            node.kill()


def kill_worker(proxy: proxies.Proxy, chance: random.Random) -> Death:
    """One of them, by the lot. It is stopped first, so that what it holds is what it dies with."""
    workers = sorted(set(proxy.pids()) - {proxy.process.pid})
    victim = chance.choice(workers)
    before = time.time()
    os.kill(victim, signal.SIGSTOP)
    inodes = set(processes.socket_inodes(victim))
    ports = frozenset(remote for inode, remote in socket_tables.peers(proxy.port) if inode in inodes)
    os.kill(victim, signal.SIGKILL)
    processes.wait_until(lambda: not processes.is_alive(victim), f"{victim} is gone")
    death = Death(f"worker {victim}", False, before, time.time(), ports)
    processes.wait_until(lambda: len(set(proxy.pids()) - {proxy.process.pid}) == len(workers), "another worker")
    return death


def configuration(ports: Sequence[int], log: Path) -> proxies.Json:
    """With a log of who asked which node."""
    line = {"text_format_source": {"inline_string": "%DOWNSTREAM_REMOTE_ADDRESS% %UPSTREAM_HOST%\n"}}
    file = {"@type": LOG_TYPE, "path": str(log), "log_format": line}
    manager = proxies.connection_manager(
        [proxies.route("/", "echo", timeout="0s")],
        upgrade_configs=proxies.WEBSOCKET,
        access_log=[{"name": "envoy.access_loggers.file", "typed_config": file}],
    )
    port, admin_port = processes.free_ports(2)
    return proxies.bootstrap(port, admin_port, manager, [proxies.cluster("echo", ports)])


@contextlib.contextmanager
def stage(plan: Plan, folder: Path) -> Iterator[tuple[proxies.Proxy, Cluster, processes.Process]]:
    """A proxy before its nodes, and the load test with all its users there."""
    with contextlib.ExitStack() as ends:
        cluster = Cluster(folder)
        ends.callback(cluster.end)
        cluster.start(cluster.ports)
        proxy = proxies.Proxy(configuration(cluster.ports, folder / "access.log"), folder, plan.workers)
        ends.callback(proxy.stop)
        command = [
            *(sys.executable, "-m", "locust", "-f", "loadtest/socketio.py", "--headless", "--tags", "scale"),
            *("--host", f"http://127.0.0.1:{proxy.port}", "--session-kinds", KINDS),
            *("--users", str(plan.users), "--spawn-rate", str(max(plan.users // 5, 10))),
            *("--session-life", str(plan.life_s), "--talk-every", str(plan.talk_s)),
            *("--answer-timeout", str(plan.timeout_s), "--session-log", str(folder / "sessions.jsonl")),
        ]
        load = processes.start(command, output_path=folder / "locust.txt")
        ends.callback(load.kill)
        load.wait_output("All users spawned", timeout_s=60)
        yield proxy, cluster, load


def chaos(plan: Plan, folder: Path) -> tuple[Verdict, list[Death], str]:
    """The verdict, the deaths, and a report in words."""
    chance = random.Random(plan.seed)
    log = folder / "sessions.jsonl"
    log.unlink(missing_ok=True)
    with stage(plan, folder) as (proxy, cluster, load):
        deaths = kill_some(plan, proxy, cluster, chance)
        time.sleep(plan.settle_s)
        load.end(timeout_s=60)
        output = proxy.process.output
        proxy.stop()  # the log is whole when it has ended
    asked: dict[int, set[str]] = defaultdict(set)
    for port, address in ASKED.findall((folder / "access.log").read_text()):
        asked[int(port)].add(address)
    sessions = records.read(str(log))
    verdict = judged(sessions, deaths, asked)
    return verdict, deaths, report(plan, verdict, deaths, len(sessions), output)


def kill_some(plan: Plan, proxy: proxies.Proxy, cluster: Cluster, chance: random.Random) -> list[Death]:
    """A node, a worker, and then whatever the lot says, until the time is up."""
    deaths: list[Death] = []
    ends = time.monotonic() + plan.seconds - plan.settle_s
    while time.monotonic() < ends or len(deaths) < 2:
        pause_s = plan.every_s * chance.uniform(0.5, 1.5)
        is_node = not deaths[0].is_node if len(deaths) == 1 else chance.random() < 0.5
        if deaths and deaths[-1].is_node and not is_node:
            pause_s = max(pause_s, LOGGED_S)
        time.sleep(pause_s)
        deaths.append(cluster.kill(chance) if is_node else kill_worker(proxy, chance))
    return deaths


def report(plan: Plan, verdict: Verdict, deaths: Sequence[Death], sessions: int, output: str) -> str:
    nodes = sum(death.is_node for death in deaths)
    lines = [f"{nodes} nodes and {len(deaths) - nodes} workers killed under {plan.users} users, {sessions} sessions:"]
    lines += [f"{count:8} {cause}" for cause, count in sorted(verdict.causes.items())]
    lines += [f"{verdict.by_death[death.name]:8} sessions lost with {death.name}" for death in deaths]
    lines += [f"UNEXPLAINED {record}" for record in verdict.unexplained[:MOST_TOLD]]
    lines += [f"SPARED by {death.name}: {record}" for death, record in verdict.spared[:MOST_TOLD]]
    lines += [output] if "Traceback" in output else []
    return "\n".join([*lines, f"seed {plan.seed}: {'exact' if verdict.is_exact else 'NOT exact'}"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument(
        "--every", type=float, default=3, help="seconds between two kills, half to one and a half of it"
    )
    parser.add_argument("--session-life", type=float, default=20)
    parser.add_argument("--talk-every", type=float, default=3)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--keep", type=Path, help="a folder for the logs, which are else thrown away")
    chosen = parser.parse_args()
    life_s, talk_s = chosen.session_life, chosen.talk_every
    plan = Plan(chosen.users, chosen.seconds, chosen.every, life_s, talk_s, settle_s=5.0, seed=chosen.seed)
    with tempfile.TemporaryDirectory() as folder:
        verdict, _, text = chaos(plan, chosen.keep or Path(folder))
    print(text)
    return 0 if verdict.is_exact else 1


if __name__ == "__main__":
    sys.exit(main())
