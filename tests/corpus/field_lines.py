"""Field lines: how they end, fold and begin, and the bytes in them (RFC 9112 sections 2.2 and 5, RFC 9110 5.5)."""

from tests.corpus.cases import ABSENT, RequestCase, Seen, forwarded, head, refused


def kept(name: str, line: bytes, field: bytes, value: bytes) -> RequestCase:
    """Forwarded, with that name and value."""
    return forwarded(name, head(line), Seen(fields=((field, value),)))


def with_ends(first: bytes, host: bytes, last: bytes) -> bytes:
    """A request with these line ends."""
    return b"GET / HTTP/1.1" + first + b"host: a" + host + b"x: y" + last + b"\r\n"


_X = Seen(fields=((b"x", b"y"),))

LINE_ENDS = [
    refused("LF behind the request line", with_ends(b"\n", b"\r\n", b"\r\n")).or_read(_X),
    refused("LF behind a field line", with_ends(b"\r\n", b"\n", b"\r\n")).or_read(_X),
    refused("LF behind the last field line", with_ends(b"\r\n", b"\r\n", b"\n")).or_read(_X),
    refused("LF everywhere", b"GET / HTTP/1.1\nhost: a\nx: y\n\n").or_read(_X),
    refused("LF as the empty line", b"GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n\n").or_read(_X),
    refused("LF CR", with_ends(b"\n\r", b"\n\r", b"\n\r")),
    refused("CR behind the request line", with_ends(b"\r", b"\r\n", b"\r\n")),
    refused("CR behind a field line", with_ends(b"\r\n", b"\r", b"\r\n")),
    refused("CR behind the last field line", with_ends(b"\r\n", b"\r\n", b"\r")),
    refused("CR everywhere", b"GET / HTTP/1.1\rhost: a\rx: y\r\r"),
    refused("CR CR LF behind the request line", with_ends(b"\r\r\n", b"\r\n", b"\r\n")).or_read(_X),
    refused("CR CR LF behind a field line", with_ends(b"\r\n", b"\r\r\n", b"\r\n")).or_read(_X),
    refused("CR CR LF behind the last line", with_ends(b"\r\n", b"\r\n", b"\r\r\n")).or_read(_X),
    refused("NUL behind a field line", with_ends(b"\r\n", b"\0\r\n", b"\r\n")),
    refused("a space behind the CR", with_ends(b"\r\n", b"\r \n", b"\r\n")),
    refused("a line separator of Unicode", with_ends(b"\r\n", "\u2028".encode() + b"host: b\r\n", b"\r\n")),
    refused("a next-line byte", with_ends(b"\r\n", b"\x85host: b\r\n", b"\r\n")),
]

_SPACED = Seen(fields=((b"x", b"y z"),))

FOLDING = [
    refused("a folded value", head(b"x: y", b" z")).or_read(Seen(fields=((b"x", b"y z"),))),
    refused("a value folded with a tab", head(b"x: y", b"\tz"))
    .or_read(_SPACED)
    .or_read(Seen(fields=((b"x", b"y\tz"),))),
    refused("a value on the next line", head(b"x:", b" y")).or_read(_X),
    refused("a fold that is empty", head(b"x: y", b" ")).or_read(_X),
    refused("two folds", head(b"x: y", b" z", b" w")).or_read(Seen(fields=((b"x", b"y z w"),))),
    refused("a fold that looks like a field", head(b"x: y", b" content-length: 5")).or_read(
        Seen(fields=((b"x", b"y content-length: 5"), (b"content-length", ABSENT)))
    ),
    refused("a fold before the first field", b"GET / HTTP/1.1\r\n x: y\r\nhost: a\r\n\r\n"),
    refused("a line of spaces before the first field", b"GET / HTTP/1.1\r\n  \r\nhost: a\r\n\r\n"),
    refused("a fold behind LF", head(b"x: y\n z")).or_read(_SPACED),
    refused("a fold behind CR", head(b"x: y\r z")).or_read(Seen(fields=((b"x", b"y  z"),))),
]

NAMES = [
    kept("an empty value", b"x:", b"x", b""),
    kept("a value of spaces", b"x:  \t ", b"x", b""),
    kept("no space before the value", b"x:y", b"x", b"y"),
    kept("spaces around a value", b"x: \t y \t ", b"x", b"y"),
    kept("spaces and tabs in a value", b"x: a \t b", b"x", b"a \t b"),
    kept("colons in a value", b"x: :a: b:", b"x", b":a: b:"),
    kept("every sign that a name may have", b"!#$%&'*+-.^_`|~09az: y", b"!#$%&'*+-.^_`|~09az", b"y"),
    kept("a name in capitals", b"X-ABC: Y", b"x-abc", b"Y"),
    kept("high bytes in a value", b"x: \x80\xff", b"x", b"\x80\xff"),
    kept("UTF-8 in a value", "x: \u00e4\u20ac".encode(), b"x", "\u00e4\u20ac".encode()),
    refused("a space before the colon", head(b"x : y")),
    refused("a tab before the colon", head(b"x\t: y")),
    refused("a space in a name", head(b"x z: y")),
    refused("a space before a name", b"GET / HTTP/1.1\r\n host: a\r\n\r\n"),
    refused("no name", head(b": y")),
    refused("no name and no value", head(b":")),
    refused("no colon", head(b"nothing")),
    refused("no colon but a space", head(b"x y")),
    refused("an equals sign for the colon", head(b"x= y")),
    refused("NUL in a name", head(b"x\0z: y")),
    refused("NUL before the colon", head(b"x\0: y")),
    refused("a control byte in a name", head(b"x\x01: y")),
    refused("DEL in a name", head(b"x\x7f: y")),
    refused("a high byte in a name", head(b"x\xe4: y")),
    refused("brackets in a name", head(b"x[0]: y")),
    refused("braces in a name", head(b"{x}: y")),
    refused("quotes around a name", head(b'"x": y')),
    refused("a comma in a name", head(b"x,z: y")),
    refused("a slash in a name", head(b"x/z: y")),
    refused("an at sign in a name", head(b"x@z: y")),
    refused("a backslash in a name", head(b"x\\z: y")),
    refused("a question mark in a name", head(b"x?: y")),
    refused("a name of HTTP/2", head(b":path: /evil")),
    refused("a bare CR in a name", head(b"x\rz: y")),
    refused("a bare LF in a name", head(b"x\nz: y")),
]

VALUES = [
    refused("NUL in a value", head(b"x: a\0b")),
    refused("NUL alone", head(b"x: \0")),
    refused("NUL at the end of a value", head(b"x: a\0")),
    refused("a bare CR in a value", head(b"x: a\rb")).or_read(Seen(fields=((b"x", b"a b"),))),
    refused("a bare CR before a field", head(b"x: a\rtransfer-encoding: chunked")).or_read(
        Seen(fields=((b"x", b"a transfer-encoding: chunked"),))
    ),
    refused("a bare CR at the end of a value", head(b"x: a\r")).or_read(Seen(fields=((b"x", b"a"),))),
    refused("a bare LF in a value", head(b"x: a\nb")),
    refused("a bell in a value", head(b"x: a\x07b")),
    refused("a vertical tab in a value", head(b"x: a\x0bb")),
    refused("a form feed in a value", head(b"x: a\x0cb")),
    refused("an escape byte in a value", head(b"x: \x1b[2J")),
    refused("DEL in a value", head(b"x: a\x7fb")),
    refused("the smallest control byte in a value", head(b"x: a\x01b")),
    refused("a unit separator in a value", head(b"x: a\x1fb")),
    forwarded("100 fields", head(*[b"x-%d: y" % number for number in range(99)]), Seen(fields=((b"x-98", b"y"),))),
    refused("101 fields", head(*[b"x-%d: y" % number for number in range(100)]), 431).or_read(Seen()),
    forwarded("50 kB of fields", head(b"x: " + b"v" * 50_000), Seen(fields=((b"x", b"v" * 50_000),))),
    refused("70 kB of fields", head(*[b"x-%d: %b" % (number, b"v" * 1000) for number in range(70)]), 431).or_read(
        Seen()
    ),
    refused("a field of 70 kB", head(b"x: " + b"v" * 70_000), 431).or_read(Seen()),
    refused("a name of 70 kB", head(b"x" * 70_000 + b": y"), 431).or_read(Seen()),
    refused("a head that never ends", b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"v" * 70_000, 431),
]

CASES: tuple[RequestCase, ...] = (*LINE_ENDS, *FOLDING, *NAMES, *VALUES)
