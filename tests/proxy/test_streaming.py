"""Nothing waits for the rest of a body: what one side has sent, the other side has."""

import pytest

from tests.support.proxies import World

CASES = [
    pytest.param(b"content-length: 10\r\n", b"hello", b"world", b"", id="length"),
    pytest.param(b"transfer-encoding: chunked\r\n", b"5\r\nhello\r\n", b"5\r\nworld\r\n", b"0\r\n\r\n", id="chunked"),
]


@pytest.mark.parametrize(("framing", "first", "second", "last"), CASES)
def test_response(world: World, framing: bytes, first: bytes, second: bytes, last: bytes) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node << b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n"
    assert client.read_head().status == 200  # the head comes before any byte of the body
    node << first
    client >> first
    node << second
    client >> second
    node << last
    client >> last


def test_response_until_close(world: World) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node << b"HTTP/1.1 200 OK\r\n\r\n"
    assert client.read_head().get(b"transfer-encoding") == b"chunked"
    node << b"hello"
    client >> b"5\r\nhello\r\n"
    node.close()
    client >> b"0\r\n\r\n"


@pytest.mark.parametrize(("framing", "first", "second", "last"), CASES)
def test_request(world: World, framing: bytes, first: bytes, second: bytes, last: bytes) -> None:
    client = world.client() << b"POST / HTTP/1.1\r\nhost: a\r\n" + framing + b"\r\n"
    node = world.node.accept()
    assert node.read_head().method == b"POST"
    client << first
    node >> first
    client << second
    node >> second
    client << last
    node >> last
    node << b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    assert client.read_response().body == b"ok"


def test_server_sent_events(world: World) -> None:
    client = world.client() << b"GET /events HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node << b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n\r\n"
    assert client.read_head().get(b"content-type") == b"text/event-stream"
    for number in range(20):
        event = b"id: %d\ndata: x\n\n" % number
        node << event
        client >> b"%x\r\n%b\r\n" % (len(event), event)
    client.close()
    node.assert_ended()


def test_long_poll_does_not_hold_up_others(world: World) -> None:
    poller = world.client() << b"GET /poll HTTP/1.1\r\nhost: a\r\n\r\n"
    held = world.node.accept()
    held.read_request()
    other = world.client() << b"GET /quick HTTP/1.1\r\nhost: a\r\n\r\n"
    quick = world.node.accept()
    quick.read_request()
    quick << b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nquick"
    assert other.read_response().body == b"quick"
    held << b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n6"
    assert poller.read_response().body == b"6"
