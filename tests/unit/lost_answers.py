"""What servers answer to a session id that they do not know."""


def answer(status: str, body: bytes, *lines: str) -> bytes:
    """A response with a content-length."""
    return "\r\n".join([f"HTTP/1.1 {status}", f"content-length: {len(body)}", *lines, "", ""]).encode() + body


def chunked(status: str, *chunks: bytes) -> bytes:
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return f"HTTP/1.1 {status}\r\ntransfer-encoding: chunked\r\n\r\n".encode() + framed + b"0\r\n\r\n"


UNKNOWN = b'{"code":1,"message":"Session ID unknown"}'
NODE_POLL = chunked("400 Bad Request", UNKNOWN)
NODE_UPGRADE = answer("400 Bad Request", b"Session ID unknown", "Connection: close", "Content-type: text/html")
PYTHON = answer("400 Bad Request", b'"Invalid session nobodys"', "Content-Type: text/plain")
UNKNOWN_400 = answer("400 Bad Request", UNKNOWN)
GO = answer("400 Bad Request", b"invalid sid value: nobodys\n", "Content-Type: text/plain; charset=utf-8")
