"""Who asks for more than the limits allow, and what is answered."""

import pytest

from fastproxy.model import (
    ConcurrentTunnels,
    HeaderValue,
    LocalRateLimit,
    Rate,
    Route,
    RouteMatch,
    TokenBucket,
    TrafficLimits,
    TunnelLimits,
)
from fastproxy.model_affinity import IdPlace, IdSource
from fastproxy.model_routes import DirectResponse
from tests.support.websocket import frame
from tests.unit.engine_world import field, fill, get, handshake, ok, switching

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


POLL = "/socket.io/?EIO=4&transport=polling"
SOCKET = "/socket.io/?EIO=4&transport=websocket"


def sessions(handshakes=0, handshakes_per_address=0):
    """So many at once, and hardly another one."""
    return TrafficLimits(
        handshakes=Rate("all", 0.01, handshakes) if handshakes else None,
        handshakes_per_address=Rate("each", 0.01, handshakes_per_address) if handshakes_per_address else None,
    )


@pytest.mark.parametrize("scope", ["handshakes", "handshakes_per_address"])
def test_too_many_new_sessions(worlds, scope):
    world = worlds(route={"limits": sessions(**{scope: 2})})
    client = world.client()
    exchange(world, client, get(POLL))
    exchange(world, client, get(POLL))
    for request in (get(POLL), handshake(SOCKET)):
        client.send(request)
        head = client.head()
        assert head.startswith(b"HTTP/1.1 429")
        assert int(field(head, b"retry-after") or 0) in (99, 100)
        assert client.take(21) == b"too many new sessions"
    assert world.count("sid_handshake_limited") == 2
    assert not world.nodes[0].is_asked()


def test_sessions_that_are_there_and_other_requests_go_on(worlds):
    world = worlds(route={"limits": sessions(handshakes=1)})
    client = world.client()
    exchange(world, client, get(POLL))
    for request in (
        get(POLL + "&sid=abcdefghijklmnop"),
        get("/", "x: y"),
        get(POLL, method="OPTIONS"),
        b"POST " + POLL.encode() + b" HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx",
    ):
        exchange(world, client, request)
    assert world.count("sid_handshake_limited") == 0


def test_a_flood_of_one_address_does_not_take_from_all(worlds):
    """Of a trusted header: the test's own address is always the same."""
    limits = sessions(handshakes=3, handshakes_per_address=1)
    world = worlds(route={"limits": limits}, manager={"use_remote_address": True, "xff_num_trusted_hops": 1})
    client = world.client()
    exchange(world, client, get(POLL, "x-forwarded-for: 192.0.2.1"))
    for _ in range(5):
        assert client.send(get(POLL, "x-forwarded-for: 192.0.2.1")).response()[0] == 429
    exchange(world, client, get(POLL, "x-forwarded-for: 2001:db8:0:1::1"))
    assert client.send(get(POLL, "x-forwarded-for: 2001:db8:0:1::2")).response()[0] == 429
    exchange(world, client, get(POLL, "x-forwarded-for: 2001:db8:0:2::1"))
    assert client.send(get(POLL, "x-forwarded-for: 192.0.2.9")).response()[0] == 429  # all together have had three


def tunnel(world, request=None):
    client = world.client().send(request or handshake())
    node = world.nodes[0].accept()
    node.head()
    node.send(switching())
    assert client.head().startswith(b"HTTP/1.1 101")
    return client, node


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        (None, handshake(), None),
        (IdPlace(IdSource.HEADER, "x-user"), handshake("/", "x-user: a"), handshake("/", "x-user: b")),
        (IdPlace(IdSource.QUERY, "user"), handshake("/?user=a"), handshake("/?user=b")),
        (IdPlace(IdSource.COOKIE, "user"), handshake("/", "cookie: user=a"), handshake("/")),
    ],
)
def test_too_many_tunnels_of_one_key(worlds, key, one, other):
    world = worlds(route={"limits": TrafficLimits(concurrent_tunnels=ConcurrentTunnels("here", 1, key))})
    first, node = tunnel(world, one)
    late = world.client()
    assert late.send(one).response() == (429, b"too many tunnels")
    if other is not None:
        tunnel(world, other)
    exchange(world, late)  # what is no tunnel is not counted
    first.close()
    node.close()
    world.until(lambda: world.engine.tunnels == (other is not None))
    tunnel(world, one)
    assert world.count("tunnel_concurrent_limited") == 1


def free_again(world):
    """Open a tunnel as soon as there is a place for it."""
    client = world.client()
    client.send(handshake())
    world.until(lambda: (client.read() is None and bool(client.got)) or world.nodes[0].is_asked())
    assert not client.got
    node = world.nodes[0].accept()
    node.head()
    node.send(switching())
    client.head()


@pytest.fixture
def lonely(worlds):
    """One tunnel at a time is allowed."""
    return worlds(route={"limits": TrafficLimits(concurrent_tunnels=ConcurrentTunnels("here", 1))})


def test_a_node_that_has_ended_frees_the_place(lonely):
    """Its client may still read and speak, but has no part of the node any more."""
    client, node = tunnel(lonely)
    node.send(b"that was it").shut()
    assert client.end() == b"that was it"
    free_again(lonely)
    assert lonely.engine.tunnels == 2
    client.send(b"and this")
    assert node.take(8) == b"and this"


def test_a_client_that_has_ended_keeps_its_place_while_its_node_speaks(lonely):
    client, node = tunnel(lonely)
    client.shut()
    assert node.end() == b""
    node.send(b"more")
    assert client.take(4) == b"more"
    assert lonely.client().send(handshake()).response() == (429, b"too many tunnels")
    node.close()
    assert client.end() == b""
    lonely.until(lambda: lonely.engine.tunnels == 0)
    free_again(lonely)


def test_a_client_that_is_gone_frees_the_place_at_once(lonely):
    """Also while its node still takes what it had sent."""
    client, node = tunnel(lonely)
    data = fill(client)
    client.close(reset=True)
    lonely.settle()
    node.sock.recv(1 << 20)
    lonely.settle()
    free_again(lonely)
    assert lonely.engine.tunnels == 2
    assert len(node.end()) > len(data) - (2 << 20)


def test_a_handshake_that_fails_leaves_room(worlds):
    world = worlds(route={"limits": TrafficLimits(concurrent_tunnels=ConcurrentTunnels("here", 1))})
    client = world.client().send(handshake())
    node = world.nodes[0].accept()
    node.head()
    node.send(ok(b"no"))
    assert client.response() == (200, b"no")
    gone = world.client().send(handshake())
    world.nodes[0].accept().head() if world.nodes[0].is_asked() else node.head()
    gone.close()
    world.until(lambda: world.engine.exchanges == 0)
    node.close()
    tunnel(world)


def metered(**fields):
    return {"limits": TrafficLimits(tunnels=TunnelLimits(**fields))}


def test_a_tunnel_that_is_too_fast_is_read_later(worlds):
    world = worlds(route=metered(bytes_per_second=20_000, byte_burst=1000))
    client, node = tunnel(world)
    data = bytes(range(256)) * 12
    client.send(data)
    assert node.take(len(data)) == data
    assert world.count("tunnel_paused") >= 1
    node.send(b"x" * 100_000)  # the other direction has no limit
    assert client.take(100_000) == b"x" * 100_000


def test_messages_are_counted(worlds):
    world = worlds(route=metered(messages_per_second=100, message_burst=2))
    client, node = tunnel(world)
    data = frame(b"a", masked=True) * 6
    client.send(data)
    assert node.take(len(data)) == data
    assert world.count("tunnel_paused") >= 1


def test_a_paused_client_that_leaves_is_noticed(worlds):
    world = worlds(route=metered(bytes_per_second=5000, byte_burst=1))
    client, node = tunnel(world)
    client.send(b"x" * 1000)
    world.until(lambda: world.count("tunnel_paused") >= 1)
    client.close()
    assert node.end() == b"x" * 1000


def test_the_idle_timeout_runs_after_a_pause(worlds):
    world = worlds(route=metered(bytes_per_second=10_000, byte_burst=1), manager={"stream_idle_timeout_s": 0.2})
    client, node = tunnel(world)
    client.send(b"x" * 1000)
    assert node.take(1000)
    assert client.end() == b""
    assert world.count("downstream_rq_idle_timeout") == 1
    assert world.count("tunnel_paused") == 1


@pytest.mark.parametrize(
    ("limits", "sent", "close", "counter"),
    [
        ({"messages_per_second": 1, "message_burst": 1, "closes": True}, frame(b"a", masked=True) * 2,
         b"\x88\x0a\x03\xf0too fast", "tunnel_too_fast"),
        ({"max_message_bytes": 10}, frame(b"a" * 11, masked=True)[:8],
         b"\x88\x0b\x03\xf1too large", "tunnel_too_large"),
        ({"max_message_bytes": 10}, frame(b"a" * 6, final=False, masked=True) + frame(b"a" * 6, 0, masked=True),
         b"\x88\x0b\x03\xf1too large", "tunnel_too_large"),
    ],
    ids=["too fast", "too large", "too large in fragments"],
)  # fmt: skip
@pytest.mark.parametrize("when", ["later", "behind the handshake"])
def test_a_tunnel_that_is_cut(worlds, limits, sent, close, counter, when):
    world = worlds(route=metered(**limits))
    early = sent if when == "behind the handshake" else b""
    client, node = tunnel(world, handshake() + early)
    if not early:
        node.send(frame(b"before"))
        assert client.take(8) == frame(b"before")
        client.send(sent)
    assert client.end() == close
    assert node.end() == b""
    assert world.count(counter) == 1
    assert world.count("downstream_cx_upgrades_active") == 0


@pytest.mark.parametrize("limits", [{"max_message_bytes": 10}, {"messages_per_second": 1000}])
@pytest.mark.parametrize(
    "sent", [b"\x82\xff" + b"\xff" * 8, b"\x87\x81", b"\x80\x81"], ids=["length", "opcode", "continuation of nothing"]
)
def test_what_is_no_frame_evades_no_limit(worlds, limits, sent):
    """Where a message ends cannot be told behind it."""
    world = worlds(route=metered(**limits))
    client, node = tunnel(world)
    client.send(sent)
    assert client.end() == b"\x88\x0b\x03\xf1too large"
    assert node.end() == b""


def test_what_is_no_frame_passes_where_bytes_count(worlds):
    world = worlds(route=metered(bytes_per_second=1_000_000))
    client, node = tunnel(world)
    client.send(b"\x87\x81abc")
    assert node.take(5) == b"\x87\x81abc"
    client.close()
    assert node.end() == b""


def test_what_comes_behind_the_handshake_is_paid_for(worlds):
    world = worlds(route=metered(messages_per_second=50, message_burst=1))
    data = frame(b"a", masked=True) * 6
    _, node = tunnel(world, handshake() + data)
    assert node.take(len(data)) == data
    assert world.count("tunnel_paused") == 1


def test_no_close_frame_inside_a_frame_of_the_node(worlds):
    world = worlds(route=metered(max_message_bytes=10))
    client, node = tunnel(world)
    node.send(frame(b"half")[:4])
    assert client.take(4) == frame(b"half")[:4]
    client.send(frame(b"a" * 11, masked=True))
    assert client.end() == b""


def test_a_message_of_just_that_size(worlds):
    world = worlds(route=metered(max_message_bytes=10))
    client, node = tunnel(world)
    data = frame(b"a" * 10, masked=True) * 3
    client.send(data)
    assert node.take(len(data)) == data


def test_a_long_url(worlds):
    world = worlds(route={"limits": TrafficLimits(max_url_bytes=10)})
    client = world.client()
    exchange(world, client, get("/123456789"))
    assert client.send(get("/1234567890")).response() == (414, b"URI Too Long")
    assert world.count("downstream_rq_url_too_long") == 1
