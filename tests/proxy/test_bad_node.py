"""Garbage from a node: 502, and that connection is not used again."""

import pytest

from tests.support.proxies import World

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
PROTOCOL_ERROR = b"upstream connect error or disconnect/reset before headers. reset reason: protocol error"

GARBAGE = {
    "not HTTP": b"hello world\r\n\r\n",
    "binary": bytes(range(128, 256)) + b"\r\n\r\n",
    "another protocol version": b"HTTP/2 200\r\ncontent-length: 2\r\n\r\nok",
    "a bad length": b"HTTP/1.1 200 OK\r\ncontent-length: abc\r\n\r\nok",
    "a space in a header's name": b"HTTP/1.1 200 OK\r\nbad header: x\r\ncontent-length: 2\r\n\r\nok",
    "NUL in a value": b"HTTP/1.1 200 OK\r\nx-a: 1\x002\r\ncontent-length: 2\r\n\r\nok",
    "two different lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
    "length and coding": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n"
    b"2\r\nok\r\n0\r\n\r\n",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: 1\r\n" % each for each in range(120)) + b"\r\n",
}


def assert_refused(world: World, answer: bytes, how: str) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node.send_cut(answer, how)
    response = client.read_response()
    assert (response.head.start, response.body) == (b"HTTP/1.1 502 Bad Gateway", PROTOCOL_ERROR)
    assert response.head.get(b"connection") is None
    assert node.read_to_end() == b""
    client << b"GET /next HTTP/1.1\r\nhost: a\r\n\r\n"
    second = world.node.accept()
    assert second.read_request().head.target == b"/next"
    second << OK
    assert client.read_response().body == b"ok"


@pytest.mark.parametrize("case", GARBAGE)
def test_garbage(world: World, case: str) -> None:
    assert_refused(world, GARBAGE[case], "whole")


@pytest.mark.parametrize("case", ["a bad length", "a space in a header's name"])
def test_garbage_in_pieces(world: World, case: str, how: str) -> None:
    assert_refused(world, GARBAGE[case], how)


def test_head_that_is_cut_off(world: World) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node << b"HTTP/1.1 200 OK\r\nx: y"
    node.close()
    response = client.read_response()
    assert (response.status, response.body) == (502, PROTOCOL_ERROR)


def test_head_that_is_too_large(world: World) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node << b"HTTP/1.1 200 OK\r\nx: " + b"v" * 300_000
    response = client.read_response()
    assert (response.status, response.body) == (502, PROTOCOL_ERROR)


@pytest.mark.parametrize(
    "bad",
    [
        b"zz\r\n",
        b"-1\r\n",
        pytest.param(b"2\r\nokXX", marks=pytest.mark.departure("Envoy is lenient about the end of a chunk")),
    ],
)
def test_bad_chunk_behind_a_good_one(world: World, bad: bytes) -> None:
    """The head is gone already: the client's connection ends without the last chunk."""
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node << b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\ngood\r\n"
    assert client.read_head().status == 200
    assert client.read_exactly(9) == b"4\r\ngood\r\n"
    node << bad
    rest = client.read_to_end()
    assert b"0\r\n\r\n" not in rest, rest
    assert node.read_to_end() == b""


def test_answer_before_the_request(world: World) -> None:
    """Bytes that a new connection sends before any request was made on it answer nothing."""
    client = world.client() << b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhe"
    node = world.node.accept()
    node.read_head()
    client.reset()
    node.read_to_end()
    client = world.client() << b"GET /2 HTTP/1.1\r\nhost: a\r\n\r\n"
    second = world.node.accept()
    assert second.read_request().head.target == b"/2"
    second << OK
    assert client.read_response().body == b"ok"
