"""Who asks for more than the limits allow, and what is answered."""

import pytest

from fastproxy.model import HeaderValue, LocalRateLimit, Route, RouteMatch, TokenBucket, TrafficLimits
from fastproxy.model_routes import DirectResponse
from tests.unit.engine_world import field, get, handshake, ok, switching

WHOLE = 1_000_000


def rate(tokens=1, **fields):
    shares = {"enabled": WHOLE, "enforced": WHOLE}
    return TrafficLimits(LocalRateLimit("p", "here", TokenBucket(tokens, 1, 1000.0), **shares | fields))


def exchange(world, client, request=None):
    """A request that reaches the node: what came to it."""
    client.send(request or get())
    node = world.nodes[0].accept()
    head = node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    node.close()
    return head


def test_beyond_the_rate(worlds):
    world = worlds(route={"limits": rate()})
    client = world.client()
    exchange(world, client)
    for _ in range(2):  # the connection goes on
        assert client.send(get()).response() == (429, b"local_rate_limited")
    assert not world.nodes[0].is_asked()
    assert world.statistics()["p.http_local_rate_limit.enforced"] == 2
    assert world.count("downstream_rq_4xx") == 2


def test_a_body_that_comes_with_it(worlds):
    """Nobody reads it, so the connection closes."""
    world = worlds(route={"limits": rate()})
    exchange(world, world.client())
    client = world.client().send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n")
    assert client.response()[0] == 429
    assert client.end() == b""


def test_an_upgrade_takes_a_token_too(worlds):
    world = worlds(route={"limits": rate()})
    client, node = world.ask(handshake())
    node.head()
    node.send(switching())
    assert client.head().startswith(b"HTTP/1.1 101")
    assert world.client().send(handshake()).response()[0] == 429


def test_headers(worlds):
    limits = rate(
        status=503,
        tells_clients=True,
        response_add=(HeaderValue("x-why", "%REQ(x-a)%"),),
    )
    world = worlds(route={"limits": limits})
    client = world.client()
    client.send(get())
    node = world.nodes[0].accept()
    node.head()
    node.send(ok())
    head = client.head()
    assert (field(head, b"x-ratelimit-limit"), field(head, b"x-ratelimit-remaining")) == (b"1", b"0")
    assert field(head, b"x-ratelimit-reset") == b"1000"
    assert field(head, b"x-why") is None
    client.take(5)
    client.send(get("/", "x-a: 7"))
    head = client.head()
    assert head.startswith(b"HTTP/1.1 503")
    assert (field(head, b"x-why"), field(head, b"x-ratelimit-remaining")) == (b"7", b"0")
    client.take(18)


def test_a_limit_that_is_not_enforced(worlds):
    limits = rate(enforced=0, request_add=(HeaderValue("x-over", "yes"),))
    world = worlds(route={"limits": limits})
    client = world.client()
    assert field(exchange(world, client), b"x-over") is None
    assert field(exchange(world, client), b"x-over") == b"yes"
    assert world.statistics()["p.http_local_rate_limit.rate_limited"] == 1


def test_without_a_route_the_managers_limit_holds(worlds):
    world = worlds(domains=("a",), manager={"limits": rate()})
    client = world.client()
    assert client.send(get()).response() == (404, b"")
    assert client.send(get()).response() == (429, b"local_rate_limited")
    assert world.count("no_route") == 1


def test_a_direct_response_is_limited_and_inherits(worlds):
    hello = Route(RouteMatch(prefix="/"), direct_response=DirectResponse(200, b"hi"))
    world = worlds(routes=(hello,), manager={"limits": rate()})
    client = world.client()
    assert client.send(get()).response() == (200, b"hi")
    assert client.send(get()).response()[0] == 429


def test_after_a_reload_the_bucket_has_what_was_left(worlds):
    world = worlds(route={"limits": rate(2)})
    exchange(world, world.client())
    world.change(route={"limits": rate(2), "timeout_s": 3.0})
    exchange(world, world.client())
    assert world.client().send(get()).response()[0] == 429
    world.change(route={"limits": rate(3)})  # another bucket, which is full
    exchange(world, world.client())


@pytest.mark.parametrize("body", [b"content-length: 11\r\n\r\n", b"content-length: 11\r\nexpect: 100-continue\r\n\r\n"])
def test_a_body_that_will_be_too_large_does_not_reach_a_node(worlds, body):
    world = worlds(route={"limits": TrafficLimits(max_request_bytes=10)})
    client = world.client().send(b"POST / HTTP/1.1\r\nhost: a\r\n" + body)
    assert client.response() == (413, b"Payload Too Large")
    assert client.end() == b""
    assert not world.nodes[0].is_asked()
    assert world.count("downstream_rq_too_large") == 1


def test_a_chunked_body_is_cut_where_it_becomes_too_large(worlds):
    world = worlds(route={"limits": TrafficLimits(max_request_bytes=10)})
    client, node = world.ask(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\na\r\n0123456789\r\n")
    client.send(b"1\r\nx\r\n0\r\n\r\n")
    assert client.response() == (413, b"Payload Too Large")
    assert b"x\r\n" not in node.end().partition(b"0123456789")[2]


def test_a_body_of_just_that_size(worlds):
    world = worlds(route={"limits": TrafficLimits(max_request_bytes=3)})
    request = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc"
    assert exchange(world, world.client(), request)
    chunked = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    assert exchange(world, world.client(), chunked)
