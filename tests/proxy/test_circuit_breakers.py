"""Circuit breakers over two workers: limits of all of them together, the queue, and what the admin says."""

import threading
from collections.abc import Iterator

import pytest

from tests.support.adversary import Node, Peer, answering
from tests.support.messages import Message
from tests.support.processes import wait_until
from tests.support.proxies import World, Worlds, cluster, route
from tests.support.websocket import handshake

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
OVERFLOW = b"upstream connect error or disconnect/reset before headers. reset reason: overflow"
ACTIVE, PENDING = "cluster.{}.upstream_rq_active", "cluster.{}.upstream_rq_pending_active"
CLIENTS = 20
MAX_CONNECTIONS = 4
WORKERS = 2


def thresholds(**limits: object) -> dict[str, object]:
    return {"circuit_breakers": {"thresholds": [{"track_remaining": True, **limits}]}}


class Gate:
    """Nodes that answer when it is open."""

    def __init__(self) -> None:
        self.opened = threading.Event()

    def answer(self, _: Node, request: Message) -> bytes:
        assert request.head.target == b"/queued"
        self.opened.wait(60)
        return OK


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate()


@pytest.fixture(scope="module")
def world(worlds: Worlds, gate: Gate) -> World:
    """`/held` has at most 3 requests, `/queued` 4 connections; `/high` is `/held` with the other priority."""
    nodes = [Node(), Node(answering(gate.answer))]
    return worlds.start(
        nodes=nodes,
        prefix="/held",
        routes=[
            route("/high", "held", priority="HIGH"),
            route("/queued", "queued"),
            route("/ws", "ws", upgrade_configs=[{"upgrade_type": "websocket"}]),
        ],
        action={"cluster": "held"},
        clusters=[
            cluster("held", [nodes[0].port], **thresholds(max_requests=3)),
            cluster("ws", [nodes[0].port], **thresholds(max_requests=1)),
            cluster("queued", [nodes[1].port], **thresholds(max_connections=MAX_CONNECTIONS)),
        ],
        concurrency=WORKERS,
    )


@pytest.fixture(autouse=True)
def opened(gate: Gate) -> Iterator[None]:
    gate.opened.clear()
    yield
    gate.opened.set()


def ask(world: World, path: str) -> Peer:
    return world.client() << f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode()


def refused(client: Peer) -> bool:
    response = client.read_response()
    assert (response.status, response.body) == (503, OVERFLOW)
    return response.head.get(b"x-envoy-overloaded") == b"true"


def test_requests_of_all_workers_together(world: World) -> None:
    held = []
    for _ in range(3):
        client = ask(world, "/held")
        node = world.nodes[0].accept()
        node.read_request()
        held.append((client, node))
    assert refused(ask(world, "/held"))
    assert refused(ask(world, "/held"))
    stats = world.proxy.stats()
    assert stats[ACTIVE.format("held")] == 3
    assert stats["cluster.held.circuit_breakers.default.rq_open"] == 1
    assert stats["cluster.held.circuit_breakers.default.remaining_rq"] == 0
    assert stats["cluster.held.circuit_breakers.high.rq_open"] == 0
    assert stats["cluster.held.upstream_rq_active_overflow"] == 2
    high = ask(world, "/high")
    node = world.nodes[0].accept()
    node.read_request()
    for client, each in [*held, (high, node)]:
        each << OK
        assert client.read_response().status == 200
    wait_until(lambda: world.proxy.stats()["cluster.held.circuit_breakers.default.rq_open"] == 0, "it is closed")


def test_a_websocket_holds_a_request(world: World) -> None:
    tunnel = world.client() << handshake(b"/ws")
    node = world.nodes[0].accept()
    head = node.read_head()
    assert refused(ask(world, "/ws"))
    assert head.get(b"upgrade") == b"websocket"
    tunnel.close()


def test_many_wait_for_a_few_connections(world: World, gate: Gate) -> None:
    before = world.proxy.stats()
    clients = []
    for number in range(1, CLIENTS + 1):
        clients.append(ask(world, "/queued"))
        wait_until(lambda: sum(under_way(world)) == number, "the request is taken up")  # noqa: B023
    active, waiting = under_way(world)
    assert MAX_CONNECTIONS <= active < MAX_CONNECTIONS + WORKERS  # a worker without a connection may have one
    assert waiting == CLIENTS - active
    stats = world.proxy.stats()
    assert stats["cluster.queued.circuit_breakers.default.cx_open"] == 1
    assert stats["cluster.queued.upstream_cx_overflow"] > before["cluster.queued.upstream_cx_overflow"]
    assert (
        f"queued::127.0.0.1:{world.nodes[1].port}::rq_pending_active::{waiting}\n" in world.proxy.admin("/clusters")[1]
    )
    gate.opened.set()
    assert [client.read_response().status for client in clients] == [200] * CLIENTS
    assert (
        world.proxy.stats()["cluster.queued.upstream_cx_total"] - before["cluster.queued.upstream_cx_total"] == active
    )


def under_way(world: World) -> tuple[int, int]:
    stats = world.proxy.stats()
    return stats[ACTIVE.format("queued")], stats[PENDING.format("queued")]


def test_what_the_admin_shows(world: World) -> None:
    text = world.proxy.admin("/clusters")[1]
    assert "held::default_priority::max_requests::3\n" in text
    assert "queued::default_priority::max_connections::4\n" in text
    assert "held::default_priority::max_retries::3\n" in text
    prefix = "cluster.held.circuit_breakers."
    names = {name.removeprefix(prefix) for name in world.proxy.stats() if name.startswith(prefix)}
    kinds = ("cx_open", "cx_pool_open", "rq_open", "rq_pending_open", "rq_retry_open")
    left = {f"default.remaining_{kind}" for kind in ("cx", "rq", "pending", "retries")}
    expected = {f"{priority}.{kind}" for priority in ("default", "high") for kind in kinds} | left
    assert expected <= names
