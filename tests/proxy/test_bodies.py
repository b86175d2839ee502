"""Bodies of every framing, both ways, whatever the cuts."""

import random

import pytest

from tests.support.proxies import World

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
BODY = bytes(range(256)) + b"\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"  # looks like framing and is none


def in_chunks(body: bytes, size: int, extension: bytes = b"") -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%X%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces) + b"0\r\n\r\n"


def test_request_with_length(world: World, how: str) -> None:
    client = world.client()
    client.send_cut(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY), how)
    node = world.node.accept()
    request = node.read_request()
    assert (request.head.get(b"content-length"), request.body) == (b"%d" % len(BODY), BODY)
    assert not request.head.all(b"transfer-encoding")
    node << OK
    assert client.read_response().body == b"ok"


def test_request_in_chunks(world: World, how: str) -> None:
    client = world.client()
    head = b"POST / HTTP/1.1\r\nhost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
    client.send_cut(head + in_chunks(BODY, 100, b";ext=1"), how)
    node = world.node.accept()
    request = node.read_request()
    assert (request.head.get(b"transfer-encoding"), request.body) == (b"chunked", BODY)
    assert not request.head.all(b"content-length")
    node << OK
    assert client.read_response().body == b"ok"


def test_request_trailers_are_dropped(world: World, how: str) -> None:
    client = world.client()
    head = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntrailer: x-t\r\n\r\n"
    client.send_cut(head + b"3\r\nabc\r\n0\r\nx-t: 1\r\n\r\nGET /next HTTP/1.1\r\nhost: a\r\n\r\n", how)
    node = world.node.accept()
    assert node.read_request().body == b"abc"
    node << OK
    assert client.read_response().body == b"ok"
    assert node.read_request().head.target == b"/next"


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"PATCH", b"OPTIONS"])
def test_no_length_means_no_body(world: World, method: bytes) -> None:
    client = world.client() << method + b" / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    assert node.read_request().head.get(b"content-length") == b"0"
    node << OK
    assert client.read_response().body == b"ok"


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"DELETE"])
def test_methods_without_a_body_get_no_length(world: World, method: bytes) -> None:
    client = world.client() << method + b" / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    head = node.read_head()
    assert head.method == method
    assert not head.all(b"content-length")
    assert not head.all(b"transfer-encoding")
    node << b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    assert client.read_response(to=method.decode()).status == 200


def test_get_with_a_body(world: World, how: str) -> None:
    client = world.client().send_cut(b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello", how)
    node = world.node.accept()
    assert node.read_request().body == b"hello"
    node << OK
    assert client.read_response().body == b"ok"


def test_response_with_length(world: World, how: str) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node.send_cut(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY), how)
    response = client.read_response()
    assert (response.head.get(b"content-length"), response.body) == (b"%d" % len(BODY), BODY)
    assert not response.head.all(b"transfer-encoding")


def test_response_in_chunks(world: World, how: str) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    node.send_cut(head + in_chunks(BODY, 77, b" ; ext"), how)
    response = client.read_response()
    assert (response.head.get(b"transfer-encoding"), response.body) == (b"chunked", BODY)


def test_response_trailers_are_dropped(world: World, how: str) -> None:
    client = world.client()
    client << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    for target in (b"/", b"/2"):
        assert node.read_request().head.target == target
        node.send_cut(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n", how)
        assert client.read_response().body == b"abc"
        client << b"GET /2 HTTP/1.1\r\nhost: a\r\n\r\n"


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_response_until_close(world: World, how: str, version: bytes) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node.send_cut(b"HTTP/%b 200 OK\r\n\r\n%b" % (version, BODY), how)
    node.close()
    response = client.read_response()
    assert (response.head.get(b"transfer-encoding"), response.body) == (b"chunked", BODY)
    client << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"  # the client's connection lives on
    world.node.accept() << OK
    assert client.read_response().body == b"ok"


def test_empty_response_until_close(world: World) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node << b"HTTP/1.1 200 OK\r\n\r\n"
    node.close()
    assert client.read_response().body == b""


@pytest.mark.parametrize("size", [1, 16384, 65536, 65537, 3_000_000])
def test_large_bodies_both_ways(world: World, size: int) -> None:
    body = random.Random(size).randbytes(size)
    client = world.client() << b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % size
    node = world.node.accept()
    for at in range(0, size, 50_000):
        client << body[at : at + 50_000]
        if at == 0:
            node.read_head()
        piece = body[at : at + 50_000]
        assert node.read_exactly(len(piece)) == piece
    node << b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    assert client.read_head().status == 200
    for at in range(0, size, 50_000):
        piece = body[at : at + 50_000]
        node << b"%x\r\n%b\r\n" % (len(piece), piece)
    node << b"0\r\n\r\n"
    assert client.read_chunked() == body


def test_two_lengths_of_zero_are_not_confused(world: World) -> None:
    client = world.client() << b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n"
    node = world.node.accept()
    assert node.read_request().head.get(b"content-length") == b"0"
    node << b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    assert client.read_response().body == b""


def test_bytes_behind_the_response_are_not_passed_on(world: World) -> None:
    """A node that sends more than it announced is not used again; the client gets what was announced."""
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node << b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"
    assert client.read_response().body == b"o"
    client << b"GET /2 HTTP/1.1\r\nhost: a\r\n\r\n"
    second = world.node.accept()
    assert second.read_request().head.target == b"/2"
    second << OK
    assert client.read_response().body == b"ok"


def test_upload_goes_on_while_the_response_streams(world: World) -> None:
    """Both bodies pass; the client is told to close, since its request was not complete when the answer began."""
    client = world.client() << b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\nab"
    node = world.node.accept()
    node.read_head()
    assert node.read_exactly(2) == b"ab"
    node << b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n123"
    head = client.read_head()
    assert (head.status, head.get(b"connection")) == (200, b"close")
    assert client.read_exactly(3) == b"123"
    client << b"cdefgh"
    assert node.read_exactly(6) == b"cdefgh"
    node << b"456"
    assert client.read_exactly(3) == b"456"
    client.assert_ended()
