"""Nodes that refuse, stall, end in the middle and answer 503, and what comes of it under a retry policy."""

import contextlib
import select
from typing import Any

import pytest

from tests.support.adversary import Peer
from tests.support.processes import free_port, wait_until
from tests.support.proxies import Json, World, Worlds, cluster, route

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nx-busy: 1\r\ncontent-length: 0\r\n\r\n"
PREFIX = b"upstream connect error or disconnect/reset before headers. "
RETRIED = PREFIX + b"retried and the latest reset reason: "
BACK_OFF = {"base_interval": "0.001s", "max_interval": "0.001s"}
REPEATS = pytest.mark.departure("Envoy answers 503 when a kept connection is closed under a request")


def retrying(path: str, words: str, name: str = "backend", timeout: str = "5s", **policy: Any) -> Json:
    """A route that retries for these reasons."""
    fields = {"retry_on": words, "retry_back_off": BACK_OFF, **policy}
    return route(path, name, timeout=timeout, retry_policy=fields)


@pytest.fixture(scope="module")
def world(worlds: Worlds) -> World:
    routes = [
        retrying("/5xx", "5xx", num_retries=2),
        retrying("/reset", "reset"),
        retrying("/refused", "connect-failure", "refused", num_retries=2),
        retrying("/slow", "gateway-error", timeout="30s", num_retries=200, per_try_timeout="0.05s"),
        retrying("/never", "gateway-error", per_try_timeout="0.05s"),
        retrying("/header", "retriable-headers", retriable_headers=[{"name": "x-again"}]),
        {**retrying("/small", "5xx"), "per_request_buffer_limit_bytes": 4},
        retrying("/code", "retriable-status-codes", retriable_status_codes=[418]),
    ]
    started = worlds.start(routes=routes, clusters=[cluster("refused", [free_port()])])
    return started


def ask(world: World, path: str, body: bytes = b"") -> Peer:
    method = "POST" if body else "GET"
    length = f"content-length: {len(body)}\r\n" if body else ""
    return world.client() << f"{method} {path} HTTP/1.1\r\nhost: a\r\n{length}\r\n".encode() + body


def counted(world: World, name: str, before: dict[str, int]) -> int:
    full = f"cluster.backend.{name}"
    return world.proxy.stats()[full] - before[full]


def test_503_then_200(world: World) -> None:
    before = world.proxy.stats()
    client = ask(world, "/5xx", b"body")
    for answer in (BUSY, BUSY, OK):
        node = world.node.busy_peer()
        assert node.read_request().body == b"body"
        node << answer
    assert client.read_response().status == 200
    wait_until(lambda: counted(world, "upstream_rq_retry_success", before) == 1, "it was a success")
    assert counted(world, "upstream_rq_retry", before) == 2


def test_503_to_the_end(world: World) -> None:
    before = world.proxy.stats()
    client = ask(world, "/5xx")
    for _ in range(3):
        node = world.node.busy_peer()
        node.read_request()
        node << BUSY
    assert client.read_response().head.get(b"x-busy") == b"1"
    wait_until(lambda: counted(world, "upstream_rq_retry_limit_exceeded", before) == 1, "there was no retry left")


@pytest.mark.parametrize("status", [b"418 I'm a teapot", b"200 OK"])
def test_codes_and_headers(world: World, status: bytes) -> None:
    client = ask(world, "/code" if status.startswith(b"418") else "/header")
    node = world.node.busy_peer()
    node.read_request()
    node << b"HTTP/1.1 " + status + b"\r\nx-again: yes\r\ncontent-length: 0\r\n\r\n"
    node = world.node.busy_peer()
    node.read_request()
    node << OK
    assert client.read_response().body == b"ok"


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nx-a: "])
def test_a_node_that_resets(world: World, begun: bytes) -> None:
    client = ask(world, "/reset")
    for answer in (begun, OK):
        node = world.node.accept()
        node.read_request()
        node << answer
        if answer is begun:
            node.reset()
    assert client.read_response().body == b"ok"


def test_a_node_that_closes_at_once(world: World) -> None:
    client = ask(world, "/reset")
    world.node.accept().close()
    world.node.accept().close()
    response = client.read_response()
    assert (response.status, response.body) == (503, RETRIED + b"connection termination")


def test_nobody_listens(world: World) -> None:
    response = ask(world, "/refused").read_response()
    assert (response.status, response.body) == (503, RETRIED + b"remote connection failure")
    assert world.proxy.stats()["cluster.refused.upstream_cx_connect_fail"] == 3


def test_a_node_that_stalls(world: World) -> None:
    before = world.proxy.stats()
    client = ask(world, "/slow")
    world.node.accept().read_request()
    while client.socket not in select.select([client.socket, world.node.listener], [], [])[0]:
        answer_a_try(world)
    assert client.read_response().body == b"ok"
    assert counted(world, "upstream_rq_per_try_timeout", before) >= 1


def answer_a_try(world: World) -> None:
    """In time, or so late that there is another one."""
    node = world.node.accept()
    with contextlib.suppress(OSError):
        node.read_request()
        node << OK


def test_a_node_that_always_stalls(world: World) -> None:
    client = ask(world, "/never")
    for _ in range(2):
        world.node.accept().read_request()
    response = client.read_response()
    assert (response.status, response.body) == (504, b"upstream request timeout")


def test_what_is_not_kept_is_not_sent_again(world: World) -> None:
    before = world.proxy.stats()
    client = ask(world, "/small", b"too large")
    node = world.node.accept()
    node.read_request()
    node << BUSY
    assert client.read_response().status == 503
    assert counted(world, "retry_or_shadow_abandoned", before) == 1


def test_an_answer_that_has_begun_is_not_asked_for_again(world: World) -> None:
    client = ask(world, "/reset")
    node = world.node.accept()
    node.read_request()
    node << b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"
    assert client.read_head().status == 200
    assert client.read_exactly(4) == b"half"
    node.reset()
    client.assert_ended()


@REPEATS
def test_a_kept_connection_that_closes_under_a_request(world: World) -> None:
    client = ask(world, "/plain")
    node = world.node.accept()
    node.read_request()
    node << OK
    assert client.read_response().body == b"ok"
    client << b"GET /plain HTTP/1.1\r\nhost: a\r\n\r\n"
    node.read_request()
    node.close()
    node = world.node.accept()
    node.read_request()
    node << OK
    assert client.read_response().body == b"ok"
    assert world.proxy.stats()["cluster.backend.upstream_rq_retry_reused_cx"] == 1
