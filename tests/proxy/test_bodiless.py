"""Responses that have no body whatever their headers say: to HEAD, 204 and 304."""

import pytest

from tests.support.proxies import World

NEXT = b"GET /next HTTP/1.1\r\nhost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def assert_lives_on(world: World) -> None:
    """Both the client's connection and the framing are intact: the next request is answered."""
    client = world.clients[-1] << NEXT
    node = world.node.busy_peer()
    assert node.read_request().head.target == b"/next"
    node << OK
    assert client.read_response().body == b"ok"


def test_head_with_a_length(world: World, how: str) -> None:
    client = world.client().send_cut(b"HEAD / HTTP/1.1\r\nhost: a\r\n\r\n", how)
    node = world.node.accept()
    assert node.read_request().head.method == b"HEAD"
    node.send_cut(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", how)
    assert client.read_response(to="HEAD").head.get(b"content-length") == b"1000"
    assert_lives_on(world)


def test_head_of_a_chunked_resource(world: World, how: str) -> None:
    client = world.client() << b"HEAD / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node.send_cut(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", how)
    head = client.read_response(to="HEAD").head
    assert (head.get(b"transfer-encoding"), head.get(b"content-length")) == (b"chunked", None)
    assert_lives_on(world)


def test_head_without_framing(world: World) -> None:
    client = world.client() << b"HEAD / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node << b"HTTP/1.1 200 OK\r\n\r\n"
    assert client.read_response(to="HEAD").status == 200
    assert_lives_on(world)


def test_head_keeps_the_upstream_connection(world: World) -> None:
    client = world.client() << b"HEAD /0 HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    for number in range(3):
        if number:
            client << b"HEAD /%d HTTP/1.1\r\nhost: a\r\n\r\n" % number
        assert node.read_request().head.target == b"/%d" % number
        node << b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n"
        assert client.read_response(to="HEAD").head.get(b"content-length") == b"7"


@pytest.mark.parametrize(
    ("status", "length"),
    [(b"204 No Content", b""), (b"304 Not Modified", b""), (b"304 Not Modified", b"content-length: 5\r\n")],
)
def test_no_content(world: World, status: bytes, length: bytes) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node << b"HTTP/1.1 " + status + b"\r\netag: x\r\n" + length + b"\r\n"
    head = client.read_response().head
    assert head.start == b"HTTP/1.1 " + status
    assert not head.all(b"transfer-encoding")
    assert head.get(b"content-length") == (b"5" if length else None)
    assert_lives_on(world)


def test_local_reply_to_head_has_no_body(world: World) -> None:
    client = world.client() << b"HEAD / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node.close()
    response = client.read_response(to="HEAD")
    assert (response.status, response.head.get(b"content-length")) == (503, b"95")
    assert_lives_on(world)
