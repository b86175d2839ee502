"""Retries where hosts are ejected, fail their checks, are full, leave or come back; and sessions, which never move."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fastproxy.model import CircuitBreakers, Departures, HeaderHashPolicy, HealthConfig, Host, LbPolicy, Thresholds
from fastproxy.model_affinity import MCP, SessionAffinity
from fastproxy.model_health import HealthFlag, OutlierDetection
from tests.unit.engine_world import Peer, World, get, ok
from tests.unit.test_exchange_other_hosts import answered, hosts_of, in_back_off, slow
from tests.unit.test_exchange_retrying import POLL, RETRIED, answering, busy, counts, policy, session

HASHED = {"hash_policies": (HeaderHashPolicy("x-key"),)}
RING = {"lb_policy": LbPolicy.RING_HASH}
MANY = {"host_selection_retry_max_attempts": 1000}
CLOSE = "connection: close"
MCP_SESSION = "mcp-session-id: 0123456789abcdef"
FLAGS = [HealthFlag.FAILED_OUTLIER_CHECK, HealthFlag.FAILED_ACTIVE_HC]


def find(world: World, place: int, flag: int = int(HealthFlag.FAILED_OUTLIER_CHECK)) -> None:
    """Something else is known of a host."""
    world.engine.set_health("backend", {str(world.nodes[place].address): flag})


def asked_place(world: World) -> int:
    world.until(lambda: any(node.is_asked() for node in world.nodes))
    return next(place for place, node in enumerate(world.nodes) if node.is_asked())


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("kind", [LbPolicy.ROUND_ROBIN, LbPolicy.RING_HASH])
def test_the_only_other_host_is_not_healthy(worlds, kind, flag):
    """What was tried before is tried again then: half of the hosts are left, which is no panic."""
    found = policy("5xx", retries=2, avoids_previous_hosts=True, **MANY) | HASHED
    world = worlds(2, route=found, cluster={"lb_policy": kind})
    find(world, 1, int(flag))
    assert answering(world, world.client().send(get("/", "x-key: a"))) == [0, 0, 0]
    assert world.count("lb_healthy_panic") == 0


def test_the_only_other_host_is_found_healthy_again(worlds):
    world = worlds(2, route=slow("5xx", avoids_previous_hosts=True, **MANY))
    find(world, 1)
    client = world.client().send(get())
    assert in_back_off(world) == 0
    find(world, 1, 0)
    answered(world, 1, client)


def test_the_host_is_ejected_during_the_back_off(worlds):
    """No predicate is needed for its hash to go elsewhere."""
    world = worlds(2, route=slow("5xx") | HASHED, cluster=RING)
    client = world.client().send(get("/", "x-key: a"))
    place = in_back_off(world)
    find(world, place)
    answered(world, 1 - place, client)


@pytest.mark.parametrize("kind", [LbPolicy.ROUND_ROBIN, LbPolicy.RING_HASH])
def test_in_a_panic_retries_go_to_anybody(worlds, kind):
    found = policy("5xx", retries=2, avoids_previous_hosts=True, **MANY) | HASHED
    world = worlds(3, route=found, cluster={"lb_policy": kind})
    for place in (0, 1):
        find(world, place)
    assert sorted(answering(world, world.client().send(get("/", "x-key: a")))) == [0, 1, 2]
    assert world.count("lb_healthy_panic") >= 3


def test_in_a_panic_a_retry_may_find_nobody(worlds):
    health = HealthConfig(fail_traffic_on_panic=True)
    world = worlds(3, route=slow("5xx"), cluster={"health": health})
    client = world.client().send(get())
    in_back_off(world)
    for place in range(3):
        find(world, place)
    assert client.response() == (503, b"no healthy upstream")
    assert world.count("upstream_cx_none_healthy") == 1


def test_each_try_counts_for_outlier_detection(worlds):
    """One request may have its host ejected: two answers in a row are enough here."""
    told: list[tuple[str, str, Any]] = []
    detection = OutlierDetection(consecutive_5xx=2, consecutive_gateway_failure=9)
    world = worlds(2, route=policy("5xx", retries=2) | HASHED, cluster={"outlier_detection": detection, **RING})
    world.engine.report_failures(lambda *what: told.append(what))
    place, *_ = answering(world, world.client().send(get("/", "x-key: a")))
    assert {(cluster, address) for cluster, address, _ in told} == {("backend", str(world.nodes[place].address))}


# a host that is full


def full(worlds: Any, **policy_fields: Any) -> tuple[World, Peer, Peer]:
    """A world of two hosts with one connection each, both taken; who holds the one of the second host, and its end."""
    breakers = CircuitBreakers(Thresholds(max_connections_per_host=1))
    found = policy("5xx", avoids_previous_hosts=True, **{**MANY, **policy_fields})
    world = worlds(2, route=found, cluster={"circuit_breakers": breakers})
    first = world.client().send(get("/1"))
    node = world.nodes[0].accept()
    second = world.client().send(get("/2"))
    other = world.nodes[1].accept()
    assert other.head().split()[1] == b"/2"
    busy(node)
    world.until(lambda: world.count("upstream_rq_pending_active") == 1)
    other.send(ok(b"/2"))
    assert second.response() == (200, b"/2")
    return world, first, other


def test_a_retry_waits_for_a_host_that_is_full(worlds):
    """It does not go back to the one that has failed, though that has room."""
    world, first, other = full(worlds)
    assert other.head().split()[1] == b"/1"
    other.send(ok(b"/1"))
    assert first.response() == (200, b"/1")
    assert counts(world, "", "_success") == [1, 1]


def reading(world: World) -> list[Peer]:
    for peer in world.peers:
        if peer.sock.fileno() >= 0:
            peer.read()
    return world.peers


# hosts that leave and come back while a request waits for them


def queued(worlds: Any, **settings: Any) -> tuple[World, Peer, Peer, Peer]:
    """A world of two hosts; a client and the host's end of the first one's only connection, which it holds, and a
    client that waits for it."""
    breakers = {"circuit_breakers": CircuitBreakers(Thresholds(max_connections_per_host=1))}
    world = worlds(2, route=policy("5xx", "connect-failure"), cluster=breakers, **settings)
    first = world.client().send(get("/1"))
    node = world.nodes[0].accept()
    second = world.client().send(get("/2"))
    answered(world, 1, second)
    third = world.client().send(get("/3"))
    world.until(lambda: world.count("upstream_rq_pending_active") == 1)
    return world, first, node, third


def end(node: Peer, path: bytes, *lines: str) -> None:
    assert node.head().split()[1] == path
    node.send(ok(path, *lines))


def test_who_waits_for_a_host_that_has_left_is_served_by_it(worlds):
    """As Envoy; the connection is not kept then."""
    world, first, node, third = queued(worlds)
    world.engine.set_hosts("backend", hosts_of(world, 1))
    end(node, b"/1")
    assert first.response() == (200, b"/1")
    end(world.nodes[0].accept(), b"/3")
    assert third.response() == (200, b"/3")
    world.until(lambda: world.count("upstream_cx_active") <= 1)


def test_a_host_that_has_left_and_refuses_has_its_queue_tried_elsewhere(worlds):
    world, first, node, third = queued(worlds)
    world.engine.set_hosts("backend", hosts_of(world, 1))
    world.nodes[0].stop()
    end(node, b"/1")
    assert first.response() == (200, b"/1")
    peer = next(peer for peer in served(world, 1) if b"\r\n\r\n" in peer.got)
    end(peer, b"/3")
    assert third.response() == (200, b"/3")


def served(world: World, place: int) -> list[Peer]:
    """The ends of the connections with this node, one of which has a request."""
    accepted: list[Peer] = []

    def look() -> bool:
        if world.nodes[place].is_asked():
            accepted.append(world.nodes[place].accept())
        return any(b"\r\n\r\n" in peer.got for peer in reading(world))

    world.until(look)
    return world.peers


def other_cluster(world: World, *places: int) -> None:
    """A reload: the cluster of that name is another one, with these hosts."""
    hosts = tuple(Host(world.nodes[place].address) for place in places)
    cluster = replace(world.configuration.clusters[0], hosts=hosts, connect_timeout_s=4.0)
    world.reload(replace(world.configuration, clusters=(cluster,)))


def test_who_waits_goes_on_in_another_configuration(worlds):
    """It waits for the host with that address; when that refuses, for one of those that there are now."""
    world, first, node, third = queued(worlds)
    other_cluster(world, 0, 1)
    world.nodes[0].stop()
    end(node, b"/1", CLOSE)
    assert first.response() == (200, b"/1")
    peer = next(peer for peer in served(world, 1) if b"\r\n\r\n" in peer.got)
    end(peer, b"/3")
    assert third.response() == (200, b"/3")


def test_a_retry_waits_through_a_reload(worlds):
    """It is one of the retries of the cluster in use, and of no other when it ends."""
    breakers = {"circuit_breakers": CircuitBreakers(Thresholds(max_connections=1, max_retries=1))}
    world = worlds(1, route=policy("5xx"), cluster=breakers)
    first, node = world.ask(get("/1"))
    second = world.client().send(get("/2"))
    world.until(lambda: world.count("upstream_rq_pending_active") == 1)
    busy(node)
    assert node.head().split()[1] == b"/2"
    world.until(lambda: world.count("upstream_rq_pending_active") == 1)
    other_cluster(world, 0)
    node.send(b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy")
    assert second.response() == (503, b"busy")  # the one retry that there may be is the first one's
    end(world.nodes[0].accept(), b"/1")
    assert first.response() == (200, b"/1")


# sessions


def begun(worlds: Any, **settings: Any) -> tuple[World, Peer, int, Peer]:
    """An MCP session in a world of three hosts, one connection each: its client, its place, and its host's end of the
    connection."""
    affinity = SessionAffinity(protocols=(MCP,))
    found = slow("5xx", "connect-failure", avoids_previous_hosts=True, **MANY)
    breakers = CircuitBreakers(Thresholds(max_connections_per_host=1, max_retries=9))
    world = worlds(
        3, route=found, cluster={"circuit_breakers": breakers}, manager={"affinity": affinity, **settings}
    )  # fmt: skip
    client = world.client().send(get("/mcp", "content-length: 2", method="POST") + b"{}")
    place = asked_place(world)
    node = world.nodes[place].accept()
    node.head()
    assert node.take(2) == b"{}"
    node.send(ok(b"", MCP_SESSION))
    assert client.response() == (200, b"")
    world.settle()
    return world, client, place, node


def ejected(world: World, place: int) -> None:
    find(world, place)


def failing(world: World, place: int) -> None:
    find(world, place, int(HealthFlag.FAILED_ACTIVE_HC))


def all_others_only(world: World, place: int) -> None:
    world.engine.set_hosts("backend", hosts_of(world, *({0, 1, 2} - {place})))


def left_and_back(world: World, place: int) -> None:
    all_others_only(world, place)
    world.engine.set_hosts("backend", hosts_of(world, 0, 1, 2))


def reloaded(world: World, place: int) -> None:
    other_cluster(world, 0, 1, 2)


EVENTS: list[Callable[[World, int], None]] = [ejected, failing, all_others_only, left_and_back, reloaded]


@pytest.mark.parametrize("happens", EVENTS)
def test_a_session_that_is_tried_again_stays(worlds, happens):
    world, client, place, node = begun(worlds)
    client.send(get("/mcp", MCP_SESSION))
    busy(node, CLOSE)
    world.until(lambda: counts(world, "") == [1])
    happens(world, place)
    peer = world.nodes[place].accept()
    peer.head()
    peer.send(ok())
    assert client.response() == (200, b"hello")
    assert not any(other.is_asked() for other in world.nodes)


@pytest.mark.parametrize("happens", EVENTS)
@pytest.mark.parametrize("fails", [False, True])
def test_a_session_that_waits_stays(worlds, happens, fails):
    """And when it is tried again after that."""
    world, client, place, node = begun(worlds)
    client.send(get("/mcp", MCP_SESSION))
    node.head()
    waits = world.client().send(get("/mcp", MCP_SESSION))
    world.until(lambda: world.count("upstream_rq_pending_active") == 1)
    happens(world, place)
    node.send(ok(b"first", CLOSE))
    assert client.response() == (200, b"first")
    peer = world.nodes[place].accept()
    if fails:
        busy(peer, CLOSE)
        peer = world.nodes[place].accept()
    peer.head()
    peer.send(ok())
    assert waits.response() == (200, b"hello")
    assert not any(other.is_asked() for other in world.nodes)


def test_a_session_whose_host_refuses_is_not_tried_elsewhere(worlds):
    """Whoever waits for the host is told that the session is lost."""
    world, client, place, node = begun(worlds, departures=Departures(connect_failover=True))
    client.send(get("/mcp", MCP_SESSION))
    node.head()
    waits = world.client().send(get("/mcp", MCP_SESSION))
    world.until(lambda: world.count("upstream_rq_pending_active") == 1)
    world.nodes[place].stop()
    node.send(ok(b"first", CLOSE))
    assert client.response() == (200, b"first")
    assert waits.response()[0] == 404
    assert not any(node.is_asked() for number, node in enumerate(world.nodes) if number != place)


def test_a_poll_that_waits_for_a_host_that_leaves(worlds):
    """Nothing of it was sent, but only its own host has its packets."""
    breakers = {"circuit_breakers": CircuitBreakers(Thresholds(max_connections_per_host=1))}
    world = worlds(2, route=policy("5xx", "connect-failure", avoids_previous_hosts=True), cluster=breakers)
    client, place, node = session(world)
    client.send(get(POLL))
    node.head()
    waits = world.client().send(get(POLL, "content-length: 1", method="POST") + b"3")
    world.until(lambda: world.count("upstream_rq_pending_active") == 1)
    find(world, place)
    world.engine.set_hosts("backend", hosts_of(world, 1 - place))
    node.send(ok(b"2"))
    assert client.response() == (200, b"2")
    peer = world.nodes[place].accept()
    assert b"sid=" in peer.head()
    assert peer.take(1) == b"3"
    peer.close()  # it may have taken it
    assert waits.response()[0] == 503
    assert not world.nodes[1 - place].is_asked()


def test_what_is_answered_when_no_host_can_be_connected(worlds):
    world = worlds(2, route=policy("connect-failure", retries=2))
    find(world, 0)
    for node in world.nodes:
        node.stop()
    assert world.client().send(get()).response() == (503, RETRIED + b"remote connection failure")
