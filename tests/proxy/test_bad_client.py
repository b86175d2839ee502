"""Garbage from a client: an answer that says so, the end of the connection, and nothing reaches a node."""

import pytest

from tests.support.proxies import World, Worlds

BAD_REQUEST = b"HTTP/1.1 400 Bad Request", b"Bad Request"
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large", b"Request Header Fields Too Large"


def assert_refused(world: World, sent: bytes, start: bytes, body: bytes, how: str = "whole") -> None:
    client = world.client().send_cut(sent, how)
    response = client.read_response()
    assert (response.head.start, response.body) == (start, body)
    assert response.head.get(b"connection") == b"close"
    assert response.head.get(b"content-type") == (b"text/plain" if body else None)
    client.assert_ended()
    world.node.assert_untouched()


def post(headers: bytes, body: bytes = b"hello") -> bytes:
    return b"POST / HTTP/1.1\r\nhost: a\r\n" + headers + b"\r\n" + body


# what is refused is in tests/corpus; here, how
GARBAGE = {
    "not HTTP": b"BAD\r\n\r\n",
    "length and coding": post(b"content-length: 5\r\ntransfer-encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"),
    "two equal lengths": post(b"content-length: 5\r\ncontent-length: 5\r\n"),
    "a space before the colon": b"GET / HTTP/1.1\r\nhost: a\r\nx : 1\r\n\r\n",
}


@pytest.mark.parametrize("case", GARBAGE)
def test_garbage(world: World, case: str, how: str) -> None:
    assert_refused(world, GARBAGE[case], *BAD_REQUEST, how)


def test_no_host(world: World, how: str) -> None:
    assert_refused(world, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 Bad Request", b"", how)


def test_fragment_in_the_target(world: World) -> None:
    assert_refused(world, b"GET /a#b HTTP/1.1\r\nhost: a\r\n\r\n", b"HTTP/1.1 400 Bad Request", b"")


class TestHeadLimits:
    def head(self, size: int) -> bytes:
        """A request head of about that many bytes in many headers."""
        lines = b"".join(b"x-%03d: %b\r\n" % (number, b"v" * (size // 60)) for number in range(60))
        return b"GET / HTTP/1.1\r\nhost: a\r\n" + lines + b"\r\n"

    def test_many_bytes_pass(self, world: World) -> None:
        client = world.client() << self.head(50_000)
        node = world.node.accept()
        assert len(node.read_head().all(b"x-007")[0]) == 50_000 // 60
        node << b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        assert client.read_response().body == b"ok"

    @pytest.mark.parametrize("how", ["whole", "random:3", "random:4"])
    def test_too_many_bytes(self, world: World, how: str) -> None:
        assert_refused(world, self.head(70_000), *TOO_LARGE, how)

    def test_one_header_too_large(self, world: World) -> None:
        assert_refused(world, b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"v" * 70_000 + b"\r\n\r\n", *TOO_LARGE)

    def test_target_too_large(self, world: World) -> None:
        assert_refused(world, b"GET /" + b"v" * 70_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n", *TOO_LARGE)

    def test_never_ending_head(self, world: World) -> None:
        """The limit is enforced while the head comes in, not when it is complete."""
        client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"v" * 70_000
        assert client.read_response().status == 431
        client.assert_ended()

    @pytest.mark.parametrize("extra", [98, 99])
    def test_many_headers_pass(self, world: World, extra: int) -> None:
        lines = b"".join(b"x-%d: 1\r\n" % number for number in range(extra))
        client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n" + lines + b"\r\n"
        node = world.node.accept()
        assert len(node.read_head().lines) >= extra + 1
        node << b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        assert client.read_response().body == b"ok"

    @pytest.mark.parametrize("extra", [100, 150])
    def test_too_many_headers(self, world: World, extra: int, how: str) -> None:
        lines = b"".join(b"x-%d: 1\r\n" % number for number in range(extra))
        assert_refused(world, b"GET / HTTP/1.1\r\nhost: a\r\n" + lines + b"\r\n", *TOO_LARGE, how)

    def test_limits_are_settings(self, worlds: Worlds) -> None:
        limits = {"max_headers_count": 20}
        world = worlds.start(max_request_headers_kb=8, common_http_protocol_options=limits)
        lines = b"".join(b"x-%d: 1\r\n" % number for number in range(20))
        assert_refused(world, b"GET / HTTP/1.1\r\nhost: a\r\n" + lines + b"\r\n", *TOO_LARGE)
        assert_refused(world, b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"v" * 9_000 + b"\r\n\r\n", *TOO_LARGE)


class TestBadBody:
    """The head was good and may be at a node already; the body shows that the client cannot be trusted."""

    def test_bad_chunk(self, world: World) -> None:
        client = world.client() << post(b"transfer-encoding: chunked\r\n", b"zz\r\n")
        response = client.read_response()
        assert (response.head.start, response.body) == BAD_REQUEST
        assert response.head.get(b"connection") == b"close"
        client.assert_ended()

    def test_node_sees_no_end_of_a_bad_body(self, world: World) -> None:
        """A node that has had the head must not take the part of the body for the whole."""
        client = world.client() << post(b"transfer-encoding: chunked\r\n", b"5\r\nhello\r\n")
        node = world.node.accept()
        assert node.read_head().method == b"POST"
        assert node.read_exactly(10) == b"5\r\nhello\r\n"
        client << b"zz\r\n"
        assert client.read_response().status == 400
        assert node.read_to_end() == b""

    def test_client_leaves_inside_a_body(self, world: World) -> None:
        client = world.client() << post(b"content-length: 10\r\n")
        node = world.node.accept()
        node.read_head()
        assert node.read_exactly(5) == b"hello"
        client.close()
        assert node.read_to_end() == b""
