"""Trailers: dropped where they are well formed, and never fields of the head (RFC 9110 section 6.5)."""

from tests.corpus.cases import ABSENT, RequestCase, Seen, broken, chunked, forwarded

POISON = b"GET /poison HTTP/1.1\r\nhost: a\r\n\r\n"
DROPPED = Seen(
    b"POST",
    b"/",
    b"hello",
    fields=((b"x", ABSENT), (b"x-forwarded-for", ABSENT), (b"authorization", ABSENT)),
)
THEN = Seen(target=b"/poison")


def body(*trailers: bytes) -> bytes:
    return b"5\r\nhello\r\n0\r\n" + b"".join(each + b"\r\n" for each in trailers) + b"\r\n" + POISON


def dropped(name: str, *trailers: bytes) -> RequestCase:
    return forwarded(name, chunked(body(*trailers)), DROPPED, THEN)


def bad(name: str, *trailers: bytes) -> RequestCase:
    return broken(name, chunked(body(*trailers)))


GOOD = [
    dropped("one trailer", b"x: y"),
    dropped("ten trailers", *[b"x-%d: y" % number for number in range(10)]),
    dropped("an empty trailer", b"x:"),
    dropped("a length as a trailer", b"content-length: 9"),
    dropped("a coding as a trailer", b"transfer-encoding: chunked"),
    dropped("a host as a trailer", b"host: evil"),
    dropped("an address as a trailer", b"x-forwarded-for: 127.0.0.1"),
    dropped("credentials as a trailer", b"authorization: Basic YTpi"),
    dropped("Connection as a trailer", b"connection: close"),
    dropped("Upgrade as a trailer", b"upgrade: websocket", b"connection: upgrade"),
    dropped("a trailer that was announced", b"x-checksum: 1"),
    dropped("a trailer of high bytes", b"x: \x80\xff"),
    forwarded("a Trailer field", chunked(body(b"x: y"), b"trailer: x"), DROPPED, THEN),
    forwarded(
        "a Trailer field that names a framing",
        chunked(body(b"content-length: 9"), b"trailer: content-length"),
        DROPPED,
        THEN,
    ),
]

BAD = [
    bad("a request as a trailer", b"GET /inner HTTP/1.1", b"host: a"),
    bad("a trailer without a colon", b"nothing"),
    bad("a trailer without a name", b": y"),
    bad("a space before the colon", b"x : y"),
    bad("a space in the name", b"x z: y"),
    bad("a folded trailer", b"x: y", b" z").or_read(DROPPED, THEN),
    bad("a fold first", b" x: y"),
    bad("NUL in a trailer", b"x: \0"),
    bad("NUL in a trailer's name", b"x\0: y"),
    bad("a bare CR in a trailer", b"x: a\rb").or_read(DROPPED, THEN),
    bad("LF behind a trailer", b"x: y\nz: w").or_read(Seen(b"POST", b"/", b"hello"), THEN),
    bad("LF behind the only trailer", b"x: y\n").or_read(Seen(b"POST", b"/", b"hello"), THEN),
    bad("a control byte in a trailer", b"x: \x01"),
    bad("DEL in a trailer", b"x: \x7f"),
    bad("a high byte in a trailer's name", b"\xff: y"),
    bad("70 kB of trailers", *[b"x: " + b"v" * 1000] * 70).or_read(DROPPED, THEN),
    bad("a trailer of 70 kB", b"x: " + b"v" * 70_000).or_read(DROPPED, THEN),
]

CASES: tuple[RequestCase, ...] = (*GOOD, *BAD)
