"""Heads as slices, and where bodies end: what is taken, and what is refused with which error."""

import pytest

from fastproxy.inspection import BodyReader, head_end, is_head, read_head


def request(*lines: str, first: str = "GET / HTTP/1.1") -> bytes:
    return "\r\n".join([first, *lines, "", ""]).encode("latin-1")


def response(*lines: str, first: str = "HTTP/1.1 200 OK") -> bytes:
    return request(*lines, first=first)


def error(data: bytes, is_request: bool = True, max_fields: int = 100) -> str:
    with pytest.raises(ValueError, match=r".") as raised:
        read_head(data, is_request, max_fields)
    return str(raised.value)


def test_a_request():
    head = read_head(request("Host: a", "X-Y:  b c\t", "x-y:", first="OPTIONS /p?q#f HTTP/1.0"), True)
    assert head["first"] == (b"OPTIONS", b"/p?q#f")
    assert head["minor_version"] == 0
    assert head["fields"] == [(b"host", b"a"), (b"x-y", b"b c"), (b"x-y", b"")]
    assert (head["content_length"], head["is_chunked"], head["tokens"]) == (-1, False, set())


@pytest.mark.parametrize(
    ("first", "status", "minor_version"),
    [("HTTP/1.1 200 OK", 200, 1), ("HTTP/1.0 404", 404, 0), ("HTTP/1.1 599 ", 599, 1), ("HTTP/1.1 100 a b", 100, 1)],
)
def test_a_response(first, status, minor_version):
    head = read_head(response("Server: x", first=first), False)
    assert (head["first"], head["minor_version"], head["fields"]) == (status, minor_version, [(b"server", b"x")])


@pytest.mark.parametrize(
    ("lines", "tokens"),
    [
        (["Connection: keep-alive, Upgrade"], {"keep-alive", "upgrade"}),
        (["connection: UPGRADE", "CONNECTION:  Close ,"], {"upgrade", "close"}),
        (["Connection: upgrade-insecure-requests"], {"other"}),
        (["Connection: ,, x-a,keep-alivex"], {"other"}),
        (["Proxy-Connection: keep-alive"], {"keep-alive"}),
        (["Upgrade: upgrade"], set()),
        (["Connection:"], set()),
    ],
)
def test_connection_tokens(lines, tokens):
    assert read_head(request(*lines), True)["tokens"] == tokens


@pytest.mark.parametrize(
    ("lines", "content_length", "is_chunked"),
    [
        (["Content-Length: 0"], 0, False),
        (["content-length:  123456789012345678 "], 123456789012345678, False),
        (["Transfer-Encoding: Chunked"], -1, True),
        (["x-content-length: 7"], -1, False),
    ],
)
def test_framing(lines, content_length, is_chunked):
    head = read_head(request(*lines), True)
    assert (head["content_length"], head["is_chunked"]) == (content_length, is_chunked)


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 1", "Content-Length: 1"],
        ["Content-Length: 1", "Transfer-Encoding: chunked"],
        ["Content-Length: -1"],
        ["Content-Length: 1, 1"],
        ["Content-Length: 0x1"],
        ["Content-Length:"],
        ["Content-Length: 1234567890123456789"],
        ["no colon"],
        [": no name"],
        ["a b: c"],
        ["a : c"],
        [" folded: a"],
        ["X: a\r\n b"],
        ["X: a\rb"],
        ["\xe9: a"],
    ],
)
def test_bad_fields(lines):
    assert error(request(*lines)) == "bad"
    assert error(response(*lines), False) == "bad"


@pytest.mark.parametrize(
    "lines",
    [
        ["Transfer-Encoding: gzip"],
        ["Transfer-Encoding: chunked, gzip"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding:"],
    ],
)
def test_codings_that_nobody_knows(lines):
    assert error(request(*lines)) == "unknown coding"


@pytest.mark.parametrize("first", ["GET / HTTP/2.0", "GET / HTTP/1.2", "GET / HTTP/0.9"])
def test_versions(first):
    assert error(request(first=first)) == "version"


@pytest.mark.parametrize(
    "first", ["GET", "GET /", "GET  HTTP/1.1", "GET / http/1.1", "GET / HTTP/1.1 ", "GET / x HTTP/11", "", " "]
)
def test_bad_request_lines(first):
    assert error(request(first=first)) == "bad"


@pytest.mark.parametrize("first", ["HTTP/1.1", "HTTP/1.1 20 OK", "HTTP/1.1 2000", "HTTP/1.1 2x0 OK", "HTTP/1.1 099 OK"])
def test_bad_status_lines(first):
    assert error(response(first=first), False) == "bad"


def test_the_number_of_fields():
    lines = [f"x-{number}: a" for number in range(100)]
    assert len(read_head(request(*lines), True)["fields"]) == 100
    assert error(request(*lines, "one: more")) == "too many fields"
    assert error(request(*lines), max_fields=99) == "too many fields"
    many = [f"x-{number}: a" for number in range(600)]
    assert error(request(*many), max_fields=10_000) == "too many fields"


def test_where_a_head_ends():
    data = request("a: b") + b"GET"
    assert head_end(data) == len(data) - 3
    assert [head_end(data, searched) for searched in range(len(data) - 3)] == [len(data) - 3] * (len(data) - 3)
    assert head_end(b"") == -1
    assert head_end(b"\r\n\r") == -1


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


def test_a_body_with_a_length():
    body = BodyReader("length", 5)
    assert not body.done
    assert body.take(b"abc") == (3, b"abc")
    assert body.take(b"") == (0, b"")
    assert body.take(b"deGET") == (2, b"de")
    assert body.done


def test_a_body_until_the_end():
    body = BodyReader("until close")
    assert body.take(b"abc") == (3, b"abc")
    assert not body.done


def test_no_body():
    assert BodyReader("none").done
    assert BodyReader("none").take(b"GET") == (0, b"")
    assert BodyReader("length", 0).done


@pytest.mark.parametrize(
    ("data", "payload"),
    [
        (b"0\r\n\r\n", b""),
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"0005;a=b;c\r\nhello\r\nA\r\n0123456789\r\n00\r\n\r\n", b"hello0123456789"),
        (b"1\r\na\r\n0\r\nx-trailer: b\r\ny:\r\n\r\n", b"a"),
    ],
)
def test_a_chunked_body(data, payload):
    body = BodyReader("chunked")
    assert body.take(data + b"GET / HTTP/1.1") == (len(data), payload)
    assert body.done


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"g\r\n",
        b"-1\r\n",
        b"0x1\r\n",
        b" 1\r\na\r\n",
        b"1\na\r\n",
        b"1\r\nab\r\n",
        b"1\r\na\n",
        b"1\r\r",
        b"1;a\nb\r\n",
        b"0\r\n:\r\n",
        b"0\r\n a\r\n",
        b"0\r\n\r\r",
        b"fffffffffffffffff\r\n",
        b"1;" + b"x" * 70_000,
        b"0\r\nx:" + b"x" * 70_000,
    ],
)
def test_bad_chunks(data):
    with pytest.raises(ValueError, match="bad body"):
        BodyReader("chunked").take(data)


def test_extensions_of_many_chunks_are_bounded_together():
    body = BodyReader("chunked")
    chunk = b"1;" + b"x" * 1000 + b"\r\na\r\n"
    for _ in range(64):
        assert body.take(chunk) == (len(chunk), b"a")
    with pytest.raises(ValueError, match="bad body"):
        body.take(chunk * 2)
