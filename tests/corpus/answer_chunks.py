"""Chunks of answers: what breaks them cuts the answer visibly (RFC 9112 section 7.1 and 8)."""

from tests.corpus.cases import ABSENT, Answer, Complete, Cut, ResponseCase, answer

LAST = b"0\r\n\r\n"
FIRST = b"4\r\ngood\r\n"


def good(name: str, body: bytes, payload: bytes) -> ResponseCase:
    return ResponseCase(name, answer(b"transfer-encoding: chunked", body=body), Complete(200, payload))


def bad(name: str, body: bytes, *readings: Answer) -> ResponseCase:
    """Behind a chunk that is good."""
    raw = answer(b"transfer-encoding: chunked", body=FIRST + body)
    return ResponseCase(name, raw, Cut(), readings=readings)


HELLO = Complete(200, b"goodhello")

GOOD = [
    good("one chunk", b"5\r\nhello\r\n" + LAST, b"hello"),
    good("five chunks", b"1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n" + LAST, b"hello"),
    good("a chunk that looks like an end", b"5\r\n0\r\n\r\n\r\n" + LAST, b"0\r\n\r\n"),
    good("an extension", b"5;a=b\r\nhello\r\n" + LAST, b"hello"),
    good("zeros before a size", b"0005\r\nhello\r\n000\r\n\r\n", b"hello"),
    good("a trailer", b"5\r\nhello\r\n0\r\nx: y\r\n\r\n", b"hello"),
    ResponseCase(
        "a framing as a trailer",
        answer(b"transfer-encoding: chunked", body=b"5\r\nhello\r\n0\r\ncontent-length: 9\r\nset-cookie: a\r\n\r\n"),
        Complete(200, b"hello", ((b"content-length", ABSENT), (b"set-cookie", ABSENT))),
    ),
    good("a chunk of 300 kB", b"493e0\r\n" + b"0123456789" * 30_000 + b"\r\n" + LAST, b"0123456789" * 30_000),
]

BAD = [
    bad("no digit", b"g\r\nhello\r\n" + LAST),
    bad("no size", b"\r\nhello\r\n" + LAST),
    bad("a sign", b"-5\r\nhello\r\n" + LAST),
    bad("a prefix", b"0x5\r\nhello\r\n" + LAST),
    bad("a space before the size", b" 5\r\nhello\r\n" + LAST),
    bad("a space behind the size", b"5 \r\nhello\r\n" + LAST, HELLO),
    bad("two sizes", b"5 5\r\nhello\r\n" + LAST),
    bad("NUL behind the size", b"5\0\r\nhello\r\n" + LAST),
    bad("2^64 and five", b"10000000000000005\r\nhello\r\n" + LAST),
    bad("2^64", b"10000000000000000\r\nhello\r\n" + LAST),
    bad("a size of 40 digits", b"f" * 40 + b"\r\nhello\r\n" + LAST),
    bad("LF behind the size", b"5\nhello\r\n" + LAST),
    bad("CR behind the size", b"5\rhello\r\n" + LAST),
    bad("LF behind the chunk", b"5\r\nhello\n" + LAST),
    bad("nothing behind the chunk", b"5\r\nhello" + LAST),
    bad("junk behind the chunk", b"5\r\nhelloXX\r\n" + LAST),
    bad("a chunk longer than its size", b"3\r\nhello\r\n" + LAST),
    bad("LF behind the last size", b"0\n\r\n"),
    bad("LF at the very end", b"0\r\n\n"),
    bad("junk at the end", b"0\r\nXX\r\n\r\n"),
    bad("an answer at the end", b"0\r\n" + answer(b"content-length: 4", body=b"evil")),
    bad("LF in an extension", b"5;a\nhello\r\n" + LAST),
    bad("a bare CR in an extension", b"5;a\rb\r\nhello\r\n" + LAST),
    bad("NUL in an extension", b"5;\0\r\nhello\r\n" + LAST, HELLO),
    bad("70 kB of extensions", b"5;" + b"a" * 70_000 + b"\r\nhello\r\n" + LAST, HELLO),
    bad("a trailer without a colon", b"0\r\nnothing\r\n\r\n"),
    bad("a folded trailer", b"0\r\nx: y\r\n z\r\n\r\n", Complete(200, b"good")),
    bad("NUL in a trailer", b"0\r\nx: \0\r\n\r\n"),
    bad("70 kB of trailers", b"0\r\n" + b"x: y\r\n" * 30_000 + b"\r\n", Complete(200, b"good")),
]

CASES: tuple[ResponseCase, ...] = (*GOOD, *BAD)
