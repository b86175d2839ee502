"""A node that does not switch protocols gives an ordinary response; a switch that is none is not believed."""

import pytest

from tests.support.proxies import World, Worlds, route
from tests.support.websocket import KEY, handshake, new_key, switching, tunnel, upgrade_seen

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
PROTOCOL_ERROR = b"upstream connect error or disconnect/reset before headers. reset reason: protocol error"
LIVES_ON = "Envoy closes the connection after a refused upgrade"


def assert_lives_on(world: World) -> None:
    """On the client's connection another handshake succeeds."""
    client = world.clients[-1] << handshake()
    node = world.node.busy_peer()
    assert upgrade_seen(node.read_head())
    node << switching() + b"hi"
    assert client.read_head().status == 101
    client >> b"hi"


@pytest.mark.parametrize(
    ("status", "framed"),
    [
        (b"200 OK", b"content-length: 6\r\n\r\nrefuse"),
        (b"200 OK", b"transfer-encoding: chunked\r\n\r\n6\r\nrefuse\r\n0\r\n\r\n"),
        (b"400 Bad Request", b"content-length: 6\r\n\r\nrefuse"),
        (b"403 Forbidden", b"transfer-encoding: chunked\r\n\r\n6\r\nrefuse\r\n0\r\n\r\n"),
        (b"503 Service Unavailable", b"content-length: 6\r\n\r\nrefuse"),
        (b"302 Found", b"location: /\r\ncontent-length: 6\r\n\r\nrefuse"),
    ],
)
@pytest.mark.departure(LIVES_ON)
def test_ordinary_response(world: World, how: str, status: bytes, framed: bytes) -> None:
    client = world.client() << handshake()
    node = world.node.accept()
    node.read_head()
    node.send_cut(b"HTTP/1.1 " + status + b"\r\n" + framed, how)
    response = client.read_response()
    assert (response.head.start, response.body) == (b"HTTP/1.1 " + status, b"refuse")
    assert response.head.get(b"connection") is None
    assert_lives_on(world)


@pytest.mark.parametrize("status", [400, 403, 503])
def test_status_and_body_pass(world: World, status: int) -> None:
    """What both agree on: the client is told why."""
    client = world.client() << handshake()
    node = world.node.accept()
    node.read_head()
    node << b"HTTP/1.1 %d x\r\ncontent-length: 6\r\n\r\nrefuse" % status
    response = client.read_response()
    assert (response.status, response.body) == (status, b"refuse")


@pytest.mark.departure(LIVES_ON)
def test_refusal_until_close(world: World) -> None:
    client = world.client() << handshake()
    node = world.node.accept()
    node.read_head()
    node << b"HTTP/1.1 400 Bad Request\r\n\r\nrefuse"
    node.close()
    response = client.read_response()
    assert (response.status, response.body) == (400, b"refuse")
    assert_lives_on(world)


@pytest.mark.departure(LIVES_ON)
def test_informational_before_the_refusal(world: World) -> None:
    client = world.client() << handshake()
    node = world.node.accept()
    node.read_head()
    node << b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nno"
    response = client.read_response()
    assert (response.status, response.body) == (400, b"no")
    assert_lives_on(world)


@pytest.mark.departure(LIVES_ON)
def test_early_bytes_of_a_refused_upgrade_are_the_next_request(world: World) -> None:
    """A client that pipelined an ordinary request behind its handshake (RFC 9110, section 7.8) is answered."""
    client = world.client() << handshake() + b"GET /next HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_head()
    node << b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nno"
    assert client.read_response().body == b"no"
    node = world.node.busy_peer()
    assert node.read_request().head.target == b"/next"
    node << OK
    assert client.read_response().body == b"ok"


@pytest.fixture(scope="module")
def picky(worlds: Worlds) -> World:
    """Only the route /ws takes websockets."""
    off = [{"upgrade_type": "websocket", "enabled": False}]
    return worlds.start(routes=[route("/ws", "backend")], action={"upgrade_configs": off})


def test_route_without_websocket(picky: World, how: str) -> None:
    client = picky.client().send_cut(handshake(b"/other"), how)
    response = client.read_response()
    assert (response.head.start, response.body) == (b"HTTP/1.1 403 Forbidden", b"")
    assert response.head.get(b"connection") == b"close"
    client.assert_ended()
    picky.node.assert_untouched()


def test_ordinary_request_on_a_route_without_websocket(picky: World) -> None:
    client = picky.client() << b"GET /other HTTP/1.1\r\nhost: a\r\n\r\n"
    node = picky.node.accept()
    node.read_request()
    node << OK
    assert client.read_response().body == b"ok"


def test_route_with_websocket(picky: World) -> None:
    tunnel(picky)


@pytest.mark.parametrize("name", [b"foo", b"websocket, foo", b"foo, websocket"])
def test_other_protocols(world: World, name: bytes) -> None:
    client = world.client() << handshake().replace(b"Upgrade: websocket", b"Upgrade: " + name)
    assert client.read_response().status == 403
    world.node.assert_untouched()


def test_h2c_is_dropped(world: World) -> None:
    """An offer of HTTP/2 is ignored and the request goes on (RFC 9113 has no upgrade any more)."""
    client = world.client() << (
        b"GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n"
        b"http2-settings: AAMAAABk\r\n\r\n"
    )
    node = world.node.accept()
    head = node.read_request().head
    assert not head.all(b"upgrade")
    assert not head.all(b"connection")
    node << OK
    assert client.read_response().body == b"ok"


@pytest.mark.departure("Envoy passes any 101 on")
@pytest.mark.parametrize(
    "answer",
    [
        switching(new_key()),
        switching().replace(b"Sec-WebSocket-Accept", b"X-Other"),
        switching().replace(b"Upgrade: websocket\r\n", b""),
        switching().replace(b"Connection: Upgrade\r\n", b""),
        switching().replace(b"Upgrade: websocket\r\n", b"Upgrade: foo\r\n"),
    ],
    ids=["another key", "no accept", "no upgrade", "no connection", "another protocol"],
)
def test_switch_that_does_not_answer_the_handshake(world: World, answer: bytes) -> None:
    client = world.client() << handshake()
    node = world.node.accept()
    assert node.read_head().get(b"sec-websocket-key") == KEY
    node << answer
    response = client.read_response()
    assert (response.status, response.body) == (502, PROTOCOL_ERROR)
    assert node.read_to_end() == b""


def test_switch_with_a_transfer_coding(world: World) -> None:
    client = world.client() << handshake()
    node = world.node.accept()
    node.read_head()
    node << switching(more=b"Transfer-Encoding: chunked\r\n")
    assert client.read_response().status == 502


@pytest.mark.departure("Envoy passes any 101 on")
def test_switch_nobody_asked_for(world: World) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node << switching() + b"evil"
    response = client.read_response()
    assert (response.status, response.body) == (502, PROTOCOL_ERROR)
    assert node.read_to_end() == b""
    client << b"GET /next HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node << OK
    assert client.read_response().body == b"ok"


def test_node_that_leaves_instead_of_answering(world: World) -> None:
    client = world.client() << handshake()
    node = world.node.accept()
    node.read_head()
    node.close()
    assert client.read_response().status == 503
