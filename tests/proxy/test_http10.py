"""HTTP/1.0 clients: refused unless `accept_http_10` is set, then answered in their own version."""

import pytest

from tests.support.proxies import World, Worlds

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"


@pytest.fixture(scope="module")
def http10(worlds: Worlds) -> World:
    options = {"accept_http_10": True, "default_host_for_http_10": "default.host"}
    return worlds.start(http_protocol_options=options)


def test_refused_by_default(world: World, how: str) -> None:
    client = world.client().send_cut(b"GET / HTTP/1.0\r\nhost: a\r\n\r\n", how)
    response = client.read_response()
    assert (response.head.start, response.body) == (b"HTTP/1.1 426 Upgrade Required", b"Upgrade Required")
    assert response.head.get(b"connection") == b"close"
    client.assert_ended()
    world.node.assert_untouched()


def test_closes_after_the_answer(http10: World, how: str) -> None:
    client = http10.client().send_cut(b"GET / HTTP/1.0\r\nhost: a\r\n\r\n", how)
    node = http10.node.accept()
    assert node.read_request().head.start == b"GET / HTTP/1.1"
    node << OK
    response = client.read_response()
    assert (response.head.start, response.body) == (b"HTTP/1.0 200 OK", b"ok")
    assert response.head.get(b"connection") == b"close"
    client.assert_fin()


def test_keep_alive_if_asked_for(http10: World, how: str) -> None:
    client = http10.client()
    client.send_cut(b"GET /1 HTTP/1.0\r\nhost: a\r\nConnection: keep-alive\r\n\r\n", how)
    node = http10.node.accept()
    assert not node.read_request().head.all(b"connection")
    node << OK
    response = client.read_response()
    assert (response.head.start, response.head.get(b"connection")) == (b"HTTP/1.0 200 OK", b"keep-alive")
    client.send_cut(b"GET /2 HTTP/1.0\r\nhost: a\r\n\r\n", how)
    assert node.read_request().head.target == b"/2"
    node << OK
    assert client.read_response().head.get(b"connection") == b"close"
    client.assert_fin()


@pytest.mark.parametrize("keep_alive", [b"", b"connection: keep-alive\r\n"])
def test_chunked_answer_is_sent_unframed_and_ends_with_the_connection(http10: World, keep_alive: bytes) -> None:
    client = http10.client() << b"GET / HTTP/1.0\r\nhost: a\r\n" + keep_alive + b"\r\n"
    node = http10.node.accept()
    node.read_request()
    node << CHUNKED
    head = client.read_head()
    assert (head.start, head.get(b"connection")) == (b"HTTP/1.0 200 OK", b"close")
    assert not head.all(b"transfer-encoding")
    assert client.read_to_end() == b"abcdefg"


def test_default_host(http10: World) -> None:
    client = http10.client() << b"GET / HTTP/1.0\r\n\r\n"
    node = http10.node.accept()
    assert node.read_request().head.get(b"host") == b"default.host"
    node << OK
    assert client.read_response().body == b"ok"


def test_post(http10: World) -> None:
    client = http10.client() << b"POST / HTTP/1.0\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"
    node = http10.node.accept()
    assert node.read_request().body == b"hello"
    node << OK
    assert client.read_response().body == b"ok"


@pytest.mark.departure("Envoy sends a 100 of HTTP/1.0")
def test_expectations_are_ignored(http10: World) -> None:
    """RFC 9110, section 10.1.1: such a client sends its body unasked, and takes a 100 for the answer."""
    client = http10.client() << b"POST / HTTP/1.0\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\nhello"
    node = http10.node.accept()
    request = node.read_request()
    assert (request.head.all(b"expect"), request.body) == ([], b"hello")
    node << OK
    assert client.read_response().status == 200


@pytest.mark.departure("Envoy goes on with the connection")
@pytest.mark.parametrize(
    "lines", [b"connection: keep-alive, close", b"connection: keep-alive\r\ntransfer-encoding: chunked"]
)
def test_last_request_in_spite_of_keep_alive(http10: World, lines: bytes) -> None:
    """`close` outweighs it, and chunks, which 1.0 does not have, may have another end for whoever was in between
    (RFC 9112, sections 9.3 and 6.1)."""
    client = http10.client() << b"POST / HTTP/1.0\r\nhost: a\r\n" + lines + b"\r\n\r\n0\r\n\r\nGET /2 HTTP/1.0\r\n\r\n"
    node = http10.node.accept()
    node.read_request()
    node << OK
    assert client.read_response().head.get(b"connection") == b"close"
    client.assert_ended()


def test_upstream_of_version_10_is_translated(world: World) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node << b"HTTP/1.0 200 OK\r\n\r\nuntil close"
    node.close()
    response = client.read_response()
    assert (response.head.start, response.body) == (b"HTTP/1.1 200 OK", b"until close")
    assert response.head.get(b"transfer-encoding") == b"chunked"


def test_upstream_of_version_10_is_not_used_again(world: World) -> None:
    client = world.client()
    for number in range(2):
        client << b"GET /%d HTTP/1.1\r\nhost: a\r\n\r\n" % number
        node = world.node.accept()
        assert node.read_request().head.target == b"/%d" % number
        node << b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"
        assert client.read_response().body == b"ok"
