"""Connections to nodes that begin to fail, beside a real Envoy on the same file: which of them are closed, and when."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import processes, proxies
from tests.support.adversary import Node, Peer
from tests.support.checked_nodes import AT_ONCE, CHECK, CheckedNode, flags
from tests.support.proxies import Worlds
from tests.support.websocket import handshake, switching

OUTLIERS = {"consecutive_5xx": 1, "max_ejection_percent": 100, "base_ejection_time": "300s"}
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
FAILED = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\n\r\nno"
CAUSES = {"checked": "/failed_active_hc", "judged": "/failed_outlier_check"}
"""By the name of the cluster: what its node is found to be."""


class Scene:
    """A proxy and the node of one of its clusters, with four connections between them: one kept, two with a request
    each, one with a WebSocket."""

    def __init__(self, ports: tuple[int, int], name: str, node: Node) -> None:
        self.port, self.admin_port = ports
        self.name, self.node = name, node
        self.peers: list[Peer] = []
        get = f"GET /{name} HTTP/1.1\r\nhost: a\r\n\r\n".encode()
        asked = [self.ask(get) for _ in range(3)]
        self.tunnel = self.ask(handshake(f"/{name}".encode()), switching())
        self.answer(*asked[0], OK)
        self.get, self.kept, self.busy, self.failing = get, asked[0][1], asked[1], asked[2]

    def ask(self, request: bytes, answer: bytes = b"") -> tuple[Peer, Peer]:
        """A client that asks, and the connection that its request came by, which has to be a new one."""
        client = Peer(socket.create_connection(("127.0.0.1", self.port), timeout=5))
        node = (client << request) and self.node.accept()
        self.peers += [client, node]
        node.read_head()
        if answer:
            node << answer
            client.read_head()
        return client, node

    def answer(self, client: Peer, node: Peer, answer: bytes) -> None:
        node << answer
        assert client.read_response().head.start in answer

    def wait_until_it_fails(self) -> None:
        wanted = {self.node.port: CAUSES[self.name]}
        processes.wait_until(lambda: flags(self.admin_port, self.name) == wanted, "it is known that the node fails")

    def assert_drained(self) -> None:
        """What is said of connections where the class begins."""
        self.kept.assert_ended()
        self.answer(*self.busy, OK)
        self.busy[1].assert_ended()
        client, node = self.tunnel
        client << b"\x81\x01a"
        node >> b"\x81\x01a"
        client, node = self.ask(self.get)  # a new one, since it is a panic
        self.answer(client, node, OK)
        (client << self.get) and node.read_head()  # which is kept
        self.answer(client, node, OK)

    def close(self) -> None:
        for peer in self.peers:
            peer.close()


@pytest.fixture(scope="module")
def check() -> CheckedNode:
    """Who answers the checks of the node of `checked`."""
    return CheckedNode()


@pytest.fixture(scope="module")
def nodes() -> Iterator[dict[str, Node]]:
    found = {name: Node() for name in CAUSES}
    yield found
    for node in found.values():
        node.close()


@pytest.fixture(scope="module")
def both(
    worlds: Worlds, check: CheckedNode, nodes: dict[str, Node], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[tuple[int, int]]]:
    """The ports of a fastproxy and of a real Envoy on one file."""
    once = {**CHECK, "unhealthy_threshold": 1}
    checked = proxies.cluster("checked", [nodes["checked"].port], health_checks=[once], common_lb_config=AT_ONCE)
    (endpoint,) = checked["load_assignment"]["endpoints"][0]["lb_endpoints"]
    endpoint["endpoint"]["health_check_config"] = {"port_value": check.port}
    judged = proxies.cluster("judged", [nodes["judged"].port], outlier_detection=OUTLIERS, common_lb_config=AT_ONCE)
    routes = [proxies.route(f"/{name}", name) for name in CAUSES]
    manager = proxies.connection_manager(routes, upgrade_configs=[{"upgrade_type": "websocket"}])
    port, admin_port = processes.free_ports(2)
    file = proxies.bootstrap(port, admin_port, manager, [checked, judged])
    worlds.run_file(file, [check])
    folder: Path = tmp_path_factory.mktemp("envoy")
    with proxies.envoy_beside(file, folder) as beside:
        well = {nodes["checked"].port: "healthy"}
        found = [(port, admin_port), beside]
        processes.wait_until(lambda: all(flags(admin, "checked") == well for _, admin in found), "the node is well")
        yield found


def test_checks_that_fail(both, check, nodes):
    scenes = [Scene(ports, "checked", nodes["checked"]) for ports in both]
    check.status = "503 Service Unavailable"
    for scene in scenes:
        with closing(scene):
            scene.wait_until_it_fails()
            scene.assert_drained()


def test_an_ejection(both, nodes):
    for ports in both:
        with closing(Scene(ports, "judged", nodes["judged"])) as scene:
            scene.answer(*scene.failing, FAILED)
            scene.wait_until_it_fails()
            scene.assert_drained()
