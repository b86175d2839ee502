"""Content-Length: one run of digits, said once, or the end of the body is not known (RFC 9112 section 6.3)."""

from tests.corpus.cases import RequestCase, Seen, forwarded, head, post, refused

POISON = b"GET /poison HTTP/1.1\r\nhost: a\r\n\r\n"


def bad(name: str, *lines: bytes, body: bytes = b"hello" + POISON) -> RequestCase:
    return refused(name, post(*lines, body=body))


def of_five(name: str, *lines: bytes) -> RequestCase:
    return forwarded(name, post(*lines, body=b"hello"), Seen(b"POST", b"/", b"hello"))


_HELLO = Seen(b"POST", b"/", b"hello", fields=((b"content-length", b"5"),))
_BARE_HELLO = Seen(b"POST", b"/", b"hello")
_THEN = Seen(target=b"/poison")

GOOD = [
    of_five("five", b"content-length: 5"),
    of_five("spaces around the length", b"content-length:\t 5 \t"),
    of_five("capitals", b"CONTENT-LENGTH: 5"),
    of_five("zeros before the length", b"content-length: 0005"),
    forwarded("none", post(b"content-length: 0"), Seen(b"POST")),
    forwarded("many zeros", post(b"content-length: 000000"), Seen(b"POST")),
    forwarded("none and a request behind it", post(b"content-length: 0", body=POISON), Seen(b"POST"), _THEN),
    forwarded("with GET", head(b"content-length: 5") + b"hello", Seen(body=b"hello")),
    forwarded(
        "with DELETE", head(b"content-length: 2", first=b"DELETE / HTTP/1.1") + b"ok", Seen(b"DELETE", b"/", b"ok")
    ),
    forwarded("with HEAD", head(b"content-length: 2", first=b"HEAD / HTTP/1.1") + b"ok", Seen(b"HEAD", b"/", b"ok")),
    forwarded(
        "with OPTIONS", head(b"content-length: 2", first=b"OPTIONS / HTTP/1.1") + b"ok", Seen(b"OPTIONS", b"/", b"ok")
    ),
    forwarded(
        "a body of everything",
        post(b"content-length: 256", body=bytes(range(256))),
        Seen(b"POST", b"/", bytes(range(256))),
    ),
    forwarded(
        "a body that looks like a request",
        post(b"content-length: %d" % len(POISON), body=POISON),
        Seen(b"POST", b"/", POISON),
    ),
    forwarded(
        "a body of 100 kB",
        post(b"content-length: 100000", body=b"0123456789" * 10_000),
        Seen(b"POST", b"/", b"0123456789" * 10_000),
    ),
    forwarded(
        "named by Connection",
        post(b"content-length: 5", b"connection: content-length", body=b"hello"),
        Seen(b"POST", b"/", b"hello"),
    ),
    forwarded(
        "a name that is nearly this one",
        post(b"content_length: 5", b"content-lengt: 6", b"x-content-length: 7", body=POISON),
        Seen(b"POST"),
        _THEN,
    ),
]

TWICE = [
    bad("two equal", b"content-length: 5", b"content-length: 5").or_read(_HELLO, _THEN),
    bad("two different", b"content-length: 5", b"content-length: 6"),
    bad("two, the second none", b"content-length: 5", b"content-length: 0"),
    bad("two, the first none", b"content-length: 0", b"content-length: 5"),
    bad("two, the second empty", b"content-length: 5", b"content-length:"),
    bad("two, one with zeros", b"content-length: 5", b"content-length: 05"),
    bad("two of different case", b"Content-Length: 5", b"CONTENT-LENGTH: 6"),
    bad("two apart", b"content-length: 5", b"x: y", b"content-length: 6"),
    bad("three", b"content-length: 5", b"content-length: 5", b"content-length: 5").or_read(_HELLO, _THEN),
    bad("a list of equal ones", b"content-length: 5, 5").or_read(_HELLO, _THEN),
    bad("a list without spaces", b"content-length: 5,5").or_read(_HELLO, _THEN),
    bad("a list of different ones", b"content-length: 5, 6"),
    bad("a list that ends with a comma", b"content-length: 5,"),
    bad("a list that begins with a comma", b"content-length: ,5"),
    bad("a folded list", b"content-length: 5,", b" 5"),
]

SPELLINGS = [
    bad("empty", b"content-length:"),
    bad("spaces only", b"content-length:   "),
    bad("a plus sign", b"content-length: +5"),
    bad("a minus sign", b"content-length: -5"),
    bad("minus none", b"content-length: -0"),
    bad("hexadecimal", b"content-length: 0x5"),
    bad("hexadecimal without a prefix", b"content-length: a", body=b"helloworld" + POISON),
    bad("octal", b"content-length: 0o5"),
    bad("a digit separator", b"content-length: 1_0", body=b"helloworld" + POISON),
    bad("a decimal point", b"content-length: 5.0"),
    bad("an exponent", b"content-length: 5e0"),
    bad("a space in it", b"content-length: 5 6"),
    bad("a tab in it", b"content-length: 5\t6"),
    bad("a semicolon behind it", b"content-length: 5;"),
    bad("a letter behind it", b"content-length: 5b"),
    bad("a letter before it", b"content-length: b5"),
    bad("quotes", b'content-length: "5"'),
    bad("a word", b"content-length: five"),
    bad("a NUL behind it", b"content-length: 5\0"),
    bad("a vertical tab before it", b"content-length: \x0b5"),
    bad("a form feed behind it", b"content-length: 5\x0c"),
    bad("a bare CR before it", b"content-length: \r5").or_read(_HELLO, _THEN),
    bad("a bare CR behind it", b"content-length: 5\r").or_read(_HELLO, _THEN),
    bad("a bare LF before it", b"content-length: \n5"),
    bad("a no-break space before it", b"content-length: \xa05"),
    bad("Arabic digits", "content-length: \u0665".encode()),
    bad("full-width digits", "content-length: \uff15".encode()),
    bad("on the next line", b"content-length:", b" 5").or_read(_HELLO, _THEN),
    bad("folded in the middle", b"content-length: 1", b" 0", body=b"helloworld" + POISON),
    bad("a space before the colon", b"content-length : 5"),
    bad("a tab before the colon", b"content-length\t: 5"),
    bad("a space before the name", b"x: y", b" content-length: 5").or_read(Seen(b"POST")),
    bad("a NUL before the colon", b"content-length\0: 5"),
    bad("a bare CR before the name", b"x: y\rcontent-length: 5").or_read(
        Seen(b"POST", fields=((b"x", b"y content-length: 5"),))
    ),
    bad("a bare LF before the name", b"x: y\ncontent-length: 5").or_read(_HELLO, _THEN),
]

SIZES = [
    bad("2^63", b"content-length: 9223372036854775808"),
    bad("2^64", b"content-length: 18446744073709551616"),
    bad("2^64 and five", b"content-length: 18446744073709551621"),
    bad("2^64 less one", b"content-length: 18446744073709551615"),
    bad("2^128", b"content-length: 340282366920938463463374607431768211456"),
    bad("thousand digits", b"content-length: " + b"9" * 1000),
    bad("thousand zeros and five", b"content-length: " + b"0" * 1000 + b"5").or_read(_BARE_HELLO, _THEN),
]

CASES: tuple[RequestCase, ...] = (*GOOD, *TWICE, *SPELLINGS, *SIZES)
