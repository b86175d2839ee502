"""Transfer-Encoding: `chunked` alone and once, and no Content-Length beside it (RFC 9112 section 6.1).

Whoever hides the field from one of two parsers has smuggled a request. The bodies here are a request to the parser
that does not see the coding.
"""

from tests.corpus.cases import ABSENT, RequestCase, Seen, forwarded, head, post, refused

POISON = b"GET /poison HTTP/1.1\r\nhost: a\r\n\r\n"
BODY = b"0\r\n\r\n" + POISON
EMPTY = Seen(b"POST")
HELD = Seen(b"POST", b"/", BODY)
THEN = Seen(target=b"/poison")


def bad(name: str, *lines: bytes, status: int = 400) -> RequestCase:
    return refused(name, post(*lines, body=BODY), status)


def unknown(name: str, value: bytes) -> RequestCase:
    """A coding that this proxy does not have."""
    return bad(name, b"transfer-encoding: " + value, status=501)


def obscured(name: str, *lines: bytes, status: int = 400) -> RequestCase:
    """With a length that holds the whole of it for those who do not see the coding."""
    return refused(name, post(*lines, b"content-length: %d" % len(BODY), body=BODY), status)


def folded(name: str, *lines: bytes) -> RequestCase:
    """Who makes a fold, or a bare CR, a space has no coding here but a length, and says so to the node."""
    return obscured(name, *lines).or_read(HELD)


GOOD = [
    forwarded("chunked", post(b"transfer-encoding: chunked", body=BODY), EMPTY, THEN),
    forwarded("capitals", post(b"TRANSFER-ENCODING: CHUNKED", body=BODY), EMPTY, THEN),
    forwarded("mixed case", post(b"Transfer-Encoding: cHuNkEd", body=BODY), EMPTY, THEN),
    forwarded("spaces before it", post(b"transfer-encoding: \t chunked", body=BODY), EMPTY, THEN),
    bad("spaces behind it", b"transfer-encoding: chunked \t ").or_read(EMPTY, THEN),
    forwarded("no space before it", post(b"transfer-encoding:chunked", body=BODY), EMPTY, THEN),
    forwarded("with GET", head(b"transfer-encoding: chunked") + BODY, Seen(), THEN),
    forwarded("with HEAD", head(b"transfer-encoding: chunked", first=b"HEAD / HTTP/1.1") + b"0\r\n\r\n", Seen(b"HEAD")),
    forwarded(
        "named by Connection",
        post(b"transfer-encoding: chunked", b"connection: transfer-encoding", body=BODY),
        EMPTY,
        THEN,
    ),
    forwarded(
        "in another field",
        post(b"x-transfer-encoding: chunked", b"te: chunked", b"content-encoding: chunked", body=POISON),
        Seen(b"POST", fields=((b"transfer-encoding", ABSENT), (b"te", ABSENT))),
        THEN,
    ),
    forwarded(
        "names that are nearly this one",
        post(b"transfer_encoding: chunked", b"transfer-encodin: chunked", b"transferencoding: chunked", body=POISON),
        Seen(b"POST", fields=((b"transfer-encoding", ABSENT),)),
        THEN,
    ),
]

BOTH = [
    bad("and a length", b"transfer-encoding: chunked", b"content-length: 5").or_read(EMPTY, THEN),
    bad("and a length before it", b"content-length: 5", b"transfer-encoding: chunked").or_read(EMPTY, THEN),
    bad("and a length of none", b"transfer-encoding: chunked", b"content-length: 0").or_read(EMPTY, THEN),
    bad("and the right length", b"transfer-encoding: chunked", b"content-length: 39").or_read(EMPTY, THEN),
    bad("and a length that is none", b"transfer-encoding: chunked", b"content-length: x").or_read(EMPTY, THEN),
    bad("and an empty length", b"transfer-encoding: chunked", b"content-length:").or_read(EMPTY, THEN),
    bad("and two lengths", b"content-length: 5", b"transfer-encoding: chunked", b"content-length: 6"),
    bad("and a length with a space before its colon", b"transfer-encoding: chunked", b"content-length : 5"),
    bad(
        "both named by Connection",
        b"connection: transfer-encoding, content-length",
        b"transfer-encoding: chunked",
        b"content-length: 5",
    ).or_read(EMPTY, THEN),
    refused("both with GET", head(b"content-length: 5", b"transfer-encoding: chunked") + BODY).or_read(Seen(), THEN),
    refused("in HTTP/1.0", head(b"transfer-encoding: chunked", first=b"POST / HTTP/1.0") + BODY, 426),
    refused(
        "in HTTP/1.0 with a length",
        head(b"transfer-encoding: chunked", b"content-length: 5", first=b"POST / HTTP/1.0") + BODY,
    ),
]

CODINGS = [
    unknown("gzip", b"gzip"),
    unknown("gzip before chunked", b"gzip, chunked"),
    unknown("gzip behind chunked", b"chunked, gzip"),
    unknown("identity", b"identity"),
    unknown("identity before chunked", b"identity, chunked"),
    unknown("identity behind chunked", b"chunked, identity"),
    unknown("twice in a list", b"chunked, chunked"),
    unknown("twice without a space", b"chunked,chunked"),
    unknown("a letter before it", b"xchunked"),
    unknown("a letter behind it", b"chunkedx"),
    unknown("a letter less", b"chunke"),
    unknown("two words", b"chunked identity"),
    unknown("a word before it", b"x chunked"),
    unknown("a parameter", b"chunked;q=1"),
    unknown("a semicolon", b"chunked;"),
    unknown("a comma behind it", b"chunked,"),
    unknown("a comma before it", b",chunked"),
    unknown("quotes", b'"chunked"'),
    unknown("single quotes", b"'chunked'"),
    unknown("brackets", b"[chunked]"),
    unknown("a colon before it", b": chunked"),
    unknown("a dash in it", b"chun-ked"),
    unknown("a space in it", b"chun ked"),
    unknown("a dot behind it", b"chunked."),
    unknown("a backslash before it", b"\\chunked"),
    unknown("a name of Unicode", "\u017fhunked".encode()),
    unknown("a no-break space before it", b"\xa0chunked"),
    unknown("empty", b""),
    unknown("spaces only", b"   "),
    unknown("a word", b"cow"),
]

TWICE = [
    bad("two equal", b"transfer-encoding: chunked", b"transfer-encoding: chunked", status=501),
    bad("two of different case", b"Transfer-Encoding: chunked", b"TRANSFER-ENCODING: Chunked", status=501),
    bad("the second is another", b"transfer-encoding: chunked", b"transfer-encoding: identity", status=501),
    bad("the first is another", b"transfer-encoding: identity", b"transfer-encoding: chunked", status=501),
    bad("the second is a word", b"transfer-encoding: chunked", b"transfer-encoding: cow", status=501),
    bad("the second is empty", b"transfer-encoding: chunked", b"transfer-encoding:", status=501).or_read(EMPTY, THEN),
    bad("the first is empty", b"transfer-encoding:", b"transfer-encoding: chunked", status=501).or_read(EMPTY, THEN),
    bad("gzip on a line of its own", b"transfer-encoding: gzip", b"transfer-encoding: chunked", status=501),
    bad("two apart", b"transfer-encoding: chunked", b"x: y", b"transfer-encoding: x", status=501),
]

HIDDEN = [
    obscured("a space before the colon", b"transfer-encoding : chunked"),
    obscured("a tab before the colon", b"transfer-encoding\t: chunked"),
    folded("a space before the name", b"x: y", b" transfer-encoding: chunked"),
    folded("a tab before the name", b"x: y", b"\ttransfer-encoding: chunked"),
    obscured("on the next line", b"transfer-encoding:", b" chunked", status=501),
    obscured("on the next line behind a tab", b"transfer-encoding:", b"\tchunked", status=501),
    obscured("folded in the middle", b"transfer-encoding: chu", b" nked", status=501),
    obscured("folded behind it", b"transfer-encoding: chunked", b" , identity"),
    obscured("a NUL before the colon", b"transfer-encoding\0: chunked"),
    obscured("a NUL before it", b"transfer-encoding: \0chunked", status=501),
    obscured("a NUL behind it", b"transfer-encoding: chunked\0", status=501),
    obscured("a vertical tab before it", b"transfer-encoding: \x0bchunked", status=501),
    obscured("a form feed before it", b"transfer-encoding: \x0cchunked", status=501),
    obscured("a backspace behind it", b"transfer-encoding: chunked\x08", status=501),
    obscured("a DEL behind it", b"transfer-encoding: chunked\x7f", status=501),
    obscured("a bare CR before it", b"transfer-encoding: \rchunked"),
    obscured("a bare CR behind it", b"transfer-encoding: chunked\r"),
    obscured("a bare LF before it", b"transfer-encoding: \nchunked", status=501),
    folded("a bare CR before the name", b"x: y\rtransfer-encoding: chunked"),
    obscured("a bare LF before the name", b"x: y\ntransfer-encoding: chunked"),
    obscured("a bare CR behind the colon", b"transfer-encoding:\rchunked"),
    folded("a next-line byte before the name", b"x: y\x85\r\n transfer-encoding: chunked"),
    obscured("a high byte behind the name", b"transfer-encoding\xff: chunked"),
    obscured("an equals sign for the colon", b"transfer-encoding= chunked"),
    obscured("a line without a colon", b"transfer-encoding chunked"),
    obscured("a space in the name", b"transfer -encoding: chunked"),
    obscured("two colons", b"transfer-encoding:: chunked", status=501),
    obscured("a quoted name", b'"transfer-encoding": chunked'),
    obscured("behind a request line with a CR", b"x: y\r\r\ntransfer-encoding: chunked"),
]

CASES: tuple[RequestCase, ...] = (*GOOD, *BOTH, *CODINGS, *TWICE, *HIDDEN)
