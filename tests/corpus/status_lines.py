"""The first line of an answer, and what its status says of a body (RFC 9112 section 4, RFC 9110 section 15)."""

from tests.corpus.cases import ABSENT, Complete, Cut, Gateway, ResponseCase, answer

OK = Complete(200, b"ok")


def good(name: str, first: bytes, status: int = 200) -> ResponseCase:
    return ResponseCase(name, answer(b"content-length: 2", first=first, body=b"ok"), Complete(status, b"ok"))


def bad(name: str, first: bytes, *readings: Complete) -> ResponseCase:
    return ResponseCase(name, answer(b"content-length: 2", first=first, body=b"ok"), Gateway(), readings=readings)


def bodiless(name: str, status: int, *lines: bytes, body: bytes = b"") -> ResponseCase:
    """Its head is all of it."""
    raw = answer(*lines, first=b"HTTP/1.1 %d X" % status, body=body)
    return ResponseCase(name, raw, Complete(status))


GOOD = [
    good("200", b"HTTP/1.1 200 OK"),
    good("200 without a reason", b"HTTP/1.1 200 "),
    good("200 without a space", b"HTTP/1.1 200"),
    good("200 with another reason", b"HTTP/1.1 200 All is well, and more"),
    good("a reason of high bytes", b"HTTP/1.1 200 \xc3\xa4\xff"),
    good("a reason with tabs", b"HTTP/1.1 200 a\tb"),
    good("299", b"HTTP/1.1 299 X", 299),
    good("300", b"HTTP/1.1 300 X", 300),
    good("404", b"HTTP/1.1 404 Not Found", 404),
    good("418", b"HTTP/1.1 418 X", 418),
    good("500", b"HTTP/1.1 500 X", 500),
    good("599", b"HTTP/1.1 599 X", 599),
    good("600", b"HTTP/1.1 600 X", 600),
    good("999", b"HTTP/1.1 999 X", 999),
    ResponseCase("HTTP/1.0", answer(b"content-length: 2", first=b"HTTP/1.0 200 OK", body=b"ok"), OK),
    bodiless("204", 204),
    bodiless("205 with a length of none", 205, b"content-length: 0"),
    bodiless("304", 304, b"etag: x"),
    bodiless("304 with the length of what it means", 304, b"content-length: 1000"),
    ResponseCase("304 with a body", answer(b"content-length: 2", first=b"HTTP/1.1 304 X", body=b"ok"), Complete(304)),
    ResponseCase(
        "an answer to HEAD with a length",
        answer(b"content-length: 1000"),
        Complete(200),
        request=b"HEAD /case HTTP/1.1\r\nhost: a\r\n\r\n",
    ),
    ResponseCase(
        "an answer to HEAD with a coding",
        answer(b"transfer-encoding: chunked"),
        Complete(200),
        request=b"HEAD /case HTTP/1.1\r\nhost: a\r\n\r\n",
    ),
    ResponseCase(
        "an answer to HEAD with a body",
        answer(b"content-length: 2", body=b"ok"),
        Complete(200),
        request=b"HEAD /case HTTP/1.1\r\nhost: a\r\n\r\n",
    ),
]

BODY_WHERE_NONE_IS = [
    ResponseCase("204 with a body", answer(first=b"HTTP/1.1 204 X", body=b"ok"), Complete(204)),
    ResponseCase(
        "204 with a length",
        answer(b"content-length: 2", first=b"HTTP/1.1 204 X", body=b"ok"),
        Complete(204, fields=((b"content-length", ABSENT),)),
    ),
    ResponseCase(
        "204 with a length of none",
        answer(b"content-length: 0", first=b"HTTP/1.1 204 X"),
        Complete(204, fields=((b"content-length", ABSENT),)),
    ),
    ResponseCase(
        "204 with a coding",
        answer(b"transfer-encoding: chunked", first=b"HTTP/1.1 204 X", body=b"2\r\nok\r\n0\r\n\r\n"),
        Complete(204, fields=((b"transfer-encoding", ABSENT),)),
    ),
]

BAD = [
    bad("000", b"HTTP/1.1 000 X"),
    bad("099", b"HTTP/1.1 099 X"),
    bad("two digits", b"HTTP/1.1 20 X"),
    bad("four digits", b"HTTP/1.1 2000 X"),
    bad("a sign", b"HTTP/1.1 +20 X"),
    bad("a negative one", b"HTTP/1.1 -20 X"),
    bad("a letter", b"HTTP/1.1 20x X"),
    bad("a decimal point", b"HTTP/1.1 200.1 X"),
    bad("hexadecimal", b"HTTP/1.1 0xc8 X"),
    bad("no status", b"HTTP/1.1 OK"),
    bad("no status and no reason", b"HTTP/1.1"),
    bad("two spaces before it", b"HTTP/1.1  200 OK", OK),
    bad("a tab before it", b"HTTP/1.1\t200 OK", OK),
    bad("a tab behind it", b"HTTP/1.1 200\tOK", OK),
    bad("a space before the version", b" HTTP/1.1 200 OK", OK),
    bad("NUL in the reason", b"HTTP/1.1 200 O\0K", OK),
    bad("a bare CR in the reason", b"HTTP/1.1 200 O\rK", OK),
    bad("a bare LF in the reason", b"HTTP/1.1 200 OK\nx: y", OK),
    bad("a control byte in the reason", b"HTTP/1.1 200 O\x01K", OK),
    bad("HTTP/2", b"HTTP/2 200 OK"),
    bad("HTTP/2.0", b"HTTP/2.0 200 OK"),
    bad("HTTP/0.9", b"HTTP/0.9 200 OK"),
    bad("HTTP/1.2", b"HTTP/1.2 200 OK", OK),
    bad("HTTP/1.10", b"HTTP/1.10 200 OK"),
    bad("HTTP/11", b"HTTP/11 200 OK"),
    bad("lower case", b"http/1.1 200 OK"),
    bad("ICY", b"ICY 200 OK"),
    bad("RTSP", b"RTSP/1.0 200 OK"),
    bad("a request", b"GET / HTTP/1.1"),
    bad("a word", b"hello world"),
    bad("CGI's status", b"Status: 200 OK"),
    ResponseCase("not HTTP", b"hello world\r\n\r\n", Gateway()),
    ResponseCase("not HTTP and the end", b"hello world", Gateway(), end="fin"),
    ResponseCase("HTML", b"<html>hello</html>\r\n\r\n", Gateway(), end="fin"),
    ResponseCase("SSH", b"SSH-2.0-OpenSSH_9.2\r\n", Gateway(), end="fin"),
    ResponseCase("every byte", bytes(range(256)) + b"\r\n\r\n", Gateway(), end="fin"),
    ResponseCase("empty lines", b"\r\n\r\n", Gateway(), end="fin", readings=(Cut(),)),
    ResponseCase(
        "an empty line before it", b"\r\n" + answer(b"content-length: 2", body=b"ok"), Gateway(), readings=(OK,)
    ),
]

CASES: tuple[ResponseCase, ...] = (*GOOD, *BODY_WHERE_NONE_IS, *BAD)
