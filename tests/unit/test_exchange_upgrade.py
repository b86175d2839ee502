"""From an exchange to a tunnel: the 101, bytes right behind it on either side, and upgrades that are refused."""

import pytest

from tests.unit.engine_world import Peer, World, field, get, handshake, ok, switching


def tunnel(world: World) -> tuple[Peer, Peer]:
    client, node = world.ask(handshake())
    node.head()
    node.send(switching())
    assert client.head().startswith(b"HTTP/1.1 101 ")
    return client, node


def test_a_tunnel(world):
    client, node = tunnel(world)
    assert (world.engine.exchanges, world.engine.tunnels) == (0, 1)
    client.send(b"ping")
    assert node.take(4) == b"ping"
    node.send(b"pong")
    assert client.take(4) == b"pong"
    assert world.count("downstream_cx_upgrades_total") == 1


def test_bytes_behind_the_handshake_and_behind_the_101(world):
    client, node = world.ask(handshake() + b"early client")
    node.head()
    node.send(switching() + b"early node")
    client.head()
    assert client.take(10) == b"early node"
    assert node.take(12) == b"early client"


def test_nothing_behind_the_handshake_is_sent_before_the_101(world):
    client, node = world.ask(handshake() + b"early")
    node.head()
    world.settle()
    node.read()
    assert node.got == b""
    node.send(ok(b"no upgrade today", "connection: close"))
    assert client.response() == (200, b"no upgrade today")


@pytest.mark.parametrize("cut", [1, 12, 40, 100, 128])
def test_a_101_cut_anywhere(world, cut):
    client, node = world.ask(handshake())
    node.head()
    data = switching() + b"early"
    node.send(data[:cut])
    world.settle()
    node.send(data[cut:])
    client.head()
    assert client.take(5) == b"early"
    client.send(b"x")
    assert node.take(1) == b"x"


@pytest.mark.parametrize("status", [200, 400, 403, 503])
def test_a_refused_upgrade_is_an_answer_and_the_connection_lives_on(world, status):
    client, node = world.ask(handshake())
    node.head()
    node.send(b"HTTP/1.1 %d No\r\ncontent-length: 2\r\n\r\nno" % status)
    assert client.response() == (status, b"no")
    client.send(handshake())
    node.head()
    node.send(switching())
    assert client.head().startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"s3pPLM", b"AAAAAA"), (b"upgrade: websocket", b"upgrade: h2c"), (b"connection: Upgrade", b"connection: close")],
)
def test_a_101_that_does_not_answer_is_garbage(world, old, new):
    client, node = world.ask(handshake())
    node.head()
    node.send(switching().replace(old, new) + b"bytes")
    assert client.response()[0] == 502
    node.end()


def test_a_route_without_websockets(worlds):
    world = worlds(route={"allow_websocket": False})
    client = world.client().send(handshake())
    assert client.response() == (403, b"")
    assert world.count("downstream_rq_ws_on_non_ws_route") == 1
    assert not world.nodes[0].is_asked()


@pytest.mark.parametrize(
    "request_head",
    [
        get("/", "connection: upgrade", "upgrade: websocket"),
        handshake("/", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="),
    ],
)
def test_handshakes_that_are_none(world, request_head):
    client = world.client().send(request_head)
    assert client.response() == (400, b"Bad Request")
    assert not world.nodes[0].is_asked()


def test_a_handshake_with_a_length(world):
    """What follows it is the tunnel's; when there is none, nobody can tell what it was, and the connection ends."""
    client, node = world.ask(handshake("/", "content-length: 5") + b"hello")
    assert b"content-length" not in node.head()
    node.send(switching())
    client.head()
    assert node.take(5) == b"hello"
    client, node = world.ask(handshake("/", "content-length: 5") + get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert client.end() == b""


def test_upgrade_alone_is_a_plain_request(world):
    client, node = world.ask(get("/", "upgrade-insecure-requests: 1", "connection: keep-alive"))
    assert field(node.head(), b"upgrade-insecure-requests") == b"1"
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_counters_of_a_tunnel(world):
    client, node = tunnel(world)
    client.send(b"abc")
    node.take(3)
    client.close()
    node.end()
    node.close()
    world.until(lambda: world.engine.tunnels == 0)
    assert world.count("downstream_rq_1xx") == 1
    assert world.count("downstream_rq_completed") == 1
    assert world.count("upstream_rq_completed") == 1
    assert world.host(0)["rq_success"] == 1
