"""What a request must be before it is routed: target, authority, upgrade, handshake."""

import pytest

from fastproxy.inspection import expected_accept, is_answer, target, upgrade_wish

KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 section 1.3


def request(*lines: str, first: str = "GET / HTTP/1.1") -> bytes:
    return "\r\n".join([first, *lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    ("first", "lines", "expected"),
    [
        ("GET /a?b HTTP/1.1", ["Host: x:80"], (b"/a?b", b"x:80")),
        ("GET /a HTTP/1.1", [], (b"/a", None)),
        ("GET / HTTP/1.1", ["Host:"], (b"/", b"")),
        ("GET http://y/b?c HTTP/1.1", ["Host: x"], (b"/b?c", b"y")),
        ("GET HTTPS://y:1 HTTP/1.1", [], (b"/", b"y:1")),
        ("GET //y/b HTTP/1.1", ["Host: [::1]:8"], (b"//y/b", b"[::1]:8")),
        ("CONNECT x:80 HTTP/1.1", ["Host: x"], None),
        ("OPTIONS * HTTP/1.1", ["Host: x"], None),
        ("GET http://a?b HTTP/1.1", ["Host: a"], None),
        ("GET http://u:p@y/b HTTP/1.1", ["Host: x"], (b"/b", b"y")),
        ("GET http://@y HTTP/1.1", ["Host: x"], (b"/", b"y")),
        ("GET http://[::1]:65535/b HTTP/1.1", ["Host: x"], (b"/b", b"[::1]:65535")),
        ("GET http://y: HTTP/1.1", ["Host: x"], (b"/", b"y:")),
        ("GET / HTTP/1.1", ["Host: x_y:99999"], (b"/", b"x_y:99999")),
        ("GET / HTTP/1.1", ["Host: [::1]"], (b"/", b"[::1]")),
    ],
)
def test_target(first, lines, expected):
    assert target(request(*lines, first=first)) == expected


@pytest.mark.parametrize(
    ("first", "lines"),
    [
        ("GET / HTTP/1.1", ["Host: a", "Host: a"]),
        ("GET / HTTP/1.1", ["Host: a b"]),
        ("GET / HTTP/1.1", ["Host: a/b"]),
        ("GET / HTTP/1.1", ["Host: \xe9"]),
        ("GET /a#b HTTP/1.1", ["Host: a"]),
        ("GET a HTTP/1.1", ["Host: a"]),
        ("GET ftp://a/ HTTP/1.1", ["Host: a"]),
        ("GET http:///a HTTP/1.1", ["Host: a"]),
        ("GET http:// HTTP/1.1", ["Host: a"]),
        ("GET * HTTP/1.1", ["Host: a"]),
        ("GET http://u@/ HTTP/1.1", ["Host: a"]),
        ("GET http://u@a@b/ HTTP/1.1", ["Host: a"]),
        ('GET http://a"/ HTTP/1.1', ["Host: a"]),
        ("GET / HTTP/1.1", ["Host: a:x"]),
        ("GET / HTTP/1.1", ["Host: a:1:2"]),
        ("GET / HTTP/1.1", ["Host: [::1"]),
        ("GET / HTTP/1.1", ["Host: [::1]a"]),
        ("GET http://a_b/ HTTP/1.1", ["Host: a"]),
        ("GET http://a%20b/ HTTP/1.1", ["Host: a"]),
        ("GET http://a:65536/ HTTP/1.1", ["Host: a"]),
        ("GET http://a:99999999999999999999/ HTTP/1.1", ["Host: a"]),
        ("GET http://[::g]/ HTTP/1.1", ["Host: a"]),
        ("GET http://[::1/ HTTP/1.1", ["Host: a"]),
        ("GET http://:80/ HTTP/1.1", ["Host: a"]),
        ("CONNECT /a HTTP/1.1", ["Host: a"]),
        ("CONNECT http://a/ HTTP/1.1", ["Host: a"]),
    ],
)
def test_bad_target(first, lines):
    with pytest.raises(ValueError, match="bad"):
        target(request(*lines, first=first))


def test_absolute_urls_can_be_turned_off():
    assert target(request("Host: a", first="GET http://a/ HTTP/1.1"), allow_absolute_url=False) is None
    assert target(request("Host: a"), allow_absolute_url=False) == (b"/", b"a")


@pytest.mark.parametrize(
    ("lines", "wish"),
    [
        (["Connection: keep-alive, Upgrade", "Upgrade: websocket"], "websocket"),
        (["UPGRADE: WebSocket", "connection: x", "connection: UPGRADE"], "websocket"),
        (["Connection: upgrade"], "none"),
        (["Upgrade: websocket"], "none"),
        (["Connection: upgrade-insecure-requests", "Upgrade: websocket"], "none"),
        (["Upgrade-Insecure-Requests: 1", "Connection: keep-alive"], "none"),
        (["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"], "none"),
        (["Connection: upgrade", "Upgrade: foo"], "refused"),
        (["Connection: upgrade", "Upgrade: websocket, foo"], "refused"),
        (["Connection: upgrade", "Upgrade: websocket", "Upgrade: websocket"], "refused"),
    ],
)
def test_upgrade_wish(lines, wish):
    assert upgrade_wish(request(*lines)) == wish


def test_expected_accept():
    assert expected_accept(request(f"Sec-WebSocket-Key: {KEY}")) == ACCEPT


@pytest.mark.parametrize(
    "lines",
    [[], [f"Sec-WebSocket-Key: {KEY}"] * 2, ["Sec-WebSocket-Key: short"], ["Sec-WebSocket-Key: " + "*" * 24],
     ["Sec-WebSocket-Key: " + "A" * 24]],
)  # fmt: skip
def test_a_key_that_is_none(lines):
    assert expected_accept(request(*lines)) is None


def answer(*lines: str) -> bytes:
    return request(*lines, first="HTTP/1.1 101 Switching Protocols")


GOOD = ["Connection: Upgrade", "Upgrade: websocket", f"Sec-WebSocket-Accept: {ACCEPT.decode()}"]


def test_an_answer():
    assert is_answer(answer(*GOOD), ACCEPT)
    assert is_answer(answer("upgrade: WEBSOCKET", "connection: keep-alive, upgrade", GOOD[2]), ACCEPT)


@pytest.mark.parametrize("missing", range(3))
def test_an_answer_that_lacks_something(missing):
    assert not is_answer(answer(*GOOD[:missing], *GOOD[missing + 1 :]), ACCEPT)


@pytest.mark.parametrize(
    "line", ["Transfer-Encoding: chunked", "Upgrade: h2c", f"Sec-WebSocket-Accept: {'A' * 28}", "Connection: close"]
)
def test_an_answer_with_something_else(line):
    name = line.partition(":")[0]
    others = [each for each in GOOD if not each.startswith(name)]
    assert not is_answer(answer(*others, line), ACCEPT)


@pytest.mark.parametrize("line", [*(each for each in GOOD if "onnection" not in each), "Content-Length: 1"])
def test_an_answer_that_says_too_much(line):
    assert not is_answer(answer(*GOOD, line), ACCEPT)


def test_an_answer_with_a_length_of_none():
    assert is_answer(answer(*GOOD, "Content-Length: 0"), ACCEPT)


def test_an_answer_of_an_old_version():
    assert not is_answer(answer(*GOOD).replace(b"HTTP/1.1", b"HTTP/1.0"), ACCEPT)
