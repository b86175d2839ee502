"""Connecting: hosts that refuse or keep silent, connections used again, and requests that move on whole."""

import socket
import time
from contextlib import suppress

import pytest

from fastproxy.model import HealthFlag, LbPolicy
from tests.unit.engine_world import Node, Peer, World, get, handshake, ok, switching

CONNECT_FAILURE = (
    503, b"upstream connect error or disconnect/reset before headers. reset reason: remote connection failure"
)  # fmt: skip
CONNECT_TIMEOUT = (
    503, b"upstream connect error or disconnect/reset before headers. reset reason: connection timeout"
)  # fmt: skip


@pytest.fixture
def silent():
    """`silent(node)` fills a node's accept queue: the kernel then leaves who connects without an answer."""
    fillers: list[socket.socket] = []

    def fill(node: Node) -> None:
        node.listener.listen(0)
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(node.listener.getsockname())
            fillers.append(filler)

    yield fill
    for filler in fillers:
        filler.close()


def answer(world: World, index: int) -> bytes:
    """Have a node answer the request that it is sent; the request's head."""
    node = world.nodes[index].accept()
    head = node.head()
    node.send(ok(b"%d" % index))
    return head


def test_a_connection_is_used_again(world):
    client, node = world.ask(get())
    for _ in range(5):
        node.head()
        node.send(ok())
        assert client.response() == (200, b"hello")
        other = world.client().send(get())
        node.head()
        node.send(ok())
        assert other.response() == (200, b"hello")
        client.send(get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert world.count("upstream_cx_total") == 1
    assert world.count("upstream_rq_total") == 11


def test_the_connection_used_last_is_used_first(world):
    pairs = [world.ask(get()) for _ in range(3)]
    for client, node in pairs:
        node.head()
        node.send(ok())
        assert client.response() == (200, b"hello")
    client = pairs[0][0].send(get("/again"))
    assert pairs[2][1].head().startswith(b"GET /again ")
    pairs[2][1].send(ok())
    assert client.response() == (200, b"hello")


def test_max_requests_per_connection(worlds):
    world = worlds(cluster={"max_requests_per_connection": 2})
    client, node = world.ask(get())
    for _ in range(2):
        node.head()
        node.send(ok())
        assert client.response() == (200, b"hello")
        client.send(get())
    node.end()
    answer(world, 0)
    assert client.response() == (200, b"0")
    assert world.count("upstream_cx_max_requests") == 1


def test_a_connection_that_has_lasted_long_enough_is_not_kept(worlds):
    world = worlds(cluster={"max_connection_duration_s": 0.05})
    client, node = world.ask(get())
    node.head()
    began = time.monotonic()
    world.until(lambda: time.monotonic() > began + 0.06)
    node.send(ok())
    assert client.response() == (200, b"hello")
    node.end()
    assert world.count("upstream_cx_max_duration_reached") == 1
    client.send(get())
    other = world.nodes[0].accept()
    other.head()
    other.send(ok())
    assert client.response() == (200, b"hello")
    other.end()  # it was idle
    assert world.count("upstream_cx_max_duration_reached") == 2
    assert world.count("upstream_cx_idle_timeout") == 0


def test_a_host_that_refuses_is_passed_by(worlds):
    world = worlds(3)
    world.nodes[0].stop()
    world.nodes[1].stop()
    client = world.client().send(get("/a") * 3)
    node = world.nodes[2].accept()
    for _ in range(3):
        assert node.head().startswith(b"GET /a ")
        node.send(ok(b"2"))
        assert client.response() == (200, b"2")
    assert world.host(2)["rq_total"] == 3
    failed = [world.host(index)["cx_connect_fail"] for index in range(3)]
    assert sum(failed[:2]) == world.count("upstream_cx_connect_fail") > 0
    assert failed[2] == 0


def test_when_nobody_can_be_reached(worlds):
    world = worlds(2)
    for node in world.nodes:
        node.stop()
    client = world.client().send(get() * 3)
    assert [client.response() for _ in range(3)] == [CONNECT_FAILURE] * 3
    assert world.count("upstream_rq_retry") == 3


def test_without_failover(worlds):
    departures = worlds().runtime.managers[0].model.departures
    off = type(departures)(connect_failover=False)
    world = worlds(2, manager={"departures": off}, cluster={"lb_policy": LbPolicy.ROUND_ROBIN})
    world.nodes[0].stop()
    client = world.client().send(get())
    assert client.response() == CONNECT_FAILURE
    client.send(get())
    answer(world, 1)
    assert client.response() == (200, b"1")


def test_a_host_that_keeps_silent_is_passed_by_in_time(worlds, silent):
    world = worlds(2, cluster={"connect_timeout_s": 0.1})
    silent(world.nodes[0])
    client = world.client().send(get("/x", "content-length: 3", method="POST") + b"abc")
    node = world.nodes[1].accept()
    assert node.head().startswith(b"POST /x ")
    assert node.take(3) == b"abc"
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert world.count("upstream_cx_connect_timeout") == 1


def test_only_silence(worlds, silent):
    world = worlds(cluster={"connect_timeout_s": 0.1})
    silent(world.nodes[0])
    assert world.client().send(get()).response() == CONNECT_TIMEOUT


def test_an_upload_that_waited_for_a_silent_host_goes_on_at_the_next(worlds, silent):
    """Reading of the client stopped for the first host; the second takes everything at once and must start it again."""
    world = worlds(2, cluster={"connect_timeout_s": 0.1})
    silent(world.nodes[0])
    body = bytes(range(256)) * 4000
    client = world.client().send(get("/", f"content-length: {len(body)}", method="POST"))
    client.send(body)
    node = world.nodes[1].accept()
    node.head()
    assert node.take(len(body)) == body
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_a_client_that_leaves_while_we_connect(worlds, silent):
    world = worlds(cluster={"connect_timeout_s": 60})
    silent(world.nodes[0])
    client = world.client().send(get())
    world.until(lambda: world.engine.exchanges == 1)
    client.close()
    world.until(lambda: world.engine.active == 1)


def test_no_hosts(worlds):
    world = worlds(0)
    client = world.client().send(get() * 2)
    assert [client.response() for _ in range(2)] == [(503, b"no healthy upstream")] * 2
    assert world.count("upstream_cx_none_healthy") == 2


# --- hosts that begin to fail -----------------------------------------------------------------------------------------

CHECKS = int(HealthFlag.FAILED_ACTIVE_HC)
OUTLIER = int(HealthFlag.FAILED_OUTLIER_CHECK)


def fails(world: World, flags: int, index: int = 0) -> None:
    world.engine.set_health("backend", {str(world.nodes[index].address): flags})


def kept(world: World) -> tuple[Peer, Peer]:
    """A client, and the node's end of the connection that was kept after its answer."""
    client, node = world.ask(get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    return client, node


@pytest.mark.parametrize("flags", [CHECKS, OUTLIER], ids=["checks", "outlier detection"])
def test_kept_connections_to_a_host_that_begins_to_fail_are_closed(world, flags):
    client, node = kept(world)
    fails(world, flags)
    assert node.end() == b""
    assert world.count("upstream_cx_destroy_local") == 1
    client.send(get())  # all hosts fail: that is a panic
    answer(world, 0)
    assert client.response() == (200, b"0")


def test_a_connection_that_carries_a_request_is_closed_behind_it(world):
    client, node = world.ask(get())
    node.head()
    fails(world, CHECKS)
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert node.end() == b""


def test_one_that_is_opened_meanwhile_is_kept(world):
    _, old = kept(world)
    fails(world, CHECKS)
    client, node = kept(world)
    fails(world, CHECKS | int(HealthFlag.ACTIVE_HC_TIMEOUT))
    client.send(get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    fails(world, CHECKS | OUTLIER)
    assert node.end() == old.end() == b""


def test_tunnels_to_a_host_that_begins_to_fail_stay(world):
    client, node = world.ask(handshake())
    node.head()
    fails(world, CHECKS)
    node.send(switching())
    client.head()
    fails(world, CHECKS | OUTLIER)
    client.send(b"\x81\x01a")
    assert node.take(3) == b"\x81\x01a"


def test_connections_to_the_other_hosts_are_kept(worlds):
    world = worlds(2)
    clients = [world.client().send(get()) for _ in world.nodes]
    nodes = [node.accept() for node in world.nodes]
    for node in nodes:
        node.head()
        node.send(ok())
    assert [client.response() for client in clients] == [(200, b"hello")] * 2
    fails(world, CHECKS)
    assert nodes[0].end() == b""
    clients[0].send(get())
    nodes[1].head()
    nodes[1].send(ok())
    assert clients[0].response() == (200, b"hello")


def test_a_host_that_is_only_degraded_or_comes_back_keeps_them(world):
    fails(world, OUTLIER)
    client, node = kept(world)
    fails(world, 0)
    fails(world, int(HealthFlag.DEGRADED_ACTIVE_HC))
    client.send(get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
