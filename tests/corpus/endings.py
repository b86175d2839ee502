"""Nodes that end, reset, repeat or overtake: the client sees whether it has all, and nobody has another's bytes."""

from tests.corpus.cases import Complete, Cut, Gateway, ResponseCase, answer

OK = Complete(200, b"ok")
FINAL = answer(b"content-length: 2", body=b"ok")
EVIL = answer(b"content-length: 4", body=b"evil")
CHUNKED = answer(b"transfer-encoding: chunked")
POST = b"POST /case HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhello"
CHUNKED_POST = b"POST /case HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"


def ends(name: str, raw: bytes, must: Complete | Cut | Gateway) -> list[ResponseCase]:
    """The same bytes, then a FIN; and then a reset."""
    return [
        ResponseCase(f"FIN {name}", raw, must, end="fin"),
        ResponseCase(f"reset {name}", raw, must, end="reset"),
    ]


ENDS = [
    *ends("in the version", b"HTTP/1", Gateway()),
    *ends("behind the status", b"HTTP/1.1 200", Gateway()),
    *ends("behind the status line", b"HTTP/1.1 200 OK\r\n", Gateway()),
    *ends("in a name", b"HTTP/1.1 200 OK\r\nconte", Gateway()),
    *ends("in a value", b"HTTP/1.1 200 OK\r\ncontent-length: 1", Gateway()),
    *ends("before the empty line", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n", Gateway()),
    *ends("in the empty line", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r", Gateway()),
    *ends("behind the head", answer(b"content-length: 2"), Cut()),
    *ends("in the body", answer(b"content-length: 2", body=b"o"), Cut()),
    *ends("before the last byte", answer(b"content-length: 1000", body=b"x" * 999), Cut()),
    *ends("before the chunks", CHUNKED, Cut()),
    *ends("in a size", CHUNKED + b"5", Cut()),
    *ends("behind a size", CHUNKED + b"5\r\n", Cut()),
    *ends("in a chunk", CHUNKED + b"5\r\nhel", Cut()),
    *ends("behind a chunk's data", CHUNKED + b"5\r\nhello", Cut()),
    *ends("between chunks", CHUNKED + b"5\r\nhello\r\n", Cut()),
    *ends("in the last size", CHUNKED + b"5\r\nhello\r\n0", Cut()),
    *ends("behind the last size", CHUNKED + b"5\r\nhello\r\n0\r\n", Cut()),
    *ends("in the trailers", CHUNKED + b"5\r\nhello\r\n0\r\nx: y\r\n", Cut()),
    *ends("in the last line end", CHUNKED + b"5\r\nhello\r\n0\r\n\r", Cut()),
    *ends("behind the answer", FINAL, OK),
    ResponseCase("a reset of a body without a length", answer(body=b"half"), Cut(), end="reset"),
    ResponseCase("a reset of an empty body without a length", answer(), Cut(), end="reset"),
    ResponseCase(
        "a reset of an old body without a length", answer(first=b"HTTP/1.0 200 OK", body=b"half"), Cut(), end="reset"
    ),
]

MORE = [
    ResponseCase("a byte more than announced", FINAL + b"x", OK),
    ResponseCase("an answer more than announced", FINAL + EVIL, OK),
    ResponseCase("two answers more than announced", FINAL + EVIL + EVIL, OK),
    ResponseCase("half an answer more", FINAL + EVIL[:20], OK),
    ResponseCase("an interim answer behind it", FINAL + b"HTTP/1.1 100 Continue\r\n\r\n", OK),
    ResponseCase("line ends behind it", FINAL + b"\r\n\r\n", OK),
    ResponseCase("an answer behind the last chunk", CHUNKED + b"2\r\nok\r\n0\r\n\r\n" + EVIL, OK),
    ResponseCase("an answer behind 204", answer(first=b"HTTP/1.1 204 X") + EVIL, Complete(204)),
    ResponseCase("an answer behind 304", answer(first=b"HTTP/1.1 304 X") + EVIL, Complete(304)),
    ResponseCase(
        "an answer behind one to HEAD",
        answer(b"content-length: 2") + EVIL,
        Complete(200),
        request=b"HEAD /case HTTP/1.1\r\nhost: a\r\n\r\n",
    ),
    ResponseCase("a second answer later", FINAL, OK, behind=EVIL),
    ResponseCase("a byte later", FINAL, OK, behind=b"x"),
    ResponseCase("half an answer later", FINAL, OK, behind=EVIL[:20]),
    ResponseCase(
        "a second answer behind one that closes",
        answer(b"content-length: 2", b"connection: close", body=b"ok") + EVIL,
        OK,
    ),
]

EARLY = [
    ResponseCase("an answer before the end of the request", FINAL, OK, request=POST, early=True),
    ResponseCase(
        "a refusal before the end of the request",
        answer(b"content-length: 2", first=b"HTTP/1.1 413 X", body=b"no"),
        Complete(413, b"no"),
        request=POST,
        early=True,
    ),
    ResponseCase("an answer before the last chunk of the request", FINAL, OK, request=CHUNKED_POST, early=True),
    ResponseCase(
        "chunks before the end of the request", CHUNKED + b"2\r\nok\r\n0\r\n\r\n", OK, request=POST, early=True
    ),
    ResponseCase("an early answer and the end", FINAL, OK, request=POST, early=True, end="fin"),
    ResponseCase("an early answer and a reset", FINAL, OK, request=POST, early=True, end="reset"),
    ResponseCase("an early answer of two", FINAL + EVIL, OK, request=POST, early=True),
    ResponseCase(
        "half an early answer and the end",
        answer(b"content-length: 2", body=b"o"),
        Cut(),
        request=POST,
        early=True,
        end="fin",
    ),
    ResponseCase("an early answer that is none", b"junk\r\n\r\n", Gateway(), request=POST, early=True),
]

CASES: tuple[ResponseCase, ...] = (*ENDS, *MORE, *EARLY)
