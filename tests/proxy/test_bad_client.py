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


GARBAGE = {
    "not HTTP": b"BAD\r\n\r\n",
    "binary": bytes(range(256)),
    "TLS client hello": bytes.fromhex("1603010200010001fc0303") + bytes(100) + b"\r\n\r\n",
    "unknown method": b"FOO / HTTP/1.1\r\nhost: a\r\n\r\n",
    "lower-case method": b"get / HTTP/1.1\r\nhost: a\r\n\r\n",
    "space in the target": b"GET /a b HTTP/1.1\r\nhost: a\r\n\r\n",
    "not a version": b"GET / HTTQ/1.1\r\nhost: a\r\n\r\n",
    "length and coding": post(b"content-length: 5\r\ntransfer-encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"),
    "coding and length": post(b"transfer-encoding: chunked\r\ncontent-length: 5\r\n", b"5\r\nhello\r\n0\r\n\r\n"),
    "two equal lengths": post(b"content-length: 5\r\ncontent-length: 5\r\n"),
    "two different lengths": post(b"content-length: 5\r\ncontent-length: 6\r\n", b"hello!"),
    "a list of lengths": post(b"content-length: 5, 5\r\n"),
    "a signed length": post(b"content-length: +5\r\n"),
    "a negative length": post(b"content-length: -5\r\n"),
    "a hexadecimal length": post(b"content-length: 0x5\r\n"),
    "an empty length": post(b"content-length:\r\n"),
    "a huge length": post(b"content-length: 99999999999999999999\r\n"),
    "a length with a space in it": post(b"content-length: 5 6\r\n"),
    "a space in a header's name": b"GET / HTTP/1.1\r\nhost: a\r\nx y: 1\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nhost: a\r\nx : 1\r\n\r\n",
    "an empty header name": b"GET / HTTP/1.1\r\nhost: a\r\n: 1\r\n\r\n",
    "NUL in a value": b"GET / HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n",
    "NUL in a name": b"GET / HTTP/1.1\r\nhost: a\r\nx\0: a\r\n\r\n",
    "a header line without a colon": b"GET / HTTP/1.1\r\nhost: a\r\nnothing\r\n\r\n",
    "a space in the host": b"GET / HTTP/1.1\r\nhost: a b\r\n\r\n",
    "a slash in the host": b"GET / HTTP/1.1\r\nhost: a/b\r\n\r\n",
    "a bad protocol version": b"GET / HTTP/1.x\r\nhost: a\r\n\r\n",
}


@pytest.mark.parametrize("case", GARBAGE)
def test_garbage(world: World, case: str) -> None:
    assert_refused(world, GARBAGE[case], *BAD_REQUEST)


@pytest.mark.parametrize("case", ["not HTTP", "length and coding", "two equal lengths", "a space before the colon"])
def test_garbage_in_pieces(world: World, case: str, how: str) -> None:
    assert_refused(world, GARBAGE[case], *BAD_REQUEST, how)


@pytest.mark.departure("Envoy takes a bare CR for white space; who takes it for a line end sees another header")
def test_bare_carriage_return(world: World) -> None:
    assert_refused(world, b"GET / HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n", *BAD_REQUEST)


@pytest.mark.parametrize("coding", [b"gzip", b"gzip, chunked", b"identity", b"foo", b"chunked, chunked", b"xchunked"])
def test_unknown_transfer_coding(world: World, coding: bytes) -> None:
    """Envoy says 501 where it understood the header; a parser that refuses it outright says 400. Neither forwards."""
    client = world.client() << post(b"transfer-encoding: " + coding + b"\r\n", b"0\r\n\r\n")
    response = client.read_response()
    assert response.status in (400, 501)
    assert response.head.get(b"connection") == b"close"
    client.assert_ended()
    world.node.assert_untouched()


def test_no_host(world: World, how: str) -> None:
    assert_refused(world, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 Bad Request", b"", how)


def test_fragment_in_the_target(world: World) -> None:
    assert_refused(world, b"GET /a#b HTTP/1.1\r\nhost: a\r\n\r\n", b"HTTP/1.1 400 Bad Request", b"")


@pytest.mark.parametrize("version", [b"1.2", b"2.0", b"0.9", b"3.0"])
def test_other_versions(world: World, version: bytes) -> None:
    client = world.client() << b"GET / HTTP/" + version + b"\r\nhost: a\r\n\r\n"
    response = client.read_response()
    assert response.status in (400, 426, 505)
    client.assert_ended()
    world.node.assert_untouched()


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

    @pytest.mark.parametrize(
        "body",
        [
            b"zz\r\n",
            b"-5\r\nhello\r\n",
            b"fffffffffffffffffffff\r\n",
            b"\r\n",
        ],
    )
    def test_bad_chunk(self, world: World, body: bytes) -> None:
        client = world.client() << post(b"transfer-encoding: chunked\r\n", body)
        response = client.read_response()
        assert (response.head.start, response.body) == BAD_REQUEST
        assert response.head.get(b"connection") == b"close"
        client.assert_ended()

    @pytest.mark.departure("Envoy is lenient about what stands where a chunk should end")
    @pytest.mark.parametrize("body", [b"5\r\nhelloXX\r\n0\r\n\r\n", b"5 5\r\nhello\r\n0\r\n\r\n"])
    def test_bad_chunk_that_envoy_lets_pass(self, world: World, body: bytes) -> None:
        self.test_bad_chunk(world, body)

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
