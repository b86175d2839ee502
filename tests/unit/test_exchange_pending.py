"""Circuit breakers: requests that wait for a connection, and those that are answered because there is no place."""

from contextlib import suppress
from dataclasses import replace

import pytest

from fastproxy.model import (
    AccessLog,
    Address,
    CircuitBreakers,
    Departures,
    Listener,
    TcpCluster,
    TcpProxy,
    Thresholds,
)
from fastproxy.runtime import Runtime
from tests.support.punctual import punctual, within
from tests.unit.engine_world import KEY, Peer, World, field, get, handshake, ok, switching

OVERFLOW = (503, b"upstream connect error or disconnect/reset before headers. reset reason: overflow")
TIMEOUT = (504, b"upstream request timeout")


@pytest.fixture
def limited(worlds):
    """`limited(nodes, max_connections=1, ...)` makes a world whose default priority has these thresholds."""

    def make(nodes: int = 1, *, settings=None, **thresholds) -> World:
        breakers = CircuitBreakers(Thresholds(**thresholds))
        settings = settings or {}
        cluster = {"circuit_breakers": breakers, **settings.pop("cluster", {})}
        return worlds(nodes, cluster=cluster, **settings)

    return make


def waiting(world: World, *requests: bytes) -> list[Peer]:
    """Clients whose requests wait, one after another."""
    before = world.count("upstream_rq_pending_active")
    clients = []
    for number, request in enumerate(requests, before + 1):
        clients.append(world.client().send(request))
        world.until(lambda: world.count("upstream_rq_pending_active") == number)  # noqa: B023
    return clients


def answered(node: Peer, path: bytes = b"/", *lines: str) -> None:
    """Have the node answer the next request that it got, which is for this path."""
    assert node.head().split()[1] == path
    node.send(ok(path, *lines))


def test_a_request_waits_for_a_connection(limited):
    world = limited(max_connections=1)
    first, node = world.ask(get("/1"))
    second, third = waiting(world, get("/2"), get("/3"))
    assert world.host(0)["rq_pending_active"] == 2
    assert world.count("upstream_rq_active") == 1
    for client, path in ((first, b"/1"), (second, b"/2"), (third, b"/3")):
        answered(node, path)
        assert client.response() == (200, path)
    assert world.count("upstream_cx_total") == 1
    assert world.count("upstream_cx_overflow") == 2
    assert world.count("upstream_rq_pending_total") == 3
    assert world.count("upstream_rq_pending_overflow") == 0


def test_nobody_passes_those_who_wait(limited):
    world = limited(max_connections=1)
    first, node = world.ask(get("/1"))
    (second,) = waiting(world, get("/2"))
    answered(node, b"/1")
    third = world.client().send(get("/3"))  # comes while the connection is just free
    answered(node, b"/2")
    answered(node, b"/3")
    assert [client.response() for client in (first, second, third)] == [(200, b"/1"), (200, b"/2"), (200, b"/3")]


def test_a_connection_that_closes_makes_room(limited):
    world = limited(max_connections=1)
    first, node = world.ask(get("/1"))
    (second,) = waiting(world, get("/2"))
    answered(node, b"/1", "connection: close")
    assert first.response() == (200, b"/1")
    answered(world.nodes[0].accept(), b"/2")
    assert second.response() == (200, b"/2")
    assert world.count("upstream_cx_total") == 2


def test_so_many_may_wait(limited):
    world = limited(max_connections=1, max_pending_requests=1)
    first, node = world.ask(get("/1"))
    (second,) = waiting(world, get("/2"))
    third = world.client().send(get("/3"))
    head = third.head()
    assert field(head, b"x-envoy-overloaded") == b"true"
    assert head.split()[1] == b"503"
    assert third.take(len(OVERFLOW[1])) == OVERFLOW[1]
    assert world.count("upstream_rq_pending_overflow") == 1
    third.send(get("/4"))
    assert third.response() == OVERFLOW
    for client, path in ((first, b"/1"), (second, b"/2")):
        answered(node, path)
        assert client.response() == (200, path)


def test_a_request_that_needs_a_connection_waits_for_that(limited):
    """As in Envoy: where nobody may wait, nobody can be connected for."""
    world = limited(max_pending_requests=0)
    assert world.client().send(get()).response() == OVERFLOW
    assert world.count("upstream_cx_total") == 0


def test_so_many_may_be_under_way(limited):
    world = limited(max_requests=1)
    first, node = world.ask(get("/1"))
    second = world.client().send(get("/2") + get("/3"))
    assert [second.response(), second.response()] == [OVERFLOW, OVERFLOW]
    answered(node, b"/1")
    assert first.response() == (200, b"/1")
    first.send(get("/4"))
    answered(node, b"/4")
    assert first.response() == (200, b"/4")
    assert world.count("upstream_rq_active_overflow") == 2
    assert world.count("upstream_rq_pending_overflow") == 0


def test_a_request_that_waited_may_find_no_place(limited):
    world = limited(2, max_connections=1, max_requests=1)
    first, _ = world.ask(get("/1"))
    other = world.client().send(get("/2"))
    assert other.response() == OVERFLOW
    first.close()


def test_the_header_may_be_suppressed(limited):
    world = limited(max_requests=0, settings={"manager": {"suppress_envoy_headers": True}})
    assert b"x-envoy-overloaded" not in world.client().send(get()).head()


def test_what_the_log_says(limited, tmp_path):
    log = AccessLog(str(tmp_path / "log"), "%RESPONSE_FLAGS% %UPSTREAM_HOST% %UPSTREAM_CLUSTER%\n")
    world = limited(max_requests=1, max_pending_requests=0, settings={"manager": {"access_logs": (log,)}})
    assert world.client().send(get()).response() == OVERFLOW
    world.engine.flush_logs()
    assert (tmp_path / "log").read_text() == "UO - backend\n"


def test_room_at_another_host_serves_those_who_wait_here(limited):
    world = limited(2, max_connections=2)
    polls = [world.client().send(get()) for _ in range(2)]
    nodes = [node.accept() for node in world.nodes]
    third, fourth = waiting(world, get("/3"), get("/4"))  # one at each
    answered(nodes[1], b"/", "connection: close")
    assert polls[1].response() == (200, b"/")
    answered(world.nodes[1].accept(), b"/4")
    assert fourth.response() == (200, b"/4")
    answered(nodes[0])
    answered(nodes[0], b"/3")
    assert third.response() == (200, b"/3")


def test_a_websocket_holds_its_connection_and_its_request(limited):
    world = limited(max_connections=1, max_requests=1)
    client, node = world.ask(handshake())
    node.head()
    node.send(switching())
    client.head()
    assert world.client().send(get()).response() == OVERFLOW
    client.close()
    node.end()
    node.close()
    world.until(lambda: world.count("upstream_cx_active") == 0)
    again = world.client().send(get("/2"))
    answered(world.nodes[0].accept(), b"/2")
    assert again.response() == (200, b"/2")


def test_a_handshake_waits_as_any_request(limited):
    world = limited(max_connections=1)
    first, node = world.ask(get("/1"))
    (client,) = waiting(world, handshake("/ws"))
    answered(node, b"/1")
    assert first.response() == (200, b"/1")
    assert node.head().split()[1] == b"/ws"
    node.send(switching())
    assert client.head().split()[1] == b"101"
    client.send(b"to the node")
    assert node.take(11) == b"to the node"


@pytest.mark.parametrize("how", ["fin", "reset"])
def test_a_client_that_leaves_gives_its_place_up(limited, how):
    world = limited(max_connections=1, max_pending_requests=2)
    first, node = world.ask(get("/1"))
    second, third = waiting(world, get("/2"), get("/3"))
    second.close(reset=how == "reset")
    world.until(lambda: world.count("upstream_rq_pending_active") == 1)
    (fourth,) = waiting(world, get("/4"))
    for client, path in ((first, b"/1"), (third, b"/3"), (fourth, b"/4")):
        answered(node, path)
        assert client.response() == (200, path)
    assert world.count("upstream_rq_cancelled") == 1


@punctual
def test_the_route_s_timeout_holds_while_waiting(limited):
    world = limited(max_connections=1, settings={"route": {"timeout_s": 0.15, "timeout_is_set": True}})
    with within(0.15):
        tunnel, node = world.ask(handshake())
        node.head()
        node.send(switching())
        tunnel.head()
    assert world.client().send(get()).response() == TIMEOUT
    assert world.count("upstream_rq_timeout") == world.host(0)["rq_timeout"] == 1
    assert world.count("upstream_rq_pending_active") == 0


@pytest.mark.parametrize(
    ("fields", "counter", "status"),
    [
        ({"stream_idle_timeout_s": 0.15}, "downstream_rq_idle_timeout", 504),
        ({"max_stream_duration_s": 0.15}, "downstream_rq_max_duration_reached", 504),
        ({"request_timeout_s": 0.15}, "downstream_rq_timeout", 408),
    ],
)
def test_the_limits_of_an_exchange_hold_while_waiting(limited, fields, counter, status):
    world = limited(max_connections=1, settings={"manager": fields})
    body = "content-length: 5"
    first = world.client().send(get("/1", body, method="POST") + b"12345")
    node = world.nodes[0].accept()
    second = world.client().send(
        get("/2", body, method="POST") + (b"123" if "request_timeout_s" in fields else b"12345")
    )
    assert int(second.head().split()[1]) == status
    assert world.count(counter) >= 1
    first.close()
    node.close()


def test_a_body_is_read_no_further_while_its_request_waits(limited):
    world = limited(max_connections=1)
    first, node = world.ask(get("/1"))
    body = bytes(range(256)) * 40_000
    (second,) = waiting(world, get("/2", f"content-length: {len(body)}", method="POST"))
    second.sock.setblocking(False)
    sent = 0
    while True:
        world.settle()
        try:
            sent += second.sock.send(body[sent:])
        except BlockingIOError:
            break
    assert sent < len(body)
    answered(node, b"/1")
    assert first.response() == (200, b"/1")
    assert node.head().split()[1] == b"/2"
    arrived = b""
    while len(arrived) < len(body):
        with suppress(BlockingIOError):
            sent += second.sock.send(body[sent:])
        world.turn()
        node.read()
        arrived, node.got = arrived + node.got, b""
    assert arrived == body
    node.send(ok())
    assert second.response() == (200, b"hello")


def test_what_waits_is_connected_elsewhere_when_its_host_refuses(limited):
    world = limited(2, max_connections=1)
    first = world.client().send(get("/1"))
    node = world.nodes[0].accept()
    other = world.client().send(get("/2"))
    world.nodes[1].accept()
    (third,) = waiting(world, get("/3"))  # at the first host
    world.nodes[0].stop()
    answered(node, b"/1", "connection: close")
    assert first.response() == (200, b"/1")
    other.close()
    answered(world.nodes[1].accept(), b"/3")
    assert third.response() == (200, b"/3")


def test_what_waits_fails_with_the_last_connect(limited):
    world = limited(max_connections=1, settings={"manager": {"departures": Departures(connect_failover=False)}})
    first, node = world.ask(get("/1"))
    (second,) = waiting(world, get("/2"))
    world.nodes[0].stop()
    answered(node, b"/1", "connection: close")
    assert first.response() == (200, b"/1")
    assert second.response()[0] == 503
    assert world.count("upstream_rq_pending_failure_eject") + world.count("upstream_cx_connect_fail") >= 1


def test_room_that_another_worker_makes_is_found(limited):
    world = limited(2, max_connections=2)
    other = memoryview(bytearray(8 * len(world.row))).cast("Q")
    slots = dict(world.layout.named())
    other[slots["cluster.backend.upstream_cx_active"]] = 1
    world.runtime = Runtime(world.configuration, world.layout, world.row, world.sessions, KEY, None, [world.row, other])
    world.restart()
    tunnel = world.client().send(handshake())
    node = world.nodes[0].accept()
    node.head()
    node.send(switching())
    tunnel.head()
    second = world.client().send(handshake())
    world.nodes[1].accept().head()
    (third,) = waiting(world, get("/3"))  # behind the tunnel
    other[slots["cluster.backend.upstream_cx_active"]] = 0
    second.close()
    answered(world.nodes[0].accept(), b"/3")
    assert third.response() == (200, b"/3")


def test_another_configuration_lets_those_who_wait_go_on(limited):
    world = limited(max_connections=1)
    first, node = world.ask(get("/1"))
    (second,) = waiting(world, get("/2"))
    world.change(cluster={"circuit_breakers": CircuitBreakers(Thresholds(max_connections=2))})
    answered(world.nodes[0].accept(), b"/2")
    assert second.response() == (200, b"/2")
    answered(node, b"/1")
    assert first.response() == (200, b"/1")


def test_the_end_of_the_engine_ends_those_who_wait(limited):
    world = limited(max_connections=1)
    world.ask(get())
    clients = waiting(world, get(), get(), get())
    world.restart()
    assert [client.end() for client in clients] == [b"", b"", b""]


def test_a_tcp_proxy_s_client_is_closed(worlds, tmp_path):
    log = AccessLog(str(tmp_path / "log"), "%RESPONSE_FLAGS%\n")
    proxy = replace(TcpProxy("t", (TcpCluster("backend"),)), access_logs=(log,))
    world = worlds(
        configuration={"listeners": (Listener("main", Address("127.0.0.1", 1), proxy),)},
        cluster={"circuit_breakers": CircuitBreakers(Thresholds(max_connections=1))},
    )
    client = world.client().send(b"hello")
    node = world.nodes[0].accept()
    assert node.take(5) == b"hello"
    assert world.client().end() == b""
    assert world.count("upstream_cx_overflow") == 1
    world.engine.flush_logs()
    assert (tmp_path / "log").read_text() == "UO\n"
    client.close()
