"""Chunk sizes, chunk extensions, and where chunks end (RFC 9112 section 7.1)."""

from tests.corpus.cases import RequestCase, Seen, broken, chunked, forwarded

POISON = b"GET /poison HTTP/1.1\r\nhost: a\r\n\r\n"
LAST = b"0\r\n\r\n"
HELLO = Seen(b"POST", b"/", b"hello")
THEN = Seen(target=b"/poison")


def good(name: str, body: bytes, payload: bytes = b"hello") -> RequestCase:
    return forwarded(name, chunked(body), Seen(b"POST", b"/", payload))


def bad(name: str, body: bytes) -> RequestCase:
    return broken(name, chunked(body + POISON))


GOOD = [
    good("one chunk", b"5\r\nhello\r\n" + LAST),
    good("five chunks", b"1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n" + LAST),
    good("a size in capitals", b"A\r\nhelloworld\r\n" + LAST, b"helloworld"),
    good("a size in small letters", b"a\r\nhelloworld\r\n" + LAST, b"helloworld"),
    good("zeros before the size", b"0005\r\nhello\r\n" + LAST),
    good("zeros as the last size", b"5\r\nhello\r\n000\r\n\r\n"),
    good("a chunk that looks like chunks", b"5\r\n0\r\n\r\n\r\n" + LAST, b"0\r\n\r\n"),
    good("a chunk that looks like a request", b"%x\r\n" % len(POISON) + POISON + b"\r\n" + LAST, POISON),
    good("a chunk of every byte", b"100\r\n" + bytes(range(256)) + b"\r\n" + LAST, bytes(range(256))),
    good("200 chunks", b"5\r\nhello\r\n" * 200 + LAST, b"hello" * 200),
    good("a chunk of 70 kB", b"11170\r\n" + b"0123456789" * 7000 + b"\r\n" + LAST, b"0123456789" * 7000),
    forwarded("a request behind it", chunked(b"5\r\nhello\r\n" + LAST + POISON), HELLO, THEN),
    forwarded("an empty line behind it", chunked(b"5\r\nhello\r\n" + LAST + b"\r\n" + POISON), HELLO, THEN),
]

EXTENSIONS = [
    good("an extension", b"5;a\r\nhello\r\n" + LAST),
    good("an extension with a value", b"5;a=b\r\nhello\r\n" + LAST),
    good("an extension with a quoted value", b'5;a="b c;d"\r\nhello\r\n' + LAST),
    good("two extensions", b"5;a=b;c=d\r\nhello\r\n" + LAST),
    good("an extension of the last chunk", b"5\r\nhello\r\n0;a=b\r\n\r\n"),
    good("a long extension", b"5;" + b"a" * 4000 + b"\r\nhello\r\n" + LAST),
    good("an extension that looks like a size", b"5;ff\r\nhello\r\n" + LAST),
    bad("a semicolon and no size", b";a\r\nhello\r\n" + LAST),
    bad("LF in an extension", b"5;a\nhello\r\n" + LAST),
    bad("LF behind a quote", b'5;a="\n"\r\nhello\r\n' + LAST),
    bad("a bare CR in an extension", b"5;a\rb\r\nhello\r\n" + LAST),
    bad("CR CR LF behind an extension", b"5;a\r\r\nhello\r\n" + LAST),
    bad("NUL in an extension", b"5;a\0\r\nhello\r\n" + LAST).or_read(HELLO, THEN),
    bad("a control byte in an extension", b"5;a\x01\r\nhello\r\n" + LAST).or_read(HELLO, THEN),
    bad("DEL in an extension", b"5;a\x7f\r\nhello\r\n" + LAST).or_read(HELLO, THEN),
    bad("an extension of 70 kB", b"5;" + b"a" * 70_000 + b"\r\nhello\r\n" + LAST).or_read(HELLO, THEN),
    bad("many extensions, 70 kB together", (b"1;" + b"a" * 1000 + b"\r\nx\r\n") * 70 + LAST).or_read(
        Seen(b"POST", b"/", b"x" * 70), THEN
    ),
    good("a space before an extension", b"5 ;a\r\nhello\r\n" + LAST),
]

SIZES = [
    bad("no size", b"\r\nhello\r\n" + LAST),
    bad("a letter that is no digit", b"g\r\nhello\r\n" + LAST),
    bad("letters", b"zz\r\n"),
    bad("a digit and a letter that is none", b"5g\r\nhello\r\n" + LAST),
    bad("a prefix of hexadecimal", b"0x5\r\nhello\r\n" + LAST),
    bad("a plus sign", b"+5\r\nhello\r\n" + LAST),
    bad("a minus sign", b"-5\r\nhello\r\n" + LAST),
    bad("minus none", b"-0\r\n\r\n"),
    bad("a digit separator", b"0_5\r\nhello\r\n" + LAST),
    bad("a comma", b"5,5\r\nhello\r\n" + LAST),
    bad("a decimal point", b"5.0\r\nhello\r\n" + LAST),
    bad("a space before the size", b" 5\r\nhello\r\n" + LAST),
    bad("a tab before the size", b"\t5\r\nhello\r\n" + LAST),
    bad("a space behind the size", b"5 \r\nhello\r\n" + LAST).or_read(HELLO, THEN),
    bad("a tab behind the size", b"5\t\r\nhello\r\n" + LAST).or_read(HELLO, THEN),
    bad("a space behind the last size", b"5\r\nhello\r\n0 \r\n\r\n").or_read(HELLO, THEN),
    bad("a space in the size", b"0 5\r\nhello\r\n" + LAST),
    bad("two sizes", b"5 6\r\nhello\r\n" + LAST),
    bad("NUL before the size", b"\x005\r\nhello\r\n" + LAST),
    bad("NUL behind the size", b"5\0\r\nhello\r\n" + LAST),
    bad("a high byte behind the size", b"5\xff\r\nhello\r\n" + LAST),
    bad("a vertical tab behind the size", b"5\x0b\r\nhello\r\n" + LAST),
    bad("quotes", b'"5"\r\nhello\r\n' + LAST),
    bad("2^32 and five more than fits", b"10000000000000005\r\nhello\r\n" + LAST),
    bad("2^64", b"10000000000000000\r\nhello\r\n" + LAST),
    bad("2^64 less one", b"ffffffffffffffff\r\nhello\r\n" + LAST),
    bad("2^63", b"8000000000000000\r\nhello\r\n" + LAST),
    bad("a size of 40 digits", b"f" * 40 + b"\r\nhello\r\n" + LAST),
    bad("100,000 zeros before the size", b"0" * 100_000 + b"5\r\nhello\r\n" + LAST).or_read(HELLO, THEN),
]

ENDS = [
    bad("LF behind the size", b"5\nhello\r\n" + LAST),
    bad("CR behind the size", b"5\rhello\r\n" + LAST),
    bad("CR CR LF behind the size", b"5\r\r\nhello\r\n" + LAST),
    bad("LF CR behind the size", b"5\n\rhello\r\n" + LAST),
    bad("LF behind the chunk", b"5\r\nhello\n" + LAST),
    bad("CR behind the chunk", b"5\r\nhello\r" + LAST),
    bad("nothing behind the chunk", b"5\r\nhello" + LAST),
    bad("junk behind the chunk", b"5\r\nhelloXX" + LAST),
    bad("junk and a line end behind the chunk", b"5\r\nhelloXX\r\n" + LAST),
    bad("a space behind the chunk", b"5\r\nhello \r\n" + LAST),
    bad("two line ends behind the chunk", b"5\r\nhello\r\n\r\n" + LAST),
    bad("LF behind the last size", b"5\r\nhello\r\n0\n\r\n"),
    bad("LF at the very end", b"5\r\nhello\r\n0\r\n\n"),
    bad("LF twice at the end", b"5\r\nhello\r\n0\n\n"),
    bad("CR twice at the end", b"5\r\nhello\r\n0\r\n\r\r\n"),
    bad("junk at the end", b"5\r\nhello\r\n0\r\nXX"),
    bad("a chunk longer than its size", b"3\r\nhello\r\n" + LAST),
    bad("a last chunk with data", b"5\r\nhello\r\n0\r\nhello\r\n\r\n"),
]

CASES: tuple[RequestCase, ...] = (*GOOD, *EXTENSIONS, *SIZES, *ENDS)
