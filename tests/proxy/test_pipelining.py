"""Several requests sent before the first answer: the answers come in the order of the requests."""

from tests.support.adversary import Node, Peer, answering
from tests.support.messages import Message
from tests.support.proxies import World, Worlds, route
from tests.support.proxies import cluster as v3_cluster


def request(target: str, method: str = "GET", body: bytes = b"") -> bytes:
    length = f"content-length: {len(body)}\r\n" if body else ""
    return f"{method} {target} HTTP/1.1\r\nhost: a\r\n{length}\r\n".encode() + body


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def serve_next(world: World, node: Peer | None) -> Peer:
    """Answer the next request with its own target, on whatever connection it comes."""
    node = node or world.node.accept()
    node << answer(node.read_request().head.target)
    return node


def test_two_at_once(world: World, how: str) -> None:
    client = world.client().send_cut(request("/1") + request("/2"), how)
    node = serve_next(world, None)
    assert client.read_response().body == b"/1"
    serve_next(world, node)
    assert client.read_response().body == b"/2"


def test_bodies_between(world: World, how: str) -> None:
    client = world.client().send_cut(request("/1", "POST", b"GET /x HTTP/1.1\r\n\r\n") + request("/2"), how)
    node = world.node.accept()
    assert node.read_request().body == b"GET /x HTTP/1.1\r\n\r\n"
    node << answer(b"first")
    assert client.read_response().body == b"first"
    serve_next(world, node)
    assert client.read_response().body == b"/2"


def test_chunked_body_between(world: World, how: str) -> None:
    chunked = b"POST /1 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    client = world.client().send_cut(chunked + request("/2"), how)
    node = world.node.accept()
    assert node.read_request().body == b"abc"
    node << answer(b"first")
    assert client.read_response().body == b"first"
    serve_next(world, node)
    assert client.read_response().body == b"/2"


def test_blank_line_between(world: World) -> None:
    client = world.client() << request("/1") + b"\r\n" + request("/2")
    node = serve_next(world, None)
    assert client.read_response().body == b"/1"
    serve_next(world, node)
    assert client.read_response().body == b"/2"


def test_slow_first_answer_holds_back_the_second(worlds: Worlds) -> None:
    """The second request's node would answer at once; nothing of it may come before the slow first."""
    slow = Node()
    fast = Node(answering(lambda node, message: answer(b"fast")))
    clusters = [v3_cluster("fast", [fast.port])]
    world = worlds.start(nodes=[slow], routes=[route("/fast", "fast")], clusters=clusters)
    client = world.client() << request("/slow") + request("/fast")
    node = slow.accept()
    node.read_request()
    node << b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsl"
    assert client.read_head().status == 200
    assert client.read_exactly(2) == b"sl"
    node << b"ow"
    assert client.read_exactly(2) == b"ow"
    assert client.read_response().body == b"fast"
    fast.close()


def test_hundred_in_order(worlds: Worlds) -> None:
    def echo(node: Node, message: Message) -> bytes:
        return answer(message.head.target)

    world = worlds.start(nodes=[Node(answering(echo))])
    client = world.client() << b"".join(request(f"/{number}") for number in range(100))
    assert [client.read_response().body for _ in range(100)] == [b"/%d" % number for number in range(100)]


def test_bad_request_behind_a_good_one(world: World) -> None:
    """The good one is answered before the connection ends with 400."""
    client = world.client() << request("/1") + b"BAD\r\n\r\n"
    node = serve_next(world, None)
    assert client.read_response().body == b"/1"
    assert client.read_response().status == 400
    client.assert_ended()
    assert not node.readable() or node.read_to_end() == b""
