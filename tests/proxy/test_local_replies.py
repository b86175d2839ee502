"""What the proxy answers when no node does: Envoy's status, text and headers, and whether the connection lives on."""

from collections.abc import Iterator

import pytest

from tests.support.adversary import FullQueue, Peer
from tests.support.messages import Head, Message
from tests.support.processes import free_port
from tests.support.proxies import World, Worlds, cluster, route

REQUEST = b"GET /%b HTTP/1.1\r\nhost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
RESET = b"upstream connect error or disconnect/reset before headers. reset reason: "
LOCAL = b"date: Sun, 22 Nov 2026 15:56:30 GMT\r\nserver: envoy\r\n"


@pytest.fixture(scope="module")
def full_queue() -> Iterator[FullQueue]:
    queue = FullQueue()
    yield queue
    queue.close()


@pytest.fixture(scope="module")
def world(worlds: Worlds, full_queue: FullQueue) -> World:
    nobody = {"address": "nobody.invalid", "port_value": 80}
    load = {"endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": nobody}}}]}]}
    clusters = [
        cluster("refused", [free_port()]),
        cluster("timeout", [full_queue.port], connect_timeout="0.2s"),
        {**cluster("nobody", [], type="STRICT_DNS"), "load_assignment": {"cluster_name": "nobody", **load}},
    ]
    clusters += [{**clusters[-1], "name": "nobody-ring", "lb_policy": "RING_HASH"}]
    clusters[-1]["load_assignment"] = {"cluster_name": "nobody-ring", **load}
    routes = [route(f"/{each['name']}", each["name"]) for each in reversed(clusters)]
    return worlds.start(routes=routes, clusters=clusters, prefix="/live")


def assert_lives_on(world: World, client: Peer) -> None:
    client << REQUEST % b"live"
    node = world.node.busy_peer()
    assert node.read_request().head.target == b"/live"
    node << OK
    assert client.read_response().body == b"ok"


def assert_local(response: Message, start: bytes, body: bytes, extra: bytes = b"") -> None:
    """Status line, body and every header of a reply that the proxy made."""
    content = b"content-type: text/plain\r\n" if body else b""
    length = b"content-length: %d\r\n" % len(body)
    wanted = Head.parse(b"HTTP/1.1 " + start + b"\r\n" + LOCAL + content + length + extra + b"\r\n")
    assert response.body == body
    assert response.head.masked() == wanted.masked(), response.head


@pytest.mark.parametrize(
    ("path", "start", "body"),
    [
        (b"refused", b"503 Service Unavailable", RESET + b"remote connection failure"),
        (b"timeout", b"503 Service Unavailable", RESET + b"connection timeout"),
        (b"nobody", b"503 Service Unavailable", b"no healthy upstream"),
        (b"nobody-ring", b"503 Service Unavailable", b"no healthy upstream"),
    ],
)
def test_no_connection(world: World, path: bytes, start: bytes, body: bytes) -> None:
    client = world.client()
    for _ in range(2):
        client << REQUEST % path
        assert_local(client.read_response(), start, body)
    assert_lives_on(world, client)


def test_no_connection_for_a_body(world: World) -> None:
    client = world.client() << b"POST /refused HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"
    assert_local(client.read_response(), b"503 Service Unavailable", RESET + b"remote connection failure")


def test_no_connection_and_close(world: World) -> None:
    client = world.client() << b"GET /refused HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    body = RESET + b"remote connection failure"
    assert_local(client.read_response(), b"503 Service Unavailable", body, b"connection: close\r\n")
    client.assert_fin()


def test_head_request(world: World) -> None:
    client = world.client() << b"HEAD /refused HTTP/1.1\r\nhost: a\r\n\r\n"
    response = client.read_response(to="HEAD")
    assert (response.status, response.head.get(b"content-length")) == (503, b"98")
    assert_lives_on(world, client)


@pytest.mark.parametrize("end", [Peer.close, Peer.reset])
def test_node_ends_before_the_head(world: World, end) -> None:
    client = world.client() << REQUEST % b"live"
    node = world.node.accept()
    node.read_request()
    end(node)
    assert_local(client.read_response(), b"503 Service Unavailable", RESET + b"connection termination")
    assert_lives_on(world, client)


@pytest.mark.parametrize("end", [Peer.close, Peer.reset])
@pytest.mark.parametrize(
    ("part", "seen"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", b"half"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", b"4\r\nhalf\r\n"),
    ],
)
def test_node_ends_inside_the_body(world: World, part: bytes, seen: bytes, end) -> None:
    """What came is passed on, and the connection ends so that the client sees that something is missing."""
    client = world.client() << REQUEST % b"live"
    node = world.node.accept()
    node.read_request()
    node << part
    assert client.read_head().status == 200
    assert client.read_exactly(len(seen)) == seen
    end(node)
    client.assert_ended()


class TestNoRoute:
    def test_get(self, world: World) -> None:
        client = world.client() << REQUEST % b"unrouted"
        assert_local(client.read_response(), b"404 Not Found", b"")
        assert_lives_on(world, client)

    def test_complete_post(self, world: World) -> None:
        client = world.client() << b"POST /unrouted HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"
        assert client.read_response().status == 404

    def test_unfinished_post(self, world: World) -> None:
        client = world.client() << b"POST /unrouted HTTP/1.1\r\nhost: a\r\ncontent-length: 50\r\n\r\nhello"
        assert_local(client.read_response(), b"404 Not Found", b"", b"connection: close\r\n")
        client.assert_ended()

    def test_no_virtual_host(self, worlds: Worlds) -> None:
        world = worlds.start(domains=["only.example"])
        client = world.client() << REQUEST % b"live"
        assert_local(client.read_response(), b"404 Not Found", b"")
        client << b"GET /live HTTP/1.1\r\nhost: only.example\r\n\r\n"
        world.node.accept() << OK
        assert client.read_response().body == b"ok"

    def test_options_of_the_proxy_itself(self, world: World) -> None:
        client = world.client() << b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n"
        assert client.read_response().status == 404

    def test_connect(self, world: World) -> None:
        client = world.client() << b"CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n"
        assert_local(client.read_response(), b"404 Not Found", b"", b"connection: close\r\n")
        client.assert_ended()


def test_reply_while_a_body_is_unfinished(world: World) -> None:
    """No host is left, so nobody takes the body: the connection cannot be used again."""
    client = world.client() << b"POST /nobody HTTP/1.1\r\nhost: a\r\ncontent-length: 50\r\n\r\nhello"
    body = b"no healthy upstream"
    assert_local(client.read_response(), b"503 Service Unavailable", body, b"connection: close\r\n")
    client.assert_ended()
