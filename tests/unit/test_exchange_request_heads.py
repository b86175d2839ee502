"""Heads of requests: in pieces, and what is refused."""

import pytest

from tests.unit.engine_world import get, ok


def test_a_head_byte_by_byte(world):
    client = world.client()
    for byte in get("/slow", "cookie: a=b"):
        client.send(bytes([byte]))
        world.settle()
    node = world.nodes[0].accept()
    assert node.head().startswith(b"GET /slow HTTP/1.1\r\nhost: example.com\r\ncookie: a=b\r\n")
    node.send(ok())
    assert client.response() == (200, b"hello")


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_two_requests_cut_anywhere(world, cut):
    data = get("/1") + get("/2")
    client = world.client().send(data[:cut])
    world.settle()
    client.send(data[cut:])
    node = world.nodes[0].accept()
    for number in (1, 2):
        assert node.head().startswith(b"GET /%d " % number)
        node.send(ok(b"%d" % number))
        assert client.response() == (200, b"%d" % number)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"GET / HTTP/1.1\r\nhost: a\r\nbad line\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: a\r\nx: \x01\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n", 501),
        (b"GET / HTTP/1.0\r\nhost: a\r\n\r\n", 426),
        (b"GET / HTTP/2.0\r\nhost: a\r\n\r\n", 426),
        (b"CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 101 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000, 431),
    ],
)  # fmt: skip
def test_what_is_refused_reaches_no_node(world, data, status):
    client = world.client().send(data)
    assert client.head().startswith(b"HTTP/1.1 %d " % status)
    client.end()
    assert not client.was_reset
    assert not world.nodes[0].is_asked()
