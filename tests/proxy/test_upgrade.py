"""What is a websocket upgrade, and what passes through the proxy on its way to one."""

import pytest

from tests.support.proxies import World
from tests.support.websocket import KEY, accept_of, handshake, new_key, switching, tunnel, upgrade_seen

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

UPGRADES = [
    b"Connection: Upgrade\r\n",
    b"Connection: upgrade\r\n",
    b"CONNECTION: UPGRADE\r\n",
    b"Connection: keep-alive, Upgrade\r\n",
    b"Connection: keep-alive,Upgrade\r\n",
    b"Connection: Upgrade, keep-alive\r\n",
    b"Connection: keep-alive ,\tuPGRADE\r\n",
    b"Connection: keep-alive\r\nConnection: Upgrade\r\n",
    b"Connection: Upgrade\r\nX-Between: 1\r\nconnection: keep-alive\r\n",
    b"Connection: keep-alive, Upgrade, TE\r\nTE: trailers\r\n",
    b"Connection: close, Upgrade\r\n",
]


@pytest.mark.parametrize("connection", UPGRADES)
def test_is_an_upgrade(world: World, connection: bytes) -> None:
    client = world.client() << handshake(connection=connection)
    node = world.node.accept()
    assert upgrade_seen(node.read_head())
    node << switching()
    assert client.read_head().status == 101
    client << b"ping"
    node >> b"ping"
    node << b"pong"
    client >> b"pong"


@pytest.mark.parametrize("name", [b"websocket", b"WebSocket", b"WEBSOCKET"])
def test_case_of_the_upgrade_header(world: World, name: bytes) -> None:
    client = world.client() << handshake().replace(b"Upgrade: websocket", b"uPgrade: " + name)
    node = world.node.accept()
    assert node.read_head().get(b"upgrade") == name
    node << switching()
    assert client.read_head().status == 101


def test_handshake_in_pieces(world: World, how: str) -> None:
    client = world.client().send_cut(handshake(connection=b"Connection: keep-alive, Upgrade\r\n"), how)
    node = world.node.accept()
    assert upgrade_seen(node.read_head())
    node.send_cut(switching(), how)
    client >> switching(more=b"date: Sun, 22 Nov 2026 15:56:30 GMT\r\nserver: envoy\r\n").replace(
        b"Upgrade: websocket\r\nConnection", b"upgrade: websocket\r\nconnection"
    ).replace(b"Sec-WebSocket-Accept", b"sec-websocket-accept")


@pytest.mark.parametrize(
    "headers",
    [
        b"Upgrade-Insecure-Requests: 1\r\n",
        b"Connection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n",
        b"Connection: keep-alive, Upgrade-Insecure-Requests\r\nUpgrade: websocket\r\nUpgrade-Insecure-Requests: 1\r\n",
        b"Connection: upgraded\r\nUpgrade: websocket\r\n",
        b"Connection: x-upgrade\r\nUpgrade: websocket\r\n",
        b"Connection: up grade\r\nUpgrade: websocket\r\n",
        b"Upgrade: websocket\r\n",
        b"Connection: Upgrade\r\n",
    ],
)
def test_is_no_upgrade(world: World, headers: bytes) -> None:
    """An ordinary request: the node sees neither header, and the connection serves another one."""
    client = world.client()
    for _ in range(2):
        client << b"GET / HTTP/1.1\r\nhost: a\r\n" + headers + b"\r\n"
        node = world.node.busy_peer()
        head = node.read_request().head
        assert not head.all(b"upgrade")
        assert not head.all(b"connection")
        node << OK
        assert client.read_response().body == b"ok"


def test_handshake_at_the_node(world: World) -> None:
    """Everything of the handshake arrives, `connection` and `upgrade` as they were, and no framing is added."""
    sent = (
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: example.com\r\n"
        b"User-Agent: Mozilla/5.0\r\nAccept: */*\r\nSec-WebSocket-Version: 13\r\nOrigin: http://localhost:9002\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Key: " + KEY + b"\r\n"
        b"Sec-WebSocket-Protocol: a, b\r\nConnection: keep-alive, Upgrade\r\nCookie: io=abc\r\n"
        b"Pragma: no-cache\r\nCache-Control: no-cache\r\nUpgrade: websocket\r\n\r\n"
    )
    client = world.client() << sent
    node = world.node.accept()
    head, lines = b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n", sent.split(b"\r\n")[1:-2]
    names = (line.partition(b": ") for line in lines)
    node >> head + b"".join(name.lower() + b": " + value + b"\r\n" for name, _, value in names) + (
        b"x-forwarded-proto: http\r\nx-request-id: 00000000-0000-4000-8000-000000000000\r\n"
        b"x-envoy-expected-rq-timeout-ms: 15000\r\n\r\n"
    )
    node << switching()
    assert client.read_head().status == 101


@pytest.mark.parametrize("more", [b"", b"Transfer-Encoding: chunked\r\n"])
def test_no_framing_in_the_handshake(world: World, more: bytes) -> None:
    client = world.client() << handshake(more=more)
    node = world.node.accept()
    head = node.read_head()
    assert not head.all(b"transfer-encoding")
    assert not head.all(b"content-length")
    node << switching()
    assert client.read_head().status == 101


def test_switching_at_the_client(world: World) -> None:
    """The 101 keeps `upgrade` and `connection`, loses any length, and says nothing of a service time."""
    client = world.client() << handshake()
    node = world.node.accept()
    node.read_head()
    node << switching(more=b"Sec-WebSocket-Protocol: a\r\nContent-Length: 0\r\nServer: x\r\n")
    client >> (
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        b"sec-websocket-accept: " + accept_of(KEY) + b"\r\nsec-websocket-protocol: a\r\n"
        b"date: Sun, 22 Nov 2026 15:56:30 GMT\r\nserver: envoy\r\n\r\n"
    )


def test_upgrade_on_a_used_connection(world: World) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node << OK
    assert client.read_response().body == b"ok"
    client << handshake()
    node = world.node.busy_peer()
    assert upgrade_seen(node.read_head())
    node << switching() + b"hi"
    assert client.read_head().status == 101
    client >> b"hi"


def test_upgrade_pipelined_behind_a_request(world: World, how: str) -> None:
    client = world.client().send_cut(b"GET /first HTTP/1.1\r\nhost: a\r\n\r\n" + handshake() + b"early", how)
    node = world.node.accept()
    assert node.read_request().head.target == b"/first"
    node << OK
    assert client.read_response().body == b"ok"
    node = world.node.busy_peer()
    assert upgrade_seen(node.read_head())
    node << switching()
    assert client.read_head().status == 101
    node >> b"early"


def test_connection_of_a_tunnel_serves_nobody_else(world: World) -> None:
    client, node = tunnel(world)
    other = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    second = world.node.accept()
    second.read_request()
    second << OK
    assert other.read_response().body == b"ok"
    client.close()
    node.assert_ended()
    third = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    second.read_request()
    second << OK
    assert third.read_response().body == b"ok"


def test_many_tunnels_at_once(world: World) -> None:
    ends = [tunnel(world) for _ in range(20)]
    for number, (client, node) in enumerate(ends):
        client << b"c%02d" % number
        node << b"n%02d" % number
    for number, (client, node) in enumerate(ends):
        node >> b"c%02d" % number
        client >> b"n%02d" % number


def test_each_key_has_its_answer(world: World) -> None:
    for key in (new_key() for _ in range(5)):
        client = world.client() << handshake().replace(KEY, key)
        node = world.node.accept()
        assert node.read_head().get(b"sec-websocket-key") == key
        node << switching(key)
        assert client.read_head().get(b"sec-websocket-accept") == accept_of(key)
