"""The forms of a request target (RFC 9112 section 3.2) and the bytes in it (RFC 3986)."""

from tests.corpus.cases import RequestCase, Seen, forwarded, head, refused


def get(target: bytes, host: bytes = b"host: a") -> bytes:
    return head(first=b"GET " + target + b" HTTP/1.1", host=host)


def same(name: str, target: bytes) -> RequestCase:
    """Forwarded byte for byte: what a path means is the node's business."""
    return forwarded(name, get(target), Seen(target=target))


def local(name: str, raw: bytes, status: int = 404) -> RequestCase:
    """Answered by the proxy; the connection goes on."""
    return RequestCase(name, raw, status=status)


def absolute(name: str, target: bytes, path: bytes, host: bytes) -> RequestCase:
    """The authority in the target replaces the Host."""
    return forwarded(name, get(target), Seen(target=path, host=host))


ORIGIN_FORM = [
    same("dot segments", b"/a/../b/./c"),
    same("double slashes", b"//a///b"),
    same("a path that looks like an authority", b"//evil.example/x"),
    same("an escaped slash", b"/a%2fb%5Cc"),
    same("an escaped NUL", b"/a%00b"),
    same("an escaped line end", b"/a%0d%0aX:%20y"),
    same("a broken escape", b"/a%zz%1"),
    same("a backslash", b"/a\\..\\b"),
    same("a semicolon", b"/a;b=c/..;/d"),
    same("a query with everything", b'/a?b=c&d[]=e|f{}^`"<>~'),
    same("two question marks", b"/a??b?c"),
    same("an empty query", b"/a?"),
    same("a path of 8 kB", b"/" + b"a" * 8192),
    same("a colon in the first segment", b"/http://b/"),
    refused("a fragment", get(b"/a#b")).or_read(Seen(target=b"/a#b")).or_read(Seen(target=b"/a")),
    refused("an empty fragment", get(b"/a#")).or_read(Seen(target=b"/a#")).or_read(Seen(target=b"/a")),
    refused("a fragment in the query", get(b"/a?b#c")).or_read(Seen(target=b"/a?b#c")).or_read(Seen(target=b"/a?b")),
    refused("a space in the path", get(b"/a b")),
    refused("a space in the query", get(b"/a?b c")),
    refused("a tab in the path", get(b"/a\tb")),
    refused("NUL in the path", get(b"/a\0b")),
    refused("NUL at the end of the path", get(b"/a\0")),
    refused("DEL in the path", get(b"/a\x7fb")),
    refused("a control byte in the path", get(b"/a\x01b")),
    refused("an escape byte in the query", get(b"/a?\x1b[31m")),
    refused("UTF-8 in the path", get("/\u00e4".encode())),
    refused("a high byte in the query", get(b"/a?\xff")),
    refused("a target too large", get(b"/" + b"a" * 70_000), 431).or_read(Seen(target=b"/" + b"a" * 70_000)),
]

OTHER_FORMS = [
    refused("no slash", get(b"a")),
    refused("a relative path", get(b"../a")),
    refused("a query alone", get(b"?a=b")),
    refused("a percent sign first", get(b"%2fa")),
    refused("a backslash first", get(b"\\a")),
    refused("an asterisk with GET", get(b"*")),
    local("an asterisk and more", head(first=b"OPTIONS *a HTTP/1.1")),
    local("OPTIONS *", head(first=b"OPTIONS * HTTP/1.1")).or_read(Seen(b"OPTIONS", b"*")),
    refused("an authority with GET", get(b"a:80")),
    refused("a name with GET", get(b"www.example.com")),
    refused("CONNECT", head(first=b"CONNECT a:80 HTTP/1.1", host=b"host: a:80"), 404),
    refused("CONNECT and bytes for a tunnel", head(first=b"CONNECT b:80 HTTP/1.1") + get(b"/poison"), 404),
    refused("CONNECT without a port", head(first=b"CONNECT a HTTP/1.1"), 404),
    refused("CONNECT with a path", head(first=b"CONNECT /a HTTP/1.1")),
    refused("CONNECT with a URL", head(first=b"CONNECT http://a/ HTTP/1.1")),
]

ABSOLUTE_FORM = [
    absolute("a URL", b"http://b/c", b"/c", b"b"),
    absolute("a URL with a port", b"http://b:81/c?d", b"/c?d", b"b:81"),
    absolute("a URL with an address", b"http://127.0.0.1:80/c", b"/c", b"127.0.0.1:80"),
    absolute("a URL with an address of version 6", b"http://[::1]:80/c", b"/c", b"[::1]:80"),
    absolute("a URL in capitals", b"HTTP://B/C", b"/C", b"B"),
    absolute("a URL of https", b"https://b/c", b"/c", b"b"),
    absolute("a URL without a path", b"http://b", b"/", b"b"),
    refused("a URL without a host", get(b"http:///c")),
    refused("a URL with a port and no host", get(b"http://:80/c")),
    refused("a URL with one slash", get(b"http:/b/c")),
    refused("a URL without slashes", get(b"http:b/c")),
    refused("a URL with backslashes", get(b"http:\\\\b\\c")),
    refused("a URL of ftp", get(b"ftp://b/c")),
    refused("a URL of files", get(b"file:///etc/passwd")),
    refused("a URL of websockets", get(b"ws://b/c")),
    refused("a URL of scripts", get(b"javascript:alert(1)")),
    refused("a URL with an underscore", get(b"http://b_c/d")),
    refused("a URL with a port of letters", get(b"http://b:x/c")),
    refused("a URL with a port too large", get(b"http://b:65536/c")),
    refused("a URL with an endless port", get(b"http://b:" + b"8" * 30 + b"/c")),
    refused("a URL with a negative port", get(b"http://b:-1/c")),
    refused("a URL with two ports", get(b"http://b:80:81/c")),
    refused("a URL with an open bracket", get(b"http://[::1/c")),
    refused("a URL with a space in its host", get(b"http://b c/d")),
    refused("a URL with a comma in its host", get(b"http://b,c/d")),
    refused("a URL with a backslash in its host", get(b"http://b\\c/d")),
    refused("a URL with an escape in its host", get(b"http://b%2fc/d")),
    refused("a URL with two users", get(b"http://b@c@d/e")),
    refused("a URL with a high byte in its host", get(b"http://b\xff/c")),
    refused("a URL in a URL's query", get(b"http://?http://b/")),
]

# What stands before the LF is a request of HTTP/0.9 for some, and what stands behind it a field.
LINE_ENDS = [
    refused("LF in the path", get(b"/a\nb")),
    refused("LF at the end of the path", get(b"/a\n")),
    refused("CR in the path", get(b"/a\rb:c")),
    refused("LF and a field in the path", get(b"/a\nb:c")),
    refused("LF and a field in the query", get(b"/a?b\nc:d")),
    refused("LF and half a field in the path", get(b"/a\nb:")),
    refused("LF and a coding in the path", get(b"/a\ntransfer-encoding:chunked")),
    refused("LF and a length in the path", get(b"/a\ncontent-length:5")),
    refused("LF and a host in the path", get(b"/a\nhost:b")),
    refused("LF, a field and another LF in the path", get(b"/a\nb:c\nd:e")),
    refused("LF and a field in a URL's path", get(b"http://b/c\nd:e")),
    refused("LF and a field in a URL's host", get(b"http://b\nd:e")),
]

CASES: tuple[RequestCase, ...] = (*ORIGIN_FORM, *OTHER_FORMS, *ABSOLUTE_FORM, *LINE_ENDS)
