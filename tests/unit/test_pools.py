"""The connections of a worker to its hosts: how many there may be, and of which priority."""

import pytest

from fastproxy.model import CircuitBreakers, Route, RouteMatch, RoutingPriority, Thresholds
from fastproxy.model_clusters import TcpKeepalive
from tests.unit.engine_world import Peer, World, get, handshake, ok, switching
from tests.unit.keepalive_sockets import OWN, probes_of

OVERFLOW = (503, b"upstream connect error or disconnect/reset before headers. reset reason: overflow")


def limits(**thresholds):
    return {"circuit_breakers": CircuitBreakers(Thresholds(**thresholds))}


def waiting(world: World, request: bytes) -> Peer:
    """A client whose request is the only one that waits."""
    client = world.client().send(request)
    world.until(lambda: world.count("upstream_rq_pending_active") == 1)
    return client


def answered(node: Peer, path: bytes = b"/") -> None:
    """Have the node answer the next request that it got, which is for this path."""
    assert node.head().split()[1] == path
    node.send(ok(path))


def test_every_host_may_have_one_connection(worlds):
    """In each worker: who waits there would wait for nothing."""
    world = worlds(2, cluster=limits(max_connections=1))
    pairs = []
    for index in range(2):
        client = world.client().send(get())
        pairs.append((client, world.nodes[index].accept()))
    assert world.count("upstream_cx_active") == 2
    assert world.count("upstream_cx_overflow") == 1
    third = waiting(world, get("/3"))
    for client, node in pairs:
        answered(node)
        assert client.response() == (200, b"/")
    answered(pairs[0][1], b"/3")
    assert third.response() == (200, b"/3")


def test_connections_of_one_host(worlds):
    world = worlds(cluster=limits(max_connections_per_host=2))
    pairs = [world.ask(get()) for _ in range(2)]
    third = waiting(world, get("/3"))
    answered(pairs[1][1])
    answered(pairs[1][1], b"/3")
    assert third.response() == (200, b"/3")
    pairs[0][0].close()


def test_the_high_priority_has_a_pool_and_limits_of_its_own(worlds):
    routes = (
        Route(RouteMatch(prefix="/high"), "backend", priority=RoutingPriority.HIGH, allow_websocket=True),
        Route(RouteMatch(prefix="/"), "backend"),
    )
    breakers = CircuitBreakers(Thresholds(max_connections=1), Thresholds(max_requests=1))
    world = worlds(routes=routes, cluster={"circuit_breakers": breakers})
    first, node = world.ask(get("/1"))
    second = waiting(world, get("/2"))
    high, other = world.ask(get("/high"))
    assert world.client().send(get("/high")).response() == OVERFLOW
    answered(other, b"/high")
    assert high.response() == (200, b"/high")
    answered(node, b"/1")
    answered(node, b"/2")
    assert (first.response(), second.response()) == ((200, b"/1"), (200, b"/2"))
    high.send(handshake("/high"))
    assert other.head().split()[1] == b"/high"
    other.send(switching())
    high.head()
    assert world.client().send(get("/high")).response() == OVERFLOW


@pytest.mark.parametrize(
    ("keepalive", "expected"),
    [
        (None, [0, *OWN]),
        (TcpKeepalive(), [1, *OWN]),
        (TcpKeepalive(probes=6, time_s=60, interval_s=10), [1, 6, 60, 10]),
    ],
    ids=["off", "as the system has it", "as the file says"],
)
def test_a_silent_host_is_probed_as_its_cluster_says(worlds, keepalive, expected):
    _, node = worlds(cluster={"tcp_keepalive": keepalive}).ask(get())
    assert probes_of(node.sock.getpeername()) == expected
