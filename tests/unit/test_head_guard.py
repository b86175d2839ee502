"""httptools before every head: what it refuses, whole or in parts."""

import pytest

from fastproxy.inspection import is_head


def request(*lines: str, first: str = "GET / HTTP/1.1") -> bytes:
    return "\r\n".join([first, *lines, "", ""]).encode("latin-1")


def response(*lines: str, first: str = "HTTP/1.1 200 OK") -> bytes:
    return request(*lines, first=first)


@pytest.mark.parametrize(
    "data",
    [
        request("a: b\x01"),
        request("a\x00: b"),
        request("a: b\x7f"),
        request(first="GEET / HTTP/1.1"),
        b"\x16\x03\r\n\r\n",
    ],
)
def test_what_httptools_refuses(data):
    assert not is_head(data, True)
    assert not is_head(data, True, cuts=range(1, len(data)))


@pytest.mark.parametrize("data", [request("Host: a"), request("Connection: upgrade", "Upgrade: websocket", "Host: a")])
def test_what_httptools_takes(data):
    assert is_head(data, True)
    assert is_head(data, True, cuts=range(1, len(data)))
    assert is_head(response("Content-Length: 5"), False)


@pytest.mark.parametrize("data", [response("a: b\x01"), response(first="HTTP/1.1 2000 OK"), b"HTP/1.1 200 OK\r\n\r\n"])
def test_answers_that_httptools_refuses(data):
    assert not is_head(data, False)
    assert not is_head(data, False, cuts=range(1, len(data)))


def test_one_refusal_is_no_verdict_on_the_next(world):
    """The parser that has seen garbage, or a request to become something else, is not used again."""
    for data in (b"garbage\r\n\r\n", request("host: a", first="CONNECT a:1 HTTP/1.1"), request("host: a", "x: \x01")):
        refused = world.client().send(data)
        assert refused.head()[9:12] in {b"400", b"404"}
        client = world.client().send(request("host: a"))
        node = world.nodes[0].accept()
        node.head()
        node.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        assert client.response() == (200, b"")
