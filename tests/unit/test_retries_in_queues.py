"""Requests that are tried again where connections, waiting requests and retries are limited: who waits, and who is
refused."""

from typing import Any

import pytest

from fastproxy.model import AccessLog, CircuitBreakers, Departures, HeaderHashPolicy, LbPolicy, Route, Thresholds
from fastproxy.model_clusters import RetryBudget
from fastproxy.model_health import HealthFlag
from fastproxy.model_routes import RouteMatch, RoutingPriority
from fastproxy.runtime import Runtime
from tests.support.punctual import punctual, within
from tests.unit.engine_world import KEY, World, field, get, ok
from tests.unit.test_exchange_pending import TIMEOUT, answered, waiting
from tests.unit.test_exchange_retrying import RETRIED, SLOW, busy, counts, policy

CLOSE = "connection: close"
OVERFLOW = (503, RETRIED + b"overflow")
NO_FAILOVER = {"departures": Departures(connect_failover=False)}


@pytest.fixture
def limited(worlds):
    """`limited(policy, nodes, max_connections=1, ...)` makes a world with these thresholds and this policy."""

    def make(route: dict[str, Any], nodes: int = 1, *, settings: dict[str, Any] | None = None, **limits: Any) -> World:
        thresholds = Thresholds(**{"max_connections": 1, **limits})
        settings = settings or {}
        cluster = {"circuit_breakers": CircuitBreakers(thresholds), **settings.pop("cluster", {})}
        return worlds(nodes, route=route, cluster=cluster, **settings)

    return make


def until_waiting(world: World, count: int) -> None:
    world.until(lambda: world.count("upstream_rq_pending_active") == count)


def test_a_retry_waits_behind_those_who_came_before(limited):
    """The connection that its answer has left free is theirs."""
    world = limited(policy("5xx"))
    first, node = world.ask(get("/1"))
    second, third = waiting(world, get("/2"), get("/3"))
    busy(node)
    until_waiting(world, 2)  # the first one again, the third
    for client, path in ((second, b"/2"), (third, b"/3"), (first, b"/1")):
        answered(node, path)
        assert client.response() == (200, path)
    assert counts(world, "", "_success", "_overflow") == [1, 1, 0]
    assert world.count("upstream_cx_total") == 1


def test_a_retry_that_waits_is_one_of_those_under_way(limited):
    world = limited(policy("5xx"), max_retries=1)
    first, node = world.ask(get("/1"))
    (second,) = waiting(world, get("/2"))
    busy(node)
    until_waiting(world, 1)
    busy(node)  # of the second request: there is a retry already, which waits
    assert second.response() == (503, b"busy")
    assert counts(world, "", "_overflow") == [1, 1]
    answered(node, b"/1")
    assert first.response() == (200, b"/1")
    first.send(get("/4"))
    busy(node)
    answered(node, b"/4")
    assert first.response() == (200, b"/4")


class OtherWorker:
    """Another worker of a world that has no connections yet, as far as its counters tell of it."""

    def __init__(self, world: World) -> None:
        self.row = memoryview(bytearray(8 * len(world.row))).cast("Q")
        self.slots = dict(world.layout.named())
        rows = [world.row, self.row]
        world.runtime = Runtime(world.configuration, world.layout, world.row, world.sessions, KEY, None, rows)
        world.restart()

    def holds(self, name: str, count: int) -> None:
        """It counts so many of the cluster."""
        self.row[self.slots[f"cluster.backend.{name}"]] = count


def test_a_retry_finds_no_place_in_the_queue(limited, tmp_path):
    """That is its answer, though it could be tried twice more."""
    log = AccessLog(str(tmp_path / "log"), "%REQ(:PATH)% %RESPONSE_FLAGS%\n")
    manager = {"manager": {"access_logs": (log,)}}
    world = limited(policy("5xx", retries=3), settings=manager, max_pending_requests=1)
    other = OtherWorker(world)
    first, node = world.ask(get("/1"))
    (second,) = waiting(world, get("/2"))
    other.holds("upstream_rq_pending_active", 1)  # so that the second one leaves no place behind
    busy(node)
    head = first.head()
    assert head.startswith(b"HTTP/1.1 503 ")
    assert field(head, b"x-envoy-overloaded") == b"true"
    assert first.take(len(OVERFLOW[1])) == OVERFLOW[1]
    assert counts(world, "", "_success") == [1, 0]
    assert world.count("upstream_rq_pending_overflow") == 1
    answered(node, b"/2")
    assert second.response() == (200, b"/2")
    world.engine.flush_logs()
    assert "/1 UO\n" in (tmp_path / "log").read_text()


def test_a_retry_finds_too_many_requests_under_way(limited):
    """Another worker has taken the only place."""
    world = limited(policy("5xx", retries=3), max_requests=1)
    other = OtherWorker(world)
    first, node = world.ask(get("/1"))
    other.holds("upstream_rq_active", 1)
    busy(node)
    assert first.response() == OVERFLOW
    assert world.count("upstream_rq_active_overflow") == 1
    assert counts(world, "", "_overflow") == [1, 0]


def test_a_request_that_waited_is_tried_again(limited):
    """And waits again."""
    world = limited(policy("5xx"))
    first, node = world.ask(get("/1"))
    second, third = waiting(world, get("/2"), get("/3"))
    answered(node, b"/1")
    busy(node)  # of the second
    until_waiting(world, 1)
    for path in (b"/3", b"/2"):
        answered(node, path)
    assert [client.response() for client in (first, second, third)] == [(200, b"/1"), (200, b"/2"), (200, b"/3")]


def test_a_body_that_waited_goes_again(limited):
    world = limited(policy("5xx"))
    first, node = world.ask(get("/1"))
    (second,) = waiting(world, get("/2", "content-length: 10", method="POST") + b"0123")
    answered(node, b"/1")
    assert first.response() == (200, b"/1")
    assert node.head().split()[1] == b"/2"
    second.send(b"456789")
    assert node.take(10) == b"0123456789"
    node.send(b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy")
    assert node.head().split()[1] == b"/2"
    assert node.take(10) == b"0123456789"
    node.send(ok(b"/2"))
    assert second.response() == (200, b"/2")


@punctual
def test_the_route_s_timeout_ends_a_retry_that_waits(limited):
    world = limited(policy("5xx") | {"timeout_s": 0.2, "timeout_is_set": True})
    with within(0.2):
        first, node = world.ask(get("/1"))
        (second,) = waiting(world, get("/2", "content-length: 1", method="POST"))
        busy(node)
        until_waiting(world, 1)
    assert first.response() == TIMEOUT
    assert world.count("upstream_rq_pending_active") == 0
    second.close()


@pytest.mark.parametrize("reset", [False, True])
def test_a_client_leaves_while_its_retry_waits(limited, reset):
    world = limited(policy("5xx"), max_retries=1)
    first, node = world.ask(get("/1"))
    (second,) = waiting(world, get("/2"))
    busy(node)
    until_waiting(world, 1)
    first.close(reset=reset)
    until_waiting(world, 0)
    busy(node)  # the place among the retries is free again
    answered(node, b"/2")
    assert second.response() == (200, b"/2")
    assert counts(world, "", "_success", "_overflow") == [2, 1, 0]


@punctual
def test_a_try_takes_no_time_while_it_waits(limited):
    """`per_try_timeout` begins with the connection."""
    late = Route(RouteMatch(prefix="/late"), "backend", timeout_s=0.15)
    quick = Route(RouteMatch(prefix="/"), "backend", timeout_s=None, **policy("5xx", per_try_timeout_s=0.05))
    world = limited({}, settings={"routes": (late, quick)})
    first, node = world.ask(get("/1", "content-length: 1", method="POST"))  # a try that has no end yet
    second, third = waiting(world, get("/2"), get("/late"))
    assert third.response() == TIMEOUT
    assert world.count("upstream_rq_per_try_timeout") == 0
    with within(0.05):
        first.send(b"x")
        node.head()
        assert node.take(1) == b"x"
        node.send(ok(b"/1"))
        answered(node, b"/2")
    assert (first.response(), second.response()) == ((200, b"/1"), (200, b"/2"))


@pytest.mark.parametrize("failover", [True, False])
def test_who_waits_goes_on_when_the_host_refuses(limited, failover):
    """At once, or by the policy: the other host is not the one that failed."""
    manager = {} if failover else {"manager": NO_FAILOVER}
    found = policy("connect-failure", avoids_previous_hosts=True, host_selection_retry_max_attempts=5)
    world = limited(found, 2, settings=manager, max_connections=9, max_connections_per_host=1)
    first = world.client().send(get("/1"))
    node = world.nodes[0].accept()
    other = world.client().send(get("/2"))
    busy_node = world.nodes[1].accept()
    (third,) = waiting(world, get("/3"))
    world.nodes[0].stop()
    answered(node, b"/1", CLOSE)
    assert first.response() == (200, b"/1")
    until_waiting(world, 1)  # now at the other host
    answered(busy_node, b"/2")
    answered(busy_node, b"/3")
    assert (other.response(), third.response()) == ((200, b"/2"), (200, b"/3"))
    assert counts(world, "") == [1]
    assert counts(world, "_backoff_exponential") == [0 if failover else 1]


def test_a_host_that_is_ejected_serves_those_who_wait_for_it(limited):
    """As Envoy: they have chosen it before."""
    world = limited(policy("5xx"), 2, max_connections=2)
    clients = [world.client().send(get("/1")) for _ in range(2)]
    nodes = [node.accept() for node in world.nodes]
    (third,) = waiting(world, get("/3"))
    world.engine.set_health("backend", {str(world.nodes[0].address): int(HealthFlag.FAILED_OUTLIER_CHECK)})
    fourth = world.client().send(get("/4"))
    until_waiting(world, 2)
    answered(nodes[0], b"/1")
    answered(world.nodes[0].accept(), b"/3")  # the other connection is not used again
    assert third.response() == (200, b"/3")
    answered(nodes[1], b"/1")
    answered(nodes[1], b"/4")
    assert fourth.response() == (200, b"/4")
    assert [client.response() for client in clients] == [(200, b"/1")] * 2


def test_a_retry_of_who_waited_passes_over_a_host_that_was_ejected_meanwhile(limited):
    found = policy("5xx") | {"hash_policies": (HeaderHashPolicy("x-key"),)}
    world = limited(found, 2, settings={"cluster": {"lb_policy": LbPolicy.RING_HASH}}, max_connections=2)
    first = world.client().send(get("/1", "x-key: a"))
    world.until(lambda: any(node.is_asked() for node in world.nodes))
    place = next(place for place, node in enumerate(world.nodes) if node.is_asked())
    node = world.nodes[place].accept()
    second = world.client().send(get("/2", "x-key: a"))
    other = world.nodes[place].accept()
    (third,) = waiting(world, get("/3", "x-key: a"))
    world.engine.set_health("backend", {str(world.nodes[place].address): int(HealthFlag.FAILED_OUTLIER_CHECK)})
    answered(node, b"/1")
    busy(world.nodes[place].accept(), CLOSE)  # of the third, as the first connection is not used again
    answered(other, b"/2")
    elsewhere = world.nodes[1 - place].accept()
    answered(elsewhere, b"/3")
    assert [client.response() for client in (first, second, third)] == [(200, b"/1"), (200, b"/2"), (200, b"/3")]


# budgets


def budget(percent: float, minimum: int) -> dict[str, Any]:
    return {"retry_budget": RetryBudget(percent, minimum)}


def test_those_who_wait_count_for_the_budget(limited):
    """Half of the requests under way and waiting may be retries: 3 of 6, then 2 of 5, 2 of 4."""
    world = limited(policy("5xx", **SLOW), max_connections=2, **budget(50.0, 0))
    clients = [world.client().send(get(f"/{number}")) for number in range(2)]
    nodes = [world.nodes[0].accept() for _ in range(2)]
    clients += waiting(world, *(get(f"/{number}") for number in range(2, 6)))
    for node in (nodes[0], nodes[1]):
        busy(node)
    world.until(lambda: counts(world, "") == [2])
    third = next(node for node in nodes if node.head().split()[1] == b"/2")
    third.send(b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy")
    assert clients[2].response() == (503, b"busy")
    assert counts(world, "", "_overflow") == [2, 1]


def test_so_many_are_free_of_the_budget(limited):
    world = limited(policy("5xx", **SLOW), max_connections=9, **budget(0.0, 1))
    first, node = world.ask(get("/1"))
    busy(node)
    world.until(lambda: counts(world, "") == [1])
    second = world.client().send(get("/2"))
    busy(node)
    assert second.response() == (503, b"busy")
    assert counts(world, "", "_overflow") == [1, 1]
    first.close()


def test_a_budget_is_free_again_when_a_retry_that_waits_is_given_up(limited):
    world = limited(policy("5xx"), **budget(0.0, 1))
    first, node = world.ask(get("/1"))
    (second,) = waiting(world, get("/2"))
    busy(node)
    until_waiting(world, 1)
    first.close()
    until_waiting(world, 0)
    busy(node)
    answered(node, b"/2")
    assert second.response() == (200, b"/2")


def test_each_priority_has_retries_of_its_own(worlds):
    retried = policy("5xx", **SLOW)["retry_policy"]
    routes = tuple(
        Route(RouteMatch(prefix=f"/{name}"), "backend", priority=RoutingPriority[name], retry_policy=retried)
        for name in ("DEFAULT", "HIGH")
    )
    breakers = CircuitBreakers(Thresholds(max_retries=1), Thresholds(max_retries=2))
    world = worlds(routes=routes, cluster={"circuit_breakers": breakers})
    clients = []
    for path in ("/DEFAULT", "/HIGH", "/HIGH"):
        client = world.client().send(get(path))
        clients.append(client)
        busy(world.nodes[0].accept(), CLOSE)
        world.until(lambda: counts(world, "") == [len(clients)])
    for path in ("/DEFAULT", "/HIGH"):
        client = world.client().send(get(path))
        busy(world.nodes[0].accept(), CLOSE)
        assert client.response() == (503, b"busy")
    assert counts(world, "_overflow") == [2]
