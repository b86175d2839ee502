"""Heads as slices: what is taken, and what is refused with which error."""

import pytest

from fastproxy.inspection import head_end, read_head


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
    [
        ("HTTP/1.1 200 OK", 200, 1),
        ("HTTP/1.0 404", 404, 0),
        ("HTTP/1.1 599 ", 599, 1),
        ("HTTP/1.1 100 a\tb\xff", 100, 1),
    ],
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
    "first",
    [
        "GET", "GET /", "GET  HTTP/1.1", "GET / http/1.1", "GET / HTTP/1.1 ", "GET / x HTTP/11", "", " ",
        " / HTTP/1.1", "G\tT / HTTP/1.1", "G@T / HTTP/1.1", "GET\x00 / HTTP/1.1", "G\xc4T / HTTP/1.1",
    ],
)  # fmt: skip
def test_bad_request_lines(first):
    assert error(request(first=first)) == "bad"


@pytest.mark.parametrize("target", ["/a\nb", "/a\nb:c", "/a?b\nc:d", "http://a/b\nc:d", "/a\n", "\n"])
def test_a_line_feed_in_a_target(target):
    """llhttp takes what is before it for a request of HTTP/0.9, and what is behind it for a field."""
    assert error(request(first=f"GET {target} HTTP/1.1")) == "bad"


@pytest.mark.parametrize(
    "first",
    [
        "HTTP/1.1",
        "HTTP/1.1 200 O\x00K",
        "HTTP/1.1 200 \x7f",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000",
        "HTTP/1.1 2x0 OK",
        "HTTP/1.1 099 OK",
    ],
)
def test_bad_status_lines(first):
    assert error(response(first=first), False) == "bad"


@pytest.mark.parametrize("blank", ["\n", "\r\n", "\n\r\n"])
def test_empty_lines_before_a_request_are_no_part_of_it(blank):
    """Whoever reads from a connection passes over them."""
    assert error(blank.encode() + request()) == "bad"


@pytest.mark.parametrize("method", ["get", "M-SEARCH", "!#$%&'*+-.^_`|~0aZ"])
def test_methods_are_tokens(method):
    assert read_head(request(first=f"{method} / HTTP/1.1"), True)["first"] == (method.encode(), b"/")


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
