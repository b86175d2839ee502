"""Request targets in absolute form (RFC 9112, section 3.2.2)."""

import pytest

from tests.support.proxies import World, Worlds

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("target", "path", "host"),
    [
        (b"http://abs.example/path?q=1", b"/path?q=1", b"abs.example"),
        (b"http://abs.example", b"/", b"abs.example"),
        (b"http://abs.example:8080/p", b"/p", b"abs.example:8080"),
        (b"HTTP://abs.example/p", b"/p", b"abs.example"),
    ],
)
def test_authority_replaces_host(world: World, how: str, target: bytes, path: bytes, host: bytes) -> None:
    client = world.client().send_cut(b"GET " + target + b" HTTP/1.1\r\nhost: other.example\r\n\r\n", how)
    node = world.node.accept()
    head = node.read_request().head
    assert (head.target, head.get(b"host")) == (path, host)
    node << OK
    assert client.read_response().body == b"ok"


def test_without_host(world: World) -> None:
    client = world.client() << b"GET http://abs.example/p HTTP/1.1\r\n\r\n"
    node = world.node.accept()
    assert node.read_request().head.get(b"host") == b"abs.example"
    node << OK
    assert client.read_response().body == b"ok"


@pytest.mark.parametrize("target", [b"ftp://abs.example/", b"abs.example/p", b"http:///p"])
def test_not_for_us(world: World, target: bytes) -> None:
    client = world.client() << b"GET " + target + b" HTTP/1.1\r\nhost: a\r\n\r\n"
    response = client.read_response()
    assert (response.status, response.head.get(b"connection")) == (400, b"close")
    client.assert_ended()
    world.node.assert_untouched()


def test_not_allowed(worlds: Worlds) -> None:
    world = worlds.start(http_protocol_options={"allow_absolute_url": False})
    client = world.client() << b"GET http://abs.example/p HTTP/1.1\r\nhost: a\r\n\r\n"
    assert client.read_response().status == 404
    world.node.assert_untouched()
