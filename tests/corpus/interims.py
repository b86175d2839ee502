"""Answers before the answer (RFC 9110 section 15.2), and a change of protocols that must be the one asked for."""

from tests.corpus.cases import ABSENT, Complete, Gateway, ResponseCase, answer, head
from tests.support.websocket import KEY, accept_of

OK = Complete(200, b"ok")
FINAL = answer(b"content-length: 2", body=b"ok")
SWITCH = (b"upgrade: websocket", b"connection: upgrade", b"sec-websocket-accept: " + accept_of(KEY))
SWITCHED = Complete(101, fields=((b"upgrade", b"websocket"), (b"sec-websocket-accept", accept_of(KEY))))
HANDSHAKE = head(
    b"connection: upgrade", b"upgrade: websocket", b"sec-websocket-key: " + KEY, b"sec-websocket-version: 13"
)


def interim(name: str, *raw: bytes) -> ResponseCase:
    """Passed over: the final answer is the answer."""
    return ResponseCase(name, b"".join(raw) + FINAL, OK)


def one(status: int, *lines: bytes) -> bytes:
    return answer(*lines, first=b"HTTP/1.1 %d X" % status)


def bad(name: str, raw: bytes) -> ResponseCase:
    return ResponseCase(name, raw, Gateway())


def switch(name: str, *lines: bytes, first: bytes = b"HTTP/1.1 101 X") -> ResponseCase:
    """Does not answer our handshake."""
    return ResponseCase(name, answer(*lines, first=first, body=b"evil"), Gateway(), request=HANDSHAKE)


INTERIMS = [
    interim("100", one(100)),
    interim("100 nobody waits for, twice", one(100), one(100)),
    interim("102", one(102)),
    interim("103 with links", one(103, b"link: </a>; rel=preload")),
    interim("103 with a cookie", one(103, b"set-cookie: evil=1")),
    interim("199 that nobody knows", one(199)),
    interim("104", one(104)),
    interim("ten of them", one(103, b"link: x") * 10),
    interim("with the fields of a body, which has none", one(103, b"content-type: text/plain")),
    interim("100 that would close", one(100, b"connection: close")),
    interim("100 in HTTP/1.0", answer(first=b"HTTP/1.0 100 X")),
    bad("junk behind an interim answer", one(100) + b"junk\r\n\r\n"),
    bad("an interim answer with a NUL", one(103, b"x: \0") + FINAL),
    bad("an interim answer with a bare CR", one(103, b"x: a\rb") + FINAL),
    ResponseCase(
        "an interim answer with both framings",
        one(103, b"content-length: 2", b"transfer-encoding: chunked") + FINAL,
        Gateway(),
        readings=(OK,),
    ),
    bad("an interim answer with a body", one(103, b"content-length: 2") + b"no" + FINAL),
    bad("an interim answer with chunks", one(103, b"transfer-encoding: chunked") + b"2\r\nno\r\n0\r\n\r\n" + FINAL),
    ResponseCase("a flood of interim answers", one(103) * 5000 + FINAL, Gateway(), readings=(OK,)),
    ResponseCase("large interim answers", one(103, b"link: " + b"v" * 8000) * 50 + FINAL, Gateway(), readings=(OK,)),
    ResponseCase("interim answers without an end", one(103) * 20, Gateway(503), end="fin"),
]

SWITCHES = [
    ResponseCase("the right answer", answer(*SWITCH, first=b"HTTP/1.1 101 X"), SWITCHED, request=HANDSHAKE),
    ResponseCase(
        "capitals",
        answer(
            *(line.split(b":")[0].upper() + b":" + line.split(b":", 1)[1] for line in SWITCH), first=b"HTTP/1.1 101 X"
        ),
        SWITCHED,
        request=HANDSHAKE,
    ),
    ResponseCase(
        "the right answer with a length of none",
        answer(*SWITCH, b"content-length: 0", first=b"HTTP/1.1 101 X"),
        Complete(101, fields=((b"content-length", ABSENT),)),
        request=HANDSHAKE,
    ),
    ResponseCase(
        "an interim answer before it", one(103) + answer(*SWITCH, first=b"HTTP/1.1 101 X"), SWITCHED, request=HANDSHAKE
    ),
    ResponseCase("no change after all", FINAL, OK, request=HANDSHAKE),
    ResponseCase(
        "426",
        answer(b"content-length: 2", b"sec-websocket-version: 8", first=b"HTTP/1.1 426 X", body=b"no"),
        Complete(426, b"no"),
        request=HANDSHAKE,
    ),
    ResponseCase(
        "200 with the fields of a change",
        answer(*SWITCH, b"content-length: 2", body=b"ok"),
        Complete(200, b"ok", ((b"upgrade", ABSENT),)),
        request=HANDSHAKE,
    ),
    switch("another key's answer", *SWITCH[:2], b"sec-websocket-accept: " + accept_of(b"x3JJHMbDL1EzLkh9GBhXDw==")),
    switch("the key for an answer", *SWITCH[:2], b"sec-websocket-accept: " + KEY),
    switch("the answer in small letters", *SWITCH[:2], b"sec-websocket-accept: " + accept_of(KEY).lower()),
    switch("an answer that is cut", *SWITCH[:2], b"sec-websocket-accept: " + accept_of(KEY)[:-1]),
    switch("an answer and more", *SWITCH[:2], b"sec-websocket-accept: " + accept_of(KEY) + b"="),
    switch("an empty answer", *SWITCH[:2], b"sec-websocket-accept:"),
    switch("no answer", *SWITCH[:2]),
    switch("two answers", *SWITCH, b"sec-websocket-accept: " + accept_of(b"x3JJHMbDL1EzLkh9GBhXDw==")),
    switch("two answers, the second right", *SWITCH[:2], b"sec-websocket-accept: x", SWITCH[2]),
    switch("no Upgrade", *SWITCH[1:]),
    switch("no Connection", SWITCH[0], SWITCH[2]),
    switch("another protocol", b"upgrade: foo", *SWITCH[1:]),
    switch("two protocols", b"upgrade: websocket, foo", *SWITCH[1:]),
    switch("two Upgrade fields", *SWITCH, b"upgrade: foo"),
    switch("Connection that nearly says it", SWITCH[0], b"connection: upgraded", SWITCH[2]),
    switch("Connection that closes", SWITCH[0], b"connection: close", SWITCH[2]),
    switch("chunked", *SWITCH, b"transfer-encoding: chunked"),
    switch("a length", *SWITCH, b"content-length: 4"),
    switch("a NUL in a field", *SWITCH, b"x: \0"),
    switch("HTTP/1.0", *SWITCH, first=b"HTTP/1.0 101 X"),
    switch("nothing but the status"),
    bad("a change nobody asked for", answer(*SWITCH, first=b"HTTP/1.1 101 X", body=b"evil")),
    bad("a change to nothing", answer(first=b"HTTP/1.1 101 X", body=b"evil")),
    bad("a change behind an interim answer", one(103) + answer(*SWITCH, first=b"HTTP/1.1 101 X", body=b"evil")),
    bad("a change with an answer behind it", answer(*SWITCH, first=b"HTTP/1.1 101 X") + FINAL),
]

CASES: tuple[ResponseCase, ...] = (*INTERIMS, *SWITCHES)
