"""Nodes that speak Engine.IO and answer health checks, and what a proxy says of their health."""

from collections.abc import Callable
from typing import Any

from tests.support.adversary import Node, Peer
from tests.support.engine_io import ask, engine_io, node_of, response
from tests.support.processes import wait_until
from tests.support.proxies import Proxy, World, ask_admin

CHECK: dict[str, Any] = {
    "timeout": "5s",
    "interval": "0.05s",
    "no_traffic_interval": "0.05s",
    "unhealthy_threshold": 2,
    "healthy_threshold": 2,
    "http_health_check": {"path": "/health"},
}
AT_ONCE = {"update_merge_window": "0s"}
"""For `common_lb_config`: workers learn of each change when it is found."""
KEYS = 24


class CheckedNode(Node):
    """`status` and `more` are what it answers to a check with, `page` and `page_more` to anything else; "" for `page`:
    as Engine.IO. `checks` counts those that were answered."""

    def __init__(self, status: str = "200 OK", more: str = "") -> None:
        self.status, self.more = status, more
        self.page = self.page_more = ""
        self.checks = 0
        super().__init__(_serve)


_ENGINE_IO = engine_io()


def _serve(node: Node, peer: Peer) -> None:
    assert isinstance(node, CheckedNode)
    head = peer.socket.recv(65536, 2)  # MSG_PEEK
    if not head.startswith(b"GET /health "):
        _serve_others(node, peer)
        return
    while True:
        peer.read_request()
        node.checks += 1
        peer << response(node, b"", node.status.encode(), node.more.encode())


def _serve_others(node: "CheckedNode", peer: Peer) -> None:
    if not node.page:
        _ENGINE_IO(node, peer)
        return
    while True:
        node.requests.append(peer.read_request())
        peer << response(node, b"page", node.page.encode(), node.page_more.encode())


def flags(proxy: Proxy | int, name: str = "backend") -> dict[int, str]:
    """The health flags of a cluster's hosts by their ports, of a proxy or of the Envoy with this admin port."""
    found = {}
    clusters = ask_admin(proxy, "/clusters") if isinstance(proxy, int) else proxy.admin("/clusters")
    for line in clusters[1].splitlines():
        parts = line.split("::")
        if parts[0] == name and parts[2:3] == ["health_flags"]:
            found[int(parts[1].rpartition(":")[2])] = parts[3]
    return found


def wait_flags(proxy: Proxy, *wanted: str, nodes: list[Any] | tuple[Any, ...]) -> None:
    """Until the nodes have these flags, in their order."""
    expected = {node.port: each for node, each in zip(nodes, wanted, strict=True)}
    wait_until(lambda: flags(proxy) == expected, lambda: f"{expected}, not {flags(proxy)}")


def nodes_of_keys(world: World, asking: Callable[[str], int] | None = None) -> list[int]:
    """The node of each key, by its port; 0 where there is none."""
    return [(asking or (lambda key: by_key(world, key)))(f"key-{number}") for number in range(KEYS)]


def by_key(world: World, key: str) -> int:
    return node_of(ask(world, "/page", headers={"x-key": key}))
