"""What an operator does to a cluster, while the load test's users are on it: `python -m tests.loadtest.rehearsal`.

Two proxies that share nothing lead to the same echo nodes. They begin with three nodes, get three more, have these
drain, lose them, and are restarted one after the other. Locust judges: its exit status is the rehearsal's.
"""

import argparse
import contextlib
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.stack import start_nodes
from tests.support import processes, proxies

FIRST, ALL = 3, 6
MOST_FAILURES = 50
GRACE_S = 30  # above Engine.IO's ping interval, with which a silent poll is answered
FAILURES = (
    "[%START_TIME%] %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %UPSTREAM_HOST% %DURATION% %REQ(:PATH)%"
)
LOG_TYPE = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"


@dataclass(frozen=True)
class Plan:
    """`life_s` and `talk_s` are the load test's --session-life and --talk-every."""

    users: int = 12
    spawn_rate: float = 12
    life_s: float = 2.0
    talk_s: float = 0.5
    tags: tuple[str, ...] = ("scale",)
    kinds: str = "polling,upgrade,websocket"
    restarts: bool = True
    timeout_s: float = 30.0  # of an answer: a busy machine is slow before a session is lost


class Edge:
    """One proxy: its file, its process."""

    def __init__(self, folder: Path, name: str, ports: Sequence[int]) -> None:
        self._nodes = ports
        self._port, self._admin_port = processes.free_ports(2)
        self._file = folder / f"{name}.json"
        self._reloads = 1
        self._write(ports[:FIRST], ())
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        command = [*proxies.command(self._file, 1), "--shutdown-grace-s", str(GRACE_S)]
        output = self._file.with_suffix(f".{time.monotonic_ns()}.txt")
        self._process = processes.start(command, output_path=output, ports=[self._port, self._admin_port])

    def reload(self, hosts: Sequence[int], draining: Sequence[int]) -> None:
        self._write(hosts, draining)
        self._reloads += 1
        self._process.send_signal(signal.SIGHUP)
        self._process.wait_output(f"configuration {self._reloads} is in use")

    def restart(self) -> None:
        """As a service manager does it: the old one ends in its own time, then the new one starts and knows nothing."""
        self.end()
        self._reloads = 1
        self.start()

    def end(self) -> None:
        self._process.end(timeout_s=GRACE_S + 5)

    def _write(self, hosts: Sequence[int], draining: Sequence[int]) -> None:
        cluster = proxies.cluster("echo", [*hosts, *draining])
        for endpoint in cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][len(hosts) :]:
            endpoint["health_status"] = "DRAINING"
        manager = proxies.connection_manager(
            [proxies.route("/", "echo", timeout="0s")],
            stat_prefix="load",
            upgrade_configs=proxies.WEBSOCKET,
            access_log=[failures_log(self._file.with_suffix(".log"))],
        )
        file = proxies.bootstrap(self._port, self._admin_port, manager, [cluster])
        self._file.write_text(json.dumps(file, indent=1))


def failures_log(path: Path) -> proxies.Json:
    """A log of what was answered with an error."""
    line = {"text_format_source": {"inline_string": FAILURES + "\n"}}
    comparison = {"op": "GE", "value": {"default_value": 400, "runtime_key": "none"}}
    return {
        "name": "envoy.access_loggers.file",
        "filter": {"status_code_filter": {"comparison": comparison}},
        "typed_config": {"@type": LOG_TYPE, "path": str(path), "log_format": line},
    }


@contextlib.contextmanager
def edges(folder: Path) -> Iterator[tuple[list[Edge], list[int]]]:
    """Two proxies before the echo nodes of these ports."""
    with contextlib.ExitStack() as ends:
        ports = processes.free_ports(ALL)
        nodes = start_nodes(ports, folder / "nodes.txt")
        ends.callback(nodes.kill)
        running = []
        for name in ("a", "b"):
            running.append(Edge(folder, name, ports))
            ends.callback(running[-1].end)
        yield running, ports


def locust(plan: Plan, running: Sequence[Edge], folder: Path) -> processes.Process:
    """The load test, with all its users there."""
    command = [
        *(sys.executable, "-m", "locust", "-f", "loadtest/socketio.py", "--headless", "--tags", *plan.tags),
        *("--hosts", ",".join(edge.url for edge in running), "--session-kinds", plan.kinds),
        *("--users", str(plan.users), "--spawn-rate", str(plan.spawn_rate)),
        *(
            "--session-life",
            str(plan.life_s),
            "--talk-every",
            str(plan.talk_s),
            "--answer-timeout",
            str(plan.timeout_s),
        ),
    ]
    process = processes.start(command, output_path=folder / "locust.txt")
    process.wait_output("All users spawned", timeout_s=30 + 2 * plan.users / plan.spawn_rate)
    return process


def operate(plan: Plan, running: Sequence[Edge], ports: Sequence[int]) -> None:
    """Three nodes, six, three again; then each proxy anew. A node drains as long as its sessions may live.

    A new node drains first, too: all proxies know where to ask before one of them lets a session begin there.
    """

    def everywhere(hosts: Sequence[int], draining: Sequence[int] = ()) -> None:
        print(f"{time.strftime('%X')} {len(hosts)} nodes, {len(draining)} draining", flush=True)
        for edge in running:
            edge.reload(hosts, draining)

    everywhere(ports[:FIRST], ports[FIRST:])
    everywhere(ports)
    time.sleep(plan.life_s)
    everywhere(ports[:FIRST], ports[FIRST:])
    time.sleep(plan.life_s + 3 * plan.talk_s)
    everywhere(ports[:FIRST])
    for number, edge in enumerate(running if plan.restarts else ()):
        print(f"{time.strftime('%X')} proxy {number} restarts", flush=True)
        edge.restart()
        time.sleep(2 * plan.talk_s)


def rehearse(plan: Plan, folder: Path) -> tuple[int, str]:
    """Locust's exit status, its output, and what the proxies answered with an error."""
    with edges(folder) as (running, ports):
        load = locust(plan, running, folder)
        try:
            operate(plan, running, ports)
        finally:
            status = load.end(timeout_s=60)
        failures = [line for log in sorted(folder.glob("*.log")) for line in log.read_text().splitlines()]
        return status, "\n".join([load.output, *failures[-MOST_FAILURES:]])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--spawn-rate", type=float, default=20)
    parser.add_argument("--session-life", type=float, default=60)
    parser.add_argument("--talk-every", type=float, default=15)
    parser.add_argument("--answer-timeout", type=float, default=30)
    parser.add_argument("--tags", default="scale")
    parser.add_argument("--session-kinds", default="polling", help="a WebSocket ends with its proxy")
    parser.add_argument("--no-restarts", action="store_true")
    chosen = parser.parse_args()
    plan = Plan(
        users=chosen.users,
        spawn_rate=chosen.spawn_rate,
        life_s=chosen.session_life,
        talk_s=chosen.talk_every,
        tags=tuple(chosen.tags.split(",")),
        kinds=chosen.session_kinds,
        restarts=not chosen.no_restarts,
        timeout_s=chosen.answer_timeout,
    )
    with tempfile.TemporaryDirectory() as folder:
        status, output = rehearse(plan, Path(folder))
    print(output[output.rfind("Got SIGTERM") :], f"exit status {status}", sep="\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
