"""What is kept of a request, and what its headers ask for, is seen in what is sent again."""

from typing import Any

import pytest

from fastproxy.model_routes import RetryPolicy
from tests.unit.engine_world import field, get, ok

FAST: dict[str, Any] = {"back_off_base_s": 0.001, "back_off_max_s": 0.001}
BUSY = b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy"
INTERNAL = ("x-forwarded-for: 10.0.0.1",)
MANAGER = {"internal_addresses": ("10.0.0.0/8",)}


def tries(world, request: bytes, count: int) -> list[bytes]:
    """The heads of the tries, all but the last answered 503."""
    client = world.client().send(request)
    node = world.nodes[0].accept()
    heads = [node.head()]
    for _ in range(count - 1):
        node.send(BUSY)
        heads.append(node.head())
    node.send(ok())
    assert client.response() == (200, b"hello")
    return heads


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        (("x-envoy-retry-on: 5xx",), 2),
        (("x-envoy-retry-on: gateway-error", "x-envoy-max-retries: 3"), 4),
        (("x-envoy-retry-on: retriable-status-codes", "x-envoy-retriable-status-codes: 418, 503"), 2),
        (("x-envoy-retry-on: retriable-headers", "x-envoy-retriable-header-names: x-no, Content-Length"), 2),
    ],
)
def test_headers_of_an_internal_request(worlds, lines, count):
    world = worlds(route={"retry_policy": RetryPolicy(**FAST), "timeout_s": None}, manager=MANAGER)
    if "retriable-headers" in lines[0]:
        client = world.client().send(get("/", *INTERNAL, *lines))
        node = world.nodes[0].accept()
        node.head()
        node.send(BUSY)
        node.head()
        node.send(BUSY)
        assert client.response() == (503, b"busy")
        return
    heads = tries(world, get("/", *INTERNAL, *lines), count)
    assert b"x-envoy-retry-on" not in heads[0]
    assert heads[0] == heads[-1]


def test_an_external_request_may_not_ask(worlds):
    world = worlds(manager=MANAGER)
    client = world.client().send(get("/", "x-forwarded-for: 8.8.8.8", "x-envoy-retry-on: 5xx"))
    node = world.nodes[0].accept()
    node.head()
    node.send(BUSY)
    assert client.response() == (503, b"busy")


def test_a_number_that_is_none_says_nothing(worlds):
    world = worlds(route={"retry_policy": RetryPolicy(("5xx",), 2, **FAST)}, manager=MANAGER)
    tries(world, get("/", *INTERNAL, "x-envoy-max-retries: many"), 3)


def test_the_time_that_is_left_is_said_anew(worlds):
    """`x-envoy-expected-rq-timeout-ms` is what one try has, or what is left of the route's timeout."""
    world = worlds(route={"timeout_s": 20, "retry_policy": RetryPolicy(("5xx",), 1, 5.0, **FAST)})
    heads = tries(world, get(), 2)
    assert [field(head, b"x-envoy-expected-rq-timeout-ms") for head in heads] == [b"5000", b"5000"]
    world = worlds(route={"timeout_s": 20, "retry_policy": RetryPolicy(("5xx",), 1, **FAST)})
    first, second = [int(field(head, b"x-envoy-expected-rq-timeout-ms") or 0) for head in tries(world, get(), 2)]
    assert first == 20000
    assert 10000 < second < 20000


def test_what_a_client_says_of_attempts_is_not_changed_in_a_body(worlds):
    world = worlds(route={"retry_policy": RetryPolicy(("5xx",), 1, **FAST)})
    body = b"\r\nx-envoy-attempt-count: 7\r\n\r\n"
    client = world.client().send(get("/", f"content-length: {len(body)}", method="POST") + body)
    node = world.nodes[0].accept()
    for answer in (BUSY, ok()):
        node.head()
        assert node.take(len(body)) == body
        node.send(answer)
    assert client.response() == (200, b"hello")
