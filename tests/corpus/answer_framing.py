"""How long the body of an answer is: one length, or chunks, or up to the end (RFC 9112 section 6.3).

EVIL stands where a client that reads another length would find the next answer.
"""

from tests.corpus.cases import Complete, Gateway, ResponseCase, answer

EVIL = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"
OK = Complete(200, b"ok")
CHUNKS = b"2\r\nok\r\n0\r\n\r\n"


def length(name: str, value: bytes, *readings: Complete) -> ResponseCase:
    raw = answer(b"content-length: " + value, body=b"ok" + EVIL)
    return ResponseCase(name, raw, Gateway(), readings=readings)


def lengths(name: str, *values: bytes, readings: tuple[Complete, ...] = ()) -> ResponseCase:
    raw = answer(*[b"content-length: " + value for value in values], body=b"ok" + EVIL)
    return ResponseCase(name, raw, Gateway(), readings=readings)


def coding(name: str, *lines: bytes, readings: tuple[Complete, ...] = (), body: bytes = CHUNKS + EVIL) -> ResponseCase:
    return ResponseCase(name, answer(*lines, body=body), Gateway(), end="fin", readings=readings)


LENGTHS = [
    ResponseCase("two", answer(b"content-length: 2", body=b"ok"), OK),
    ResponseCase("none", answer(b"content-length: 0"), Complete(200)),
    ResponseCase("zeros before it", answer(b"content-length: 0002", body=b"ok"), OK),
    ResponseCase("spaces around it", answer(b"content-length: \t2 \t", body=b"ok"), OK),
    ResponseCase(
        "a body of every byte", answer(b"content-length: 256", body=bytes(range(256))), Complete(200, bytes(range(256)))
    ),
    ResponseCase(
        "a body that looks like an answer", answer(b"content-length: %d" % len(EVIL), body=EVIL), Complete(200, EVIL)
    ),
    ResponseCase(
        "a body of 300 kB",
        answer(b"content-length: 300000", body=b"0123456789" * 30_000),
        Complete(200, b"0123456789" * 30_000),
    ),
    ResponseCase("up to the end", answer(body=b"ok"), OK, end="fin"),
    ResponseCase("nothing up to the end", answer(), Complete(200), end="fin"),
    ResponseCase("an answer up to the end", answer(body=EVIL), Complete(200, EVIL), end="fin"),
    ResponseCase("HTTP/1.0 up to the end", answer(first=b"HTTP/1.0 200 OK", body=b"ok"), OK, end="fin"),
    lengths("two equal", b"2", b"2", readings=(OK,)),
    lengths("two different", b"2", b"3"),
    lengths("the second is none", b"2", b"0"),
    lengths("the first is none", b"0", b"2"),
    lengths("the second is empty", b"2", b""),
    lengths("the second has a zero", b"2", b"02"),
    length("a list of equal ones", b"2, 2", OK),
    length("a list of different ones", b"2, 3"),
    length("empty", b""),
    length("a sign", b"+2"),
    length("a negative one", b"-2"),
    length("hexadecimal", b"0x2"),
    length("a letter", b"2b"),
    length("a word", b"two"),
    length("a decimal point", b"2.0"),
    length("a space in it", b"2 3"),
    length("a semicolon", b"2;"),
    length("quotes", b'"2"'),
    length("NUL behind it", b"2\0"),
    length("a vertical tab before it", b"\x0b2"),
    length("2^64 and two", b"18446744073709551618"),
    length("2^64", b"18446744073709551616"),
    length("2^32 as a list", b"4294967298, 2"),
    length("thousand digits", b"9" * 1000),
    ResponseCase(
        "a space before the colon of a length", answer(b"content-length : 2", body=b"ok" + EVIL), Gateway(), end="fin"
    ),
    ResponseCase(
        "a length behind a bare CR",
        answer(b"x: y\rcontent-length: 2", body=b"ok" + EVIL),
        Gateway(),
        end="fin",
        readings=(Complete(200, b"ok" + EVIL),),
    ),
]

CODINGS = [
    ResponseCase("chunked", answer(b"transfer-encoding: chunked", body=CHUNKS), OK),
    ResponseCase("chunked in capitals", answer(b"TRANSFER-ENCODING: CHUNKED", body=CHUNKS), OK),
    ResponseCase("no chunks", answer(b"transfer-encoding: chunked", body=b"0\r\n\r\n"), Complete(200)),
    coding("coding: chunked and a length", b"transfer-encoding: chunked", b"content-length: 2", readings=(OK,)),
    coding("coding: a length and chunked", b"content-length: 12", b"transfer-encoding: chunked", readings=(OK,)),
    coding("coding: chunked and a length of none", b"transfer-encoding: chunked", b"content-length: 0", readings=(OK,)),
    coding("coding: chunked and a bad length", b"transfer-encoding: chunked", b"content-length: x", readings=(OK,)),
    coding("coding: chunked twice", b"transfer-encoding: chunked", b"transfer-encoding: chunked"),
    coding("coding: chunked in a list twice", b"transfer-encoding: chunked, chunked"),
    coding("coding: chunked and identity", b"transfer-encoding: chunked", b"transfer-encoding: identity"),
    coding("coding: identity", b"transfer-encoding: identity"),
    coding("coding: identity and a length", b"transfer-encoding: identity", b"content-length: 2"),
    coding("coding: gzip before chunked", b"transfer-encoding: gzip, chunked"),
    coding("coding: gzip", b"transfer-encoding: gzip"),
    coding("coding: gzip behind chunked", b"transfer-encoding: chunked, gzip"),
    coding("coding: a word", b"transfer-encoding: cow"),
    coding("coding: a letter before it", b"transfer-encoding: xchunked"),
    coding("coding: a letter behind it", b"transfer-encoding: chunkedx"),
    coding("coding: a parameter", b"transfer-encoding: chunked;q=1"),
    coding("coding: an empty one", b"transfer-encoding:"),
    coding("coding: a NUL behind it", b"transfer-encoding: chunked\0"),
    coding("coding: a vertical tab before it", b"transfer-encoding: \x0bchunked"),
    coding("coding: a space before the colon", b"transfer-encoding : chunked", b"content-length: 12"),
    coding("coding: on the next line", b"transfer-encoding:", b" chunked", readings=(OK,)),
    coding(
        "coding: behind a bare CR",
        b"x: y\rtransfer-encoding: chunked",
        b"content-length: 12",
        readings=(Complete(200, CHUNKS),),
    ),
    coding("coding: behind a bare LF", b"x: y\ntransfer-encoding: chunked", b"content-length: 12", readings=(OK,)),
    ResponseCase(
        "chunked in HTTP/1.0", answer(b"transfer-encoding: chunked", first=b"HTTP/1.0 200 OK", body=CHUNKS), OK
    ),
]

CASES: tuple[ResponseCase, ...] = (*LENGTHS, *CODINGS)
