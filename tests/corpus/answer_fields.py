"""Field lines of answers: one that a client could take for two is the beginning of a split (RFC 9112 section 2.2)."""

from tests.corpus.cases import ABSENT, Complete, Gateway, ResponseCase, answer

OK = Complete(200, b"ok")
SECOND = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"


def good(name: str, *lines: bytes, fields: tuple[tuple[bytes, bytes | None], ...] = ()) -> ResponseCase:
    return ResponseCase(name, answer(*lines, b"content-length: 2", body=b"ok"), Complete(200, b"ok", fields))


def bad(name: str, *lines: bytes) -> ResponseCase:
    return ResponseCase(name, answer(*lines, b"content-length: 2", body=b"ok"), Gateway())


def with_ends(first: bytes, second: bytes, last: bytes) -> bytes:
    return b"HTTP/1.1 200 OK" + first + b"x: y" + second + b"content-length: 2" + last + b"\r\nok"


_X = Complete(200, b"ok", ((b"x", b"y"),))

GOOD = [
    good("an empty value", b"x:", fields=((b"x", b""),)),
    good("spaces around a value", b"x: \t y \t", fields=((b"x", b"y"),)),
    good("high bytes", b"x: \x80\xff", fields=((b"x", b"\x80\xff"),)),
    good("capitals", b"X-ABC: Y", fields=((b"x-abc", b"Y"),)),
    good("a field twice", b"set-cookie: a=b", b"set-cookie: c=d"),
    good(
        "hop-by-hop fields",
        b"keep-alive: timeout=5",
        b"proxy-connection: x",
        fields=((b"keep-alive", ABSENT), (b"proxy-connection", ABSENT)),
    ),
    good(
        "Upgrade without a 101",
        b"connection: upgrade",
        b"upgrade: h2c",
        fields=((b"upgrade", ABSENT), (b"connection", ABSENT)),
    ),
    good("90 fields", *[b"x-%d: y" % number for number in range(90)], fields=((b"x-89", b"y"),)),
    good(
        "a line end that is escaped",
        b"location: /%0d%0aset-cookie:%20a=b",
        fields=((b"location", b"/%0d%0aset-cookie:%20a=b"),),
    ),
]

LINE_ENDS = [
    ResponseCase("LF behind the status line", with_ends(b"\n", b"\r\n", b"\r\n"), Gateway(), readings=(_X,)),
    ResponseCase("LF behind a field line", with_ends(b"\r\n", b"\n", b"\r\n"), Gateway(), readings=(_X,)),
    ResponseCase("LF behind the last field line", with_ends(b"\r\n", b"\r\n", b"\n"), Gateway(), readings=(_X,)),
    ResponseCase(
        "LF everywhere", b"HTTP/1.1 200 OK\nx: y\ncontent-length: 2\n\nok", Gateway(), end="fin", readings=(_X,)
    ),
    ResponseCase("CR behind the status line", with_ends(b"\r", b"\r\n", b"\r\n"), Gateway()),
    ResponseCase("CR behind a field line", with_ends(b"\r\n", b"\r", b"\r\n"), Gateway()),
    ResponseCase("CR CR LF behind a field line", with_ends(b"\r\n", b"\r\r\n", b"\r\n"), Gateway(), readings=(_X,)),
    ResponseCase("LF CR behind a field line", with_ends(b"\r\n", b"\n\r", b"\r\n"), Gateway()),
]

FOLDING = [
    ResponseCase(
        "a folded value",
        answer(b"x: y", b" z", b"content-length: 2", body=b"ok"),
        Gateway(),
        readings=(Complete(200, b"ok", ((b"x", b"y z"),)),),
    ),
    ResponseCase(
        "a value folded with a tab",
        answer(b"x: y", b"\tz", b"content-length: 2", body=b"ok"),
        Gateway(),
        readings=(Complete(200, b"ok", ((b"x", b"y z"),)), Complete(200, b"ok", ((b"x", b"y\tz"),))),
    ),
    ResponseCase("a fold first", answer(b" x: y", b"content-length: 2", body=b"ok"), Gateway()),
    ResponseCase(
        "a folded cookie",
        answer(b"set-cookie: a=b", b" set-cookie: c=d", b"content-length: 2", body=b"ok"),
        Gateway(),
        readings=(Complete(200, b"ok", ((b"set-cookie", b"a=b set-cookie: c=d"),)),),
    ),
]

BAD = [
    bad("a space before the colon", b"x : y"),
    bad("a tab before the colon", b"x\t: y"),
    bad("a space in a name", b"x z: y"),
    bad("no name", b": y"),
    bad("no colon", b"nothing"),
    bad("NUL in a name", b"x\0: y"),
    bad("NUL in a value", b"x: a\0b"),
    bad("NUL at the end of a value", b"x: a\0"),
    bad("a control byte in a value", b"x: a\x01b"),
    bad("DEL in a value", b"x: a\x7fb"),
    bad("a high byte in a name", b"x\xe4: y"),
    bad("brackets in a name", b"x[0]: y"),
    bad("quotes around a name", b'"x": y'),
    ResponseCase(
        "a bare CR in a value",
        answer(b"x: a\rb", b"content-length: 2", body=b"ok"),
        Gateway(),
        readings=(Complete(200, b"ok", ((b"x", b"a b"),)),),
    ),
    ResponseCase(
        "a cookie behind a bare CR",
        answer(b"location: /\rset-cookie: a=b", b"content-length: 2", body=b"ok"),
        Gateway(),
        readings=(Complete(200, b"ok", ((b"set-cookie", ABSENT), (b"location", b"/ set-cookie: a=b"))),),
    ),
    ResponseCase(
        "a cookie behind a bare LF",
        answer(b"location: /\nset-cookie: a=b", b"content-length: 2", body=b"ok"),
        Gateway(),
        readings=(Complete(200, b"ok", ((b"set-cookie", b"a=b"),)),),
    ),
    ResponseCase("two bare CRs and an answer", answer(b"location: /\r\r" + SECOND), Gateway()),
    ResponseCase(
        "two bare LFs and an answer",
        b"HTTP/1.1 200 OK\r\nlocation: /\n\n" + SECOND,
        Gateway(),
        end="fin",
        readings=(Complete(200, SECOND),),
    ),
    ResponseCase(
        "101 fields",
        answer(*[b"x-%d: y" % number for number in range(101)], b"content-length: 2", body=b"ok"),
        Gateway(),
        readings=(OK,),
    ),
    ResponseCase(
        "a field of 300 kB",
        answer(b"x: " + b"v" * 300_000, b"content-length: 2", body=b"ok"),
        Gateway(),
        readings=(OK,),
    ),
    ResponseCase("fields without an end", b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000, Gateway(), end="fin"),
]

CASES: tuple[ResponseCase, ...] = (*GOOD, *LINE_ENDS, *FOLDING, *BAD)
