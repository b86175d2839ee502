"""Envoy's load shed points, beside a real Envoy under the same pressure: who is answered how, counted as what."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import processes, proxies
from tests.support.adversary import Node, Peer, answering
from tests.support.proxies import Json, Worlds

FILE = "envoy.resource_monitors.injected_resource"
MONITOR = "type.googleapis.com/envoy.extensions.resource_monitors.injected_resource.v3.InjectedResourceConfig"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"
POINTS = {  # by the pressure from which on load is shed there; each hides those before it
    "connection_pool_new_connection": 0.1,
    "http_downstream_filter_check": 0.2,
    "http_connection_manager_decode_headers": 0.3,
    "http1_server_abort_dispatch": 0.4,
    "hcm_ondata_creating_codec": 0.5,
    "tcp_listener_accept": 0.6,
}
COUNTED = ("overload_close", "overload_local_reply", "overload_reject", "shed_load_count")


def manager_of(pressure: Path) -> Json:
    points = [
        {"name": f"envoy.load_shed_points.{name}", "triggers": [{"name": FILE, "threshold": {"value": value}}]}
        for name, value in POINTS.items()
    ]
    monitors = [{"name": FILE, "typed_config": {"@type": MONITOR, "filename": str(pressure)}}]
    return {"refresh_interval": "0.02s", "resource_monitors": monitors, "loadshed_points": points}


class Pressed:
    """A proxy under pressure, with clients that have come before it."""

    def __init__(self, port: int, admin_port: int, ends: ExitStack) -> None:
        self.port, self.admin_port, self._ends = port, admin_port, ends
        self.kept = {name: self.client() for name in POINTS}
        for client in self.kept.values():
            assert self.ask(client, "/direct") == ("HTTP/1.1 200 OK", b"hi", None)

    def client(self) -> Peer:
        client = Peer(socket.create_connection(("127.0.0.1", self.port), timeout=5))
        self._ends.callback(client.close)
        return client

    def ask(self, client: Peer, path: str) -> tuple[str, bytes, bytes | None] | str:
        """Start line, body and `connection` of the answer; or that there is none."""
        try:
            client << f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode()
            answer = client.read_response()
        except (OSError, EOFError, AssertionError):
            return "closed"
        return answer.head.start.decode(), answer.body, answer.head.get(b"connection")

    def stats(self) -> dict[str, int]:
        lines = proxies.ask_admin(self.admin_port, "/stats")[1].splitlines()
        pairs = (line.partition(": ") for line in lines if "No recorded" not in line)
        return {name: int(value) for name, _, value in pairs if value.isdigit()}

    def wait_for(self, point: str) -> None:
        gauge = f"overload.envoy.load_shed_points.{point}.scale_percent"
        processes.wait_until(lambda: self.stats().get(gauge) == 100, "the pressure is known")

    def counted(self) -> dict[str, int]:
        found = {name.replace(str(self.port), "PORT"): value for name, value in self.stats().items()}
        return {name: value for name, value in found.items() if name.endswith(COUNTED) and value}


@pytest.fixture
def both(worlds: Worlds, tmp_path: Path) -> Iterator[tuple[Pressed, Pressed]]:
    (tmp_path / "pressure").write_text("0")
    node = Node(answering(lambda node, request: OK))
    direct = {"match": {"prefix": "/direct"}, "direct_response": {"status": 200, "body": {"inline_string": "hi"}}}
    manager = proxies.connection_manager([direct, proxies.route("/", "backend")])
    port, admin_port = processes.free_ports(2)
    file = proxies.bootstrap(port, admin_port, manager, [proxies.cluster("backend", [node.port])])
    file["overload_manager"] = manager_of(tmp_path / "pressure")
    worlds.run_file(file, [node])
    with proxies.envoy_beside(file, tmp_path) as ports, ExitStack() as ends:
        yield Pressed(port, admin_port, ends), Pressed(*ports, ends)


def test_the_same_at_each_point(both: tuple[Pressed, Pressed], tmp_path: Path) -> None:
    ours, beside = both
    pressure = tmp_path / "pressure"
    for name, value in POINTS.items():
        pressure.with_suffix(".new").write_text(str(value))
        pressure.with_suffix(".new").rename(pressure)
        for each in both:
            each.wait_for(name)
        for path in ("/", "/direct"):
            assert ours.ask(ours.kept[name], path) == beside.ask(beside.kept[name], path), (name, path)
            assert ours.ask(ours.client(), path) == beside.ask(beside.client(), path), (name, path)
    counted = processes.eventually_equal(ours.counted, beside.counted)
    assert len(counted) == 3 + len(POINTS)
