"""Requests behind requests, and fields that are for one connection only (RFC 9112 section 9, RFC 9110 section 7.6)."""

from tests.corpus.cases import ABSENT, RequestCase, Seen, forwarded, head, post, refused

A, B, C = (head(first=b"GET /%b HTTP/1.1" % name) for name in (b"a", b"b", b"c"))
SEEN_A, SEEN_B, SEEN_C = Seen(target=b"/a"), Seen(target=b"/b"), Seen(target=b"/c")
HELLO = post(b"content-length: 5", body=b"hello")
SEEN_HELLO = Seen(b"POST", b"/", b"hello")
CHUNKS = post(b"transfer-encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n")
LAST = Seen(target=b"/a", fields=((b"connection", ABSENT),))


def behind(name: str, bad: bytes, status: int = 400) -> RequestCase:
    """A good request, then one that is refused."""
    return RequestCase(name, A + bad, seen=(SEEN_A,), status=status, closes=True)


def closing(name: str, connection: bytes) -> RequestCase:
    """The client says that its first request is its last; what it sends behind that is not looked at."""
    raw = head(connection, first=b"GET /a HTTP/1.1") + B
    return RequestCase(name, raw, seen=(LAST,), closes=True)


def dropped(name: str, *lines: bytes, gone: tuple[bytes, ...]) -> RequestCase:
    return forwarded(name, head(*lines), Seen(fields=tuple((field, ABSENT) for field in gone)))


PIPELINES = [
    forwarded("three requests", A + B + C, SEEN_A, SEEN_B, SEEN_C),
    forwarded("twenty requests", A * 20, *[SEEN_A] * 20),
    forwarded("empty lines between", A + b"\r\n" + B + b"\r\n\r\n" + C, SEEN_A, SEEN_B, SEEN_C),
    forwarded("bodies between", HELLO + A + CHUNKS + B, SEEN_HELLO, SEEN_A, SEEN_HELLO, SEEN_B),
    forwarded("HEAD, then GET", head(first=b"HEAD /h HTTP/1.1") + A, Seen(b"HEAD", b"/h"), SEEN_A),
    forwarded("a request behind an empty body", post(b"content-length: 0") + A, Seen(b"POST"), SEEN_A),
    forwarded(
        "a request as a body, and one behind it",
        post(b"content-length: %d" % len(A), body=A) + B,
        Seen(b"POST", b"/", A),
        SEEN_B,
    ),
    forwarded(
        "a request as a chunk, and one behind it",
        post(b"transfer-encoding: chunked", body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(A), A)) + B,
        Seen(b"POST", b"/", A),
        SEEN_B,
    ),
    behind("then junk", b"junk\r\n\r\n"),
    behind("then every byte", bytes(range(256))),
    behind("then a chunk nobody announced", b"5\r\nhello\r\n0\r\n\r\n"),
    behind("then HTTP/1.0", head(first=b"GET /b HTTP/1.0"), 426),
    behind("then both framings", post(b"content-length: 5", b"transfer-encoding: chunked", body=b"0\r\n\r\n")),
    behind("then a space before the request", b" " + B),
    behind("then a body nobody announced", b"hello" + B),
    behind("then no Host", head(first=b"GET /b HTTP/1.1", host=b"")),
    behind("then too many fields", head(*[b"x: y"] * 101), 431).or_read(SEEN_A, Seen()),
    behind("then the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 426),
    RequestCase("a body longer than announced", HELLO + b"world\r\n\r\n", seen=(SEEN_HELLO,), status=400, closes=True),
    RequestCase(
        "chunks with more behind the last", CHUNKS + b"world\r\n\r\n", seen=(SEEN_HELLO,), status=400, closes=True
    ),
    RequestCase("junk before a good request", b"junk\r\n\r\n" + A, status=400, closes=True),
    RequestCase("no such Host before a good request", head(b"host: b") + A, status=400, closes=True),
    RequestCase(
        "OPTIONS * between", A + head(first=b"OPTIONS * HTTP/1.1") + B, seen=(SEEN_A, SEEN_B), answers=(200, 404, 200)
    ).or_read(SEEN_A, Seen(b"OPTIONS", b"*"), SEEN_B),
]

CONNECTION = [
    closing("Connection: close", b"connection: close"),
    closing("capitals", b"CONNECTION: CLOSE"),
    closing("close in a list", b"connection: x, close ,y"),
    closing("close at the end of a list", b"connection: keep-alive, close"),
    forwarded(
        "a word that begins as close", head(b"connection: closed") + B, Seen(fields=((b"connection", ABSENT),)), SEEN_B
    ),
    forwarded("keep-alive", head(b"connection: keep-alive") + B, Seen(fields=((b"connection", ABSENT),)), SEEN_B),
    forwarded("an empty Connection", head(b"connection:") + B, Seen(fields=((b"connection", ABSENT),)), SEEN_B),
    forwarded("a list of commas", head(b"connection: ,, ,") + B, Seen(fields=((b"connection", ABSENT),)), SEEN_B),
    dropped("Keep-Alive", b"connection: keep-alive", b"keep-alive: timeout=5", gone=(b"connection", b"keep-alive")),
    dropped("Proxy-Connection", b"proxy-connection: keep-alive", gone=(b"proxy-connection",)),
    dropped(
        "a field that Connection names", b"connection: x-secret", b"x-secret: y", gone=(b"connection", b"x-secret")
    ),
    dropped("a field that Connection names in capitals", b"connection: X-SECRET", b"x-secret: y", gone=(b"x-secret",)),
    dropped("two Connections", b"connection: x", b"connection: z", b"x: 1", b"z: 2", gone=(b"connection", b"x", b"z")),
    forwarded("Connection that names the Host", head(b"connection: host"), Seen(fields=((b"connection", ABSENT),))),
    dropped("TE", b"te: gzip, deflate;q=0.5", gone=(b"te",)),
    dropped("TE chunked", b"connection: te", b"te: chunked", gone=(b"te", b"connection")),
    dropped("Upgrade without Connection", b"upgrade: foo", gone=(b"upgrade",)),
    refused("Connection that names X-Forwarded-For", head(b"connection: x-forwarded-for")).or_read(Seen()),
    refused("Connection that names X-Forwarded-Proto", head(b"connection: close, x-forwarded-proto")).or_read(Seen()),
    refused("Connection with a NUL", head(b"connection: close\0")),
    refused("Connection with a bare CR", head(b"connection: close\rx: y")).or_read(Seen()),
]

EXPECT = [
    forwarded("an expectation nobody knows", head(b"expect: 200-ok"), Seen(fields=((b"expect", b"200-ok"),))),
    RequestCase("an expectation of 100 and no body", head(b"expect: 100-continue"), seen=(Seen(),)),
    RequestCase(
        "an expectation of 100 and a body",
        post(b"expect: 100-continue", b"content-length: 5", body=b"hello"),
        seen=(SEEN_HELLO,),
    ),
    RequestCase(
        "an expectation in capitals",
        post(b"EXPECT: 100-CONTINUE", b"content-length: 5", body=b"hello"),
        seen=(SEEN_HELLO,),
    ),
    RequestCase(
        "an expectation and both framings",
        post(b"expect: 100-continue", b"content-length: 5", b"transfer-encoding: chunked"),
        status=400,
        closes=True,
    ),
]

CASES: tuple[RequestCase, ...] = (*PIPELINES, *CONNECTION, *EXPECT)
