"""Methods, the spaces between the parts of a request line, versions, and what is no request (RFC 9112 section 3)."""

from tests.corpus.cases import RequestCase, Seen, forwarded, head, refused

_LONG = b"v" * 70_000


def line(first: bytes) -> bytes:
    return head(first=first)


METHODS = [
    forwarded("GET", line(b"GET /m HTTP/1.1"), Seen(target=b"/m")),
    forwarded("HEAD", line(b"HEAD /m HTTP/1.1"), Seen(b"HEAD", b"/m")),
    forwarded("POST without a body", line(b"POST /m HTTP/1.1"), Seen(b"POST", b"/m")),
    forwarded("PUT", line(b"PUT /m HTTP/1.1"), Seen(b"PUT", b"/m")),
    forwarded("DELETE", line(b"DELETE /m HTTP/1.1"), Seen(b"DELETE", b"/m")),
    forwarded("OPTIONS", line(b"OPTIONS /m HTTP/1.1"), Seen(b"OPTIONS", b"/m")),
    forwarded("PATCH", line(b"PATCH /m HTTP/1.1"), Seen(b"PATCH", b"/m")),
    forwarded("TRACE", line(b"TRACE /m HTTP/1.1"), Seen(b"TRACE", b"/m")),
    forwarded("PROPFIND", line(b"PROPFIND /m HTTP/1.1"), Seen(b"PROPFIND", b"/m")),
    forwarded("M-SEARCH", line(b"M-SEARCH /m HTTP/1.1"), Seen(b"M-SEARCH", b"/m")),
    refused("a method of nobody's", line(b"FOO /m HTTP/1.1")).or_read(Seen(b"FOO", b"/m")),
    refused("a method in lower case", line(b"get /m HTTP/1.1")).or_read(Seen(b"get", b"/m")),
    refused("a method in mixed case", line(b"Get /m HTTP/1.1")).or_read(Seen(b"Get", b"/m")),
    refused("a method that begins as another", line(b"GETS /m HTTP/1.1")).or_read(Seen(b"GETS", b"/m")),
    refused("the beginning of a method", line(b"GE /m HTTP/1.1")).or_read(Seen(b"GE", b"/m")),
    refused("no method", line(b" /m HTTP/1.1")),
    refused("a method with a colon", line(b"GET: /m HTTP/1.1")),
    refused("a method in quotes", line(b'"GET" /m HTTP/1.1')),
    refused("a method with a bracket", line(b"GE(T /m HTTP/1.1")),
    refused("NUL in the method", line(b"G\0ET /m HTTP/1.1")),
    refused("DEL in the method", line(b"G\x7fET /m HTTP/1.1")),
    refused("a high byte in the method", line(b"G\xc3\x8bT /m HTTP/1.1")),
    refused("a method of 70 kB", line(_LONG + b" /m HTTP/1.1"), 431).or_read(Seen(_LONG, b"/m")),
    refused("RTSP's method", line(b"DESCRIBE /m HTTP/1.1")).or_read(Seen(b"DESCRIBE", b"/m")),
    refused("RTSP", line(b"DESCRIBE /m RTSP/1.0")),
    refused("ICE", line(b"SOURCE /m ICE/1.0")),
    forwarded("ICE's method", line(b"SOURCE /m HTTP/1.1"), Seen(b"SOURCE", b"/m")),
]

SPACES = [
    refused("two spaces before the target", line(b"GET  /m HTTP/1.1")).or_read(Seen(target=b"/m")),
    refused("two spaces before the version", line(b"GET /m  HTTP/1.1")).or_read(Seen(target=b"/m")),
    refused("a tab before the target", line(b"GET\t/m HTTP/1.1")).or_read(Seen(target=b"/m")),
    refused("a tab before the version", line(b"GET /m\tHTTP/1.1")).or_read(Seen(target=b"/m")),
    refused("a vertical tab before the target", line(b"GET\x0b/m HTTP/1.1")),
    refused("a form feed before the version", line(b"GET /m\x0cHTTP/1.1")),
    refused("a space behind the version", line(b"GET /m HTTP/1.1 ")).or_read(Seen(target=b"/m")),
    refused("a tab behind the version", line(b"GET /m HTTP/1.1\t")).or_read(Seen(target=b"/m")),
    refused("a space before the method", b" " + line(b"GET /m HTTP/1.1")).or_read(Seen(target=b"/m")),
    refused("a tab before the method", b"\t" + line(b"GET /m HTTP/1.1")),
    refused("a bare CR before the target", line(b"GET\r/m HTTP/1.1")).or_read(Seen(target=b"/m")),
    refused("a bare CR before the version", line(b"GET /m\rHTTP/1.1")).or_read(Seen(target=b"/m")),
    refused("a bare CR behind the version", line(b"GET /m HTTP/1.1\r")).or_read(Seen(target=b"/m")),
    refused("a line end before the version", line(b"GET /m\r\nHTTP/1.1")),
    refused("a folded request line", line(b"GET /m\r\n HTTP/1.1")),
    refused("no space before the version", line(b"GET /mHTTP/1.1")),
    refused("no target", line(b"GET HTTP/1.1")),
    refused("an empty target", line(b"GET  HTTP/1.1")),
    refused("four parts", line(b"GET /m HTTP/1.1 HTTP/1.1")),
    refused("a second request in the line", line(b"GET /m HTTP/1.1 GET /n HTTP/1.1")),
]

VERSIONS = [
    refused("HTTP/1.0", line(b"GET /m HTTP/1.0"), 426).or_read(Seen(target=b"/m")),
    refused("HTTP/0.9", b"GET /m\r\n\r\n").or_read(Seen(target=b"/m")),
    refused("HTTP/0.9 with a version", line(b"GET /m HTTP/0.9"), 426),
    refused("HTTP/1.2", line(b"GET /m HTTP/1.2"), 426).or_read(Seen(target=b"/m")),
    refused("HTTP/1.9", line(b"GET /m HTTP/1.9"), 426).or_read(Seen(target=b"/m")),
    refused("HTTP/2.0", line(b"GET /m HTTP/2.0"), 426),
    refused("HTTP/3.0", line(b"GET /m HTTP/3.0"), 426),
    refused("HTTP/9.9", line(b"GET /m HTTP/9.9"), 426),
    refused("HTTP/2", line(b"GET /m HTTP/2")),
    refused("HTTP/1", line(b"GET /m HTTP/1")),
    refused("HTTP/1.", line(b"GET /m HTTP/1.")),
    refused("HTTP/.1", line(b"GET /m HTTP/.1")),
    refused("HTTP/1.10", line(b"GET /m HTTP/1.10")),
    refused("HTTP/01.1", line(b"GET /m HTTP/01.1")),
    refused("HTTP/1.01", line(b"GET /m HTTP/1.01")),
    refused("HTTP/11", line(b"GET /m HTTP/11")),
    refused("HTTP/1,1", line(b"GET /m HTTP/1,1")),
    refused("HTTP/1.x", line(b"GET /m HTTP/1.x")),
    refused("HTTP/-1.1", line(b"GET /m HTTP/-1.1")),
    refused("HTTP/+1.1", line(b"GET /m HTTP/+1.1")),
    refused("HTTP/1.1.1", line(b"GET /m HTTP/1.1.1")),
    refused("HTTP-1.1", line(b"GET /m HTTP-1.1")),
    refused("HTTP//1.1", line(b"GET /m HTTP//1.1")),
    refused("a space in the version", line(b"GET /m HTTP/ 1.1")),
    refused("a version in lower case", line(b"GET /m http/1.1")),
    refused("a version of another name", line(b"GET /m HTTQ/1.1")),
    refused("a version with a NUL", line(b"GET /m HTTP/1.1\0")),
    refused("HTTPS/1.1", line(b"GET /m HTTPS/1.1")),
]

OTHERS = [
    refused("not HTTP", b"BAD\r\n\r\n"),
    refused("every byte", bytes(range(256))),
    refused("a TLS client hello", bytes.fromhex("1603010200010001fc0303") + bytes(100) + b"\r\n\r\n"),
    refused("an answer", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    refused("a proxy protocol line", b"PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n" + line(b"GET /m HTTP/1.1")),
    refused("a binary proxy protocol", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12) + line(b"GET /m HTTP/1.1")),
    refused("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000"), 426),
    refused("half of the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", 426),
    refused("the preface with a version of ours", line(b"PRI * HTTP/1.1")).or_read(Seen(b"PRI", b"*")),
    refused("a method alone in the line", b"GET\r\n\r\n"),
    refused("a colon alone", b":\r\n\r\n"),
    refused("field lines without a request line", b"host: a\r\ncontent-length: 0\r\n\r\n"),
    forwarded("an empty line before the request", b"\r\n" + line(b"GET /m HTTP/1.1"), Seen(target=b"/m")),
    forwarded("three empty lines before it", b"\r\n\r\n\r\n" + line(b"GET /m HTTP/1.1"), Seen(target=b"/m")),
    forwarded("a bare LF before the request", b"\n" + line(b"GET /m HTTP/1.1"), Seen(target=b"/m")),
]

CASES: tuple[RequestCase, ...] = (*METHODS, *SPACES, *VERSIONS, *OTHERS)
