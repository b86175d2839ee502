"""Timers that pressure makes shorter, beside a real Envoy under the same pressure: what each ends, and what is counted.

Without the pressure they would run for an hour.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.proxy.test_load_shed_points import FILE, MONITOR
from tests.support import processes, proxies
from tests.support.adversary import Node, Peer
from tests.support.proxies import Json, Worlds

TIMERS = "type.googleapis.com/envoy.config.overload.v3.ScaleTimersOverloadActionConfig"
HOUR = "3600s"
CASES: dict[str, tuple[str, Json, str]] = {
    "idle": (
        "HTTP_DOWNSTREAM_CONNECTION_IDLE",
        {"common_http_protocol_options": {"idle_timeout": HOUR}, "stream_idle_timeout": "0s"},
        "downstream_cx_idle_timeout",
    ),
    "stream": (
        "HTTP_DOWNSTREAM_STREAM_IDLE",
        {"common_http_protocol_options": {"idle_timeout": "0s"}, "stream_idle_timeout": HOUR},
        "downstream_rq_idle_timeout",
    ),
    "lifetime": (
        "HTTP_DOWNSTREAM_CONNECTION_MAX",
        {
            "common_http_protocol_options": {"idle_timeout": "0s", "max_connection_duration": HOUR},
            "stream_idle_timeout": "0s",
        },
        "downstream_cx_max_duration_reached",
    ),
}
"""Listeners by the prefix of their counters, each with one timer: its name, its settings, what counts its ends."""


def manager_of(pressure: Path) -> Json:
    monitors = [{"name": FILE, "typed_config": {"@type": MONITOR, "filename": str(pressure)}}]
    factors = [{"timer": timer, "min_timeout": "0.1s"} for timer, _, _ in CASES.values()]
    action = {
        "name": "envoy.overload_actions.reduce_timeouts",
        "triggers": [{"name": FILE, "threshold": {"value": 0.5}}],
        "typed_config": {"@type": TIMERS, "timer_scale_factors": factors},
    }
    return {"refresh_interval": "0.02s", "resource_monitors": monitors, "actions": [action]}


def file_of(pressure: Path, ports: list[int], node: Node) -> Json:
    """A listener on each of the ports, and an admin on one more."""
    direct = {"match": {"prefix": "/direct"}, "direct_response": {"status": 200, "body": {"inline_string": "hi"}}}
    routes = [direct, proxies.route("/", "backend", timeout="0s")]
    listeners = []
    for (name, (_, settings, _)), port in zip(CASES.items(), ports, strict=False):
        manager = {**proxies.connection_manager(routes, drain_timeout="0.01s", **settings), "stat_prefix": name}
        file = proxies.bootstrap(port, ports[-1], manager, [proxies.cluster("backend", [node.port])])
        listeners.append({**file["static_resources"]["listeners"][0], "name": name})
    file["static_resources"]["listeners"] = listeners
    file["overload_manager"] = manager_of(pressure)
    return file


class Clients:
    """Of one proxy, one for each of its listeners: it is idle, its request waits, or it asks all the time."""

    def __init__(self, ports: list[int], ends: ExitStack) -> None:
        self.admin_port = ports[-1]
        self.idle, self.stream, self.lifetime = clients = [
            Peer(socket.create_connection(("127.0.0.1", port), timeout=5)) for port in ports[:-1]
        ]
        for client in clients:
            ends.callback(client.close)
            assert self.ask(client)
        self.stream << b"GET /node HTTP/1.1\r\nhost: a\r\n\r\n"

    def ask(self, client: Peer) -> bool:
        """Whether there is an answer, and the connection goes on behind it."""
        try:
            client << b"GET /direct HTTP/1.1\r\nhost: a\r\n\r\n"
            return client.read_response().head.get(b"connection") is None
        except (OSError, AssertionError):
            return False

    def seen(self) -> tuple[bytes, bytes, bytes]:
        """What the first two get when their time is over; the third one's connection is over as well."""
        answer = self.stream.read_response()
        while self.ask(self.lifetime):
            pass
        return self.idle.read_to_end(), answer.head.start, answer.body

    def counted(self) -> dict[str, str]:
        lines = proxies.ask_admin(self.admin_port, "/stats?filter=^http")[1].splitlines()
        counters = dict(line.split(": ", 1) for line in lines)
        return {name: counters[f"http.{name}.{counter}"] for name, (_, _, counter) in CASES.items()}


@pytest.fixture
def both(worlds: Worlds, tmp_path: Path) -> Iterator[tuple[Clients, Clients]]:
    (tmp_path / "pressure").write_text("0")
    node = Node()
    own, others = processes.free_ports(4), processes.free_ports(4)
    worlds.run_file(file_of(tmp_path / "pressure", own, node), [node])
    with proxies.envoy_beside(file_of(tmp_path / "pressure", others, node), tmp_path) as ports, ExitStack() as ends:
        yield Clients(own, ends), Clients([ports[0], *others[1:3], ports[1]], ends)


def test_the_same_timers_end_the_same(both: tuple[Clients, Clients], tmp_path: Path) -> None:
    (tmp_path / "new").write_text("1")
    (tmp_path / "new").rename(tmp_path / "pressure")
    for clients in both:
        assert clients.seen() == (b"", b"HTTP/1.1 504 Gateway Timeout", b"stream timeout")
        processes.eventually_equal(clients.counted, lambda: dict.fromkeys(CASES, "1"))
