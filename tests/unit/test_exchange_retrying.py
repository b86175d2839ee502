"""Requests that are sent again as their route's policy says, and those that never are."""

from dataclasses import replace
from typing import Any

import pytest

from fastproxy.model import HeaderHashPolicy, HttpConnectionManager, LbPolicy
from fastproxy.model_affinity import MCP, SOCKJS, SessionAffinity
from fastproxy.model_clusters import CircuitBreakers, Thresholds
from fastproxy.model_routes import HeaderMatcher, ResetHeader, RetryPolicy
from tests.support.punctual import punctual, within
from tests.unit.engine_world import Peer, World, cross, get, handshake, ok, switching

PREFIX = b"upstream connect error or disconnect/reset before headers. "
RETRIED = PREFIX + b"retried and the latest reset reason: "
FAST: dict[str, Any] = {"back_off_base_s": 0.001, "back_off_max_s": 0.001}
SLOW: dict[str, Any] = {"back_off_base_s": 30.0, "back_off_max_s": 30.0}
BUSY = b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy"
SID = "abcdefghij0123456789"
OPENING = "/engine.io/?EIO=4&transport=polling"
POLL = f"{OPENING}&sid={SID}"
OPEN = b'0{"sid":"%s","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}' % SID.encode()
LATE = (504, b"upstream request timeout")


def policy(*words: str, retries: int = 1, **fields: Any) -> dict[str, Any]:
    """The settings of a route that retries for these reasons."""
    return {"retry_policy": RetryPolicy(words, retries, **{**FAST, **fields})}


def busy(node: Peer, *lines: str) -> bytes:
    head = node.head()
    node.send("\r\n".join(["HTTP/1.1 503 Busy", "content-length: 4", *lines, "", "busy"]).encode())
    return head


def counts(world: World, *names: str) -> list[int]:
    return [world.count(f"upstream_rq_retry{name}") for name in names]


def test_an_answer_is_asked_for_again(worlds):
    world = worlds(route=policy("5xx", retries=3))
    client, node = world.ask(get("/a"))
    for _ in range(2):
        assert busy(node).startswith(b"GET /a HTTP/1.1\r\nhost: example.com\r\n")
    assert node.head().startswith(b"GET /a HTTP/1.1\r\nhost: example.com\r\n")
    node.send(ok())
    assert client.response() == (200, b"hello")
    names = ("", "_success", "_limit_exceeded", "_overflow", "_backoff_exponential", "_backoff_ratelimited")
    assert counts(world, *names) == [2, 1, 0, 0, 2, 0]
    assert world.host(0)["rq_error"] == 2
    assert world.count("upstream_cx_total") == 1
    client.send(get("/b"))
    assert node.head().startswith(b"GET /b ")
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_the_last_answer_goes_to_the_client(worlds):
    world = worlds(route=policy("gateway-error", retries=2))
    client, node = world.ask(get())
    for _ in range(3):
        busy(node)
    assert client.response() == (503, b"busy")
    assert counts(world, "", "_success", "_limit_exceeded") == [2, 0, 1]


def test_no_retries_left_from_the_beginning(worlds):
    world = worlds(route=policy("5xx", retries=0))
    client, node = world.ask(get())
    busy(node)
    assert client.response() == (503, b"busy")
    assert counts(world, "", "_limit_exceeded") == [0, 1]


def test_a_cluster_that_admits_none(worlds):
    world = worlds(route=policy("5xx"), cluster={"circuit_breakers": CircuitBreakers(Thresholds(max_retries=0))})
    client, node = world.ask(get())
    busy(node)
    assert client.response() == (503, b"busy")
    assert counts(world, "", "_overflow") == [0, 1]


def test_an_answer_that_has_not_come_whole_costs_its_connection(worlds):
    world = worlds(route=policy("5xx"))
    client, node = world.ask(get())
    node.head()
    node.send(b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbu")
    other = world.nodes[0].accept()
    other.head()
    other.send(ok())
    assert client.response() == (200, b"hello")
    node.end()


def test_a_body_goes_again_and_what_comes_of_it_meanwhile(worlds):
    world = worlds(route=policy("5xx", back_off_base_s=0.05, back_off_max_s=0.05))
    client = world.client().send(get("/", "transfer-encoding: chunked", method="POST") + b"3\r\nabc\r\n")
    node = world.nodes[0].accept()
    node.head()
    assert node.take(8) == b"3\r\nabc\r\n"
    node.send(BUSY)
    world.until(lambda: world.count("upstream_rq_retry") == 1)
    client.send(b"2\r\nde\r\n")
    world.settle()
    other = world.nodes[0].accept()
    other.head()
    client.send(b"0\r\n\r\n")
    assert other.take(20) == b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    other.send(ok())
    assert client.response() == (200, b"hello")


def test_a_request_that_is_too_large_goes_out_once(worlds):
    world = worlds(route=policy("5xx") | {"request_buffer_bytes": 10})
    client = world.client().send(get("/", "content-length: 11", method="POST") + bytes(11))
    node = world.nodes[0].accept()
    busy(node)
    assert node.take(11) == bytes(11)
    assert client.response() == (503, b"busy")
    assert world.count("retry_or_shadow_abandoned") == 1


def test_the_framing_of_chunks_does_not_count(worlds):
    world = worlds(route=policy("5xx") | {"request_buffer_bytes": 10})
    chunks = b"a\r\n0123456789\r\n0\r\n\r\n"
    client = world.client().send(get("/", "transfer-encoding: chunked", method="POST") + chunks)
    node = world.nodes[0].accept()
    for answer in (BUSY, ok()):
        node.head()
        assert node.take(len(chunks)) == chunks
        node.send(answer)
    assert client.response() == (200, b"hello")


def test_a_request_that_grows_too_large_between_two_tries(worlds):
    world = worlds(route=policy("5xx", **SLOW) | {"request_buffer_bytes": 10})
    client = world.client().send(get("/", "content-length: 20", method="POST") + bytes(5))
    busy(world.nodes[0].accept())
    world.until(lambda: world.count("upstream_rq_retry") == 1)
    client.send(bytes(15))
    assert client.response() == (507, b"exceeded request buffer limit while retrying upstream")


@pytest.mark.parametrize("reason", ["reset", "5xx", "gateway-error"])
def test_a_node_that_ends_without_an_answer(worlds, reason):
    world = worlds(route=policy(reason))
    client, node = world.ask(get())
    node.head()
    node.close()
    other = world.nodes[0].accept()
    other.head()
    other.close()
    assert client.response() == (503, RETRIED + b"connection termination")


@pytest.mark.parametrize("reason", ["connect-failure", "reset-before-request", "retriable-4xx"])
def test_reasons_that_an_end_without_an_answer_is_not(worlds, reason):
    world = worlds(route=policy(reason))
    client, node = world.ask(get())
    node.head()
    node.close()
    assert client.response() == (503, PREFIX + b"reset reason: connection termination")


@pytest.mark.parametrize("garbage", [b"garbage\r\n\r\n", b"HTTP/1.1 101 Switching\r\n\r\n", b"HTTP/1.1 200 OK\r\nx"])
def test_a_node_that_speaks_no_http(worlds, garbage):
    world = worlds(route=policy("reset"))
    client, node = world.ask(get())
    node.head()
    node.send(garbage)
    node.shut()
    other = world.nodes[0].accept()
    other.head()
    other.send(garbage)
    other.shut()
    assert client.response() == (502, RETRIED + b"protocol error")
    assert world.count("upstream_cx_protocol_error") == 2


@pytest.mark.parametrize("reason", ["connect-failure", "reset-before-request", "reset", "5xx", "gateway-error"])
def test_a_node_that_refuses_is_asked_again(worlds, reason):
    world = worlds(route=policy(reason, retries=2))
    world.nodes[0].stop()
    assert world.client().send(get()).response() == (503, RETRIED + b"remote connection failure")
    assert world.count("upstream_cx_connect_fail") == 3
    assert counts(world, "", "_limit_exceeded") == [2, 1]


def test_the_other_hosts_are_asked_before_the_policy_is(worlds):
    """Going on to the next host costs no retry and no time."""
    world = worlds(2, route=policy("connect-failure"))
    world.nodes[0].stop()
    client = world.client().send(get())
    node = world.nodes[1].accept()
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert counts(world, "_backoff_exponential") == [0]


@punctual
def test_a_try_that_takes_too_long(worlds):
    world = worlds(route=policy("5xx", per_try_timeout_s=0.05))
    client, node = world.ask(get())
    node.head()
    other = world.nodes[0].accept()
    with within(0.05):
        other.head()
        other.send(ok())
    assert client.response() == (200, b"hello")
    assert world.count("upstream_rq_per_try_timeout") == 1
    node.end()


@pytest.mark.parametrize("words", [("5xx",), ("retriable-4xx",), ()])
def test_the_last_try_that_takes_too_long(worlds, words):
    world = worlds(route=policy(*words, per_try_timeout_s=0.03))
    assert world.client().send(get()).response() == LATE
    assert world.count("upstream_rq_per_try_timeout") == (2 if words == ("5xx",) else 1)
    assert world.count("upstream_rq_timeout") == 0


@punctual
def test_a_try_that_is_silent_for_too_long(worlds):
    world = worlds(route=policy("reset", per_try_idle_timeout_s=0.05))
    client, node = world.ask(get())
    node.head()
    other = world.nodes[0].accept()
    with within(0.05):
        other.head()
        other.send(ok())
    assert client.response() == (200, b"hello")
    assert world.count("upstream_rq_per_try_idle_timeout") == 1
    node.end()


@punctual
def test_an_answer_that_falls_silent(worlds):
    """What has begun is not tried again, nor given up for the time that a try may take."""
    world = worlds(route=policy("5xx", per_try_timeout_s=0.05, per_try_idle_timeout_s=0.1))
    with within(0.05):
        client, node = world.ask(get())
        node.head()
        node.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal")
        client.head()
    assert client.end() == b"hal"
    assert world.count("upstream_rq_per_try_idle_timeout") == 1
    assert counts(world, "") == [0]


@pytest.mark.parametrize("timeout_s", [0.06, 0.02])
def test_the_routes_timeout_covers_all_tries(worlds, timeout_s):
    found = policy("5xx", retries=50, per_try_timeout_s=0.04)
    world = worlds(route=found | {"timeout_s": timeout_s})
    assert world.client().send(get()).response() == LATE
    assert world.count("upstream_rq_timeout") == 1


def test_the_routes_timeout_ends_a_back_off(worlds):
    world = worlds(route=policy("5xx", **SLOW) | {"timeout_s": 0.05})
    client, node = world.ask(get())
    busy(node)
    assert client.response() == LATE


def test_an_answer_that_says_when(worlds):
    world = worlds(route=policy("5xx", reset_headers=(ResetHeader("retry-after"),)))
    client, node = world.ask(get())
    busy(node, "retry-after: 0")
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert counts(world, "_backoff_exponential", "_backoff_ratelimited") == [0, 1]


def test_a_client_that_leaves_between_two_tries(worlds):
    world = worlds(route=policy("5xx", **SLOW))
    client, node = world.ask(get())
    busy(node)
    world.until(lambda: world.count("upstream_rq_retry") == 1)
    client.close()
    world.until(lambda: world.engine.exchanges == 0)


def answering(world: World, client: Peer) -> list[int]:
    """The places of the hosts that were asked, in order; all answer 503."""
    asked: list[int] = []
    peers: list[tuple[int, Peer]] = []

    def look() -> bool:
        for place, node in enumerate(world.nodes):
            if node.is_asked():
                peers.append((place, node.accept()))
        for place, peer in peers:
            peer.read()
            if b"\r\n\r\n" in peer.got:
                peer.head()
                peer.send(BUSY)
                asked.append(place)
        client.read()
        return b"busy" in client.got

    world.until(look)
    return asked


@pytest.mark.parametrize("kind", [LbPolicy.RING_HASH, LbPolicy.MAGLEV])
def test_a_hash_stays_at_its_host_without_a_predicate(worlds, kind):
    settings = {"hash_policies": (HeaderHashPolicy("x-sid"),)}
    world = worlds(3, route=policy("5xx", retries=3) | settings, cluster={"lb_policy": kind})
    asked = answering(world, world.client().send(get("/", "x-sid: a")))
    assert (len(asked), len(set(asked))) == (4, 1)


@pytest.mark.parametrize("kind", [LbPolicy.RING_HASH, LbPolicy.MAGLEV, LbPolicy.ROUND_ROBIN])
def test_previous_hosts_are_avoided(worlds, kind):
    found = policy("5xx", retries=2, avoids_previous_hosts=True, host_selection_retry_max_attempts=1000)
    world = worlds(3, route=found | {"hash_policies": (HeaderHashPolicy("x-sid"),)}, cluster={"lb_policy": kind})
    assert sorted(answering(world, world.client().send(get("/", "x-sid: a")))) == [0, 1, 2]


def session(world: World) -> tuple[Peer, int, Peer]:
    """A client, the place of the host that has its session, and that host's connection."""
    client = world.client().send(get(OPENING))
    world.until(lambda: any(node.is_asked() for node in world.nodes))
    place = next(place for place, node in enumerate(world.nodes) if node.is_asked())
    node = world.nodes[place].accept()
    node.head()
    node.send(ok(OPEN))
    assert client.response() == (200, OPEN)
    world.settle()
    return client, place, node


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_poll_that_a_node_may_have_seen_is_never_sent_again(worlds, method):
    world = worlds(2, route=policy("5xx", "reset", "retriable-status-codes", retries=5))
    client, _, node = session(world)
    request = get(POLL, "content-length: 1", method=method) + b"3"
    client.send(request)
    busy(node)
    assert node.take(1) == b"3"
    assert client.response() == (503, b"busy")
    client.send(request)
    node.head()
    node.close()
    assert client.response() == (503, PREFIX + b"reset reason: connection termination")
    assert counts(world, "", "_reused_cx") == [0, 0]
    assert not any(each.is_asked() for each in world.nodes)


def test_a_session_is_looked_for_at_its_own_host_only(worlds):
    """Its node refuses connections: the tries go there, and then the session is lost."""
    world = worlds(2, route=policy("connect-failure", retries=2, avoids_previous_hosts=True))
    client, place, node = session(world)
    world.nodes[place].stop()
    node.close()
    world.settle()
    client.send(get(POLL))
    status, body = client.response()
    assert (status, b"Session ID unknown" in body) == (400, True)
    assert world.host(place)["cx_connect_fail"] == 3
    assert world.host(1 - place)["rq_total"] == 0


def test_other_requests_of_a_session_are_tried_again_at_its_host(worlds):
    found = policy("5xx", retries=2, avoids_previous_hosts=True, host_selection_retry_max_attempts=9)
    world = worlds(2, route=found, manager={"affinity": SessionAffinity(protocols=(MCP,))})
    client = world.client().send(get("/mcp", "content-length: 2", method="POST") + b"{}")
    world.until(lambda: any(node.is_asked() for node in world.nodes))
    own = next(node for node in world.nodes if node.is_asked())
    node = own.accept()
    node.head()
    assert node.take(2) == b"{}"
    node.send(ok(b"", "mcp-session-id: 0123456789abcdef"))
    assert client.response() == (200, b"")
    client.send(get("/mcp", "mcp-session-id: 0123456789abcdef"))
    busy(node)
    busy(node)
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert counts(world, "", "_success") == [2, 1]


def test_a_poll_of_sockjs_is_never_sent_again(worlds):
    world = worlds(route=policy("5xx", "reset"), manager={"affinity": SessionAffinity(protocols=(SOCKJS,))})
    client, node = world.ask(get("/echo/000/abcdefgh/xhr", method="POST"))
    busy(node)
    assert client.response() == (503, b"busy")
    assert counts(world, "") == [0]


def test_a_question_has_rules_of_its_own(worlds):
    """Whoever takes it has answered it."""
    world = worlds(2, route=policy("5xx", "reset", retries=5))
    client = world.client().send(get(POLL))
    world.until(lambda: any(node.is_asked() for node in world.nodes))
    asked = next(node for node in world.nodes if node.is_asked())
    busy(asked.accept())
    assert client.response() == (503, b"busy")
    assert counts(world, "") == [0]


def test_a_handshake_is_tried_again_until_it_is_answered(worlds):
    world = worlds(route=policy("5xx"))
    client, node = world.ask(handshake("/ws"))
    busy(node)
    node.head()
    node.send(switching())
    assert client.head().startswith(b"HTTP/1.1 101 ")
    node.close()
    client.end()
    assert counts(world, "", "_success") == [1, 1]


def test_a_policy_leaves_other_requests_alone(worlds):
    """Those that do not match `retriable_request_headers`."""
    world = worlds(route=policy("5xx", retriable_request_headers=(HeaderMatcher("x-may"),)))
    client, node = world.ask(get())
    busy(node)
    assert client.response() == (503, b"busy")
    client.send(get("/", "x-may: 1"))
    busy(node)
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_a_policy_does_not_keep_a_request_that_the_reused_connection_needs(worlds):
    """The closed connection comes first, and costs no retry."""
    world = worlds(route=policy("reset", retries=0))
    client, node = world.ask(get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    world.settle()
    cross(client, node, get("/next"))
    other = world.nodes[0].accept()
    other.head()
    other.send(ok())
    assert client.response() == (200, b"hello")
    assert counts(world, "", "_reused_cx", "_limit_exceeded") == [0, 1, 0]


def counted(world: World, **fields: Any) -> World:
    manager = world.configuration.listeners[0].filter
    assert isinstance(manager, HttpConnectionManager)
    (host,) = manager.route_config.virtual_hosts
    routes = replace(manager.route_config, virtual_hosts=(replace(host, **fields),))
    listener = replace(world.configuration.listeners[0], filter=replace(manager, route_config=routes))
    world.reload(replace(world.configuration, listeners=(listener,)))
    return world


def test_attempts_are_counted_for_both_sides(worlds):
    world = worlds(route=policy("5xx", retries=10))
    counted(world, include_request_attempt_count=True, include_attempt_count_in_response=True)
    client, node = world.ask(get("/", "x-envoy-attempt-count: 77"))
    heads = [busy(node) for _ in range(10)]
    heads.append(node.head())
    node.send(ok(b"hello", "x-envoy-attempt-count: 99"))
    said = [[line for line in head.split(b"\r\n") if b"attempt" in line] for head in heads]
    assert said == [[b"x-envoy-attempt-count: %d" % number] for number in range(1, 12)]
    answer = client.head()
    assert [line for line in answer.split(b"\r\n") if b"attempt" in line] == [b"x-envoy-attempt-count: 11"]
    assert client.take(5) == b"hello"


def test_attempts_are_counted_in_an_answer_of_our_own(worlds):
    world = worlds(route=policy("connect-failure"))
    counted(world, include_attempt_count_in_response=True)
    world.nodes[0].stop()
    head = world.client().send(get()).head()
    assert b"\r\nx-envoy-attempt-count: 2\r\ncontent-length: 121\r\n" in head
