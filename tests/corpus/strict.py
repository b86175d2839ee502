"""HTTP/1.1 as the strictest recipient reads it (RFC 9112): the judge of what a proxy has let through.

It repairs nothing. Bytes that two recipients could read in two ways are a `Fault`, whoever sent them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/1\.([01])")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: [\t \x21-\x7e\x80-\xff]*)?")
_FIELD = re.compile(rb"(" + _TOKEN + rb"):[ \t]*((?:[\x21-\x7e\x80-\xff]|[ \t]+(?=[\x21-\x7e\x80-\xff]))*)[ \t]*")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(;[\t \x21-\x7e\x80-\xff]*)?")
_LENGTH = re.compile(rb"\d{1,4000}")
MAX_HEAD_BYTES = 1 << 20


class Fault(Exception):
    """What a strict recipient would refuse."""


class Incomplete(Exception):
    """It may become a message yet."""


@dataclass(frozen=True)
class Read:
    """A message as read: `first` is (method, target) or (status,); field names are in lower case."""

    first: tuple[bytes, ...]
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes
    trailers: tuple[tuple[bytes, bytes], ...] = ()
    until_close: bool = False  # nothing but the end of the stream ends its body

    def all(self, name: bytes) -> list[bytes]:
        return [value for other, value in self.fields if other == name]

    @property
    def status(self) -> int:
        return int(self.first[0])

    @property
    def is_interim(self) -> bool:
        return len(self.first) == 1 and 100 <= self.status < 200 and self.status != 101

    @property
    def closes(self) -> bool:
        return b"close" in b",".join(self.all(b"connection")).lower().replace(b" ", b"").split(b",")


def read_fields(lines: list[bytes]) -> tuple[tuple[bytes, bytes], ...]:
    fields = []
    for line in lines:
        found = _FIELD.fullmatch(line)
        if found is None:
            raise Fault(f"a field line {line[:80]!r}")
        fields.append((found[1].lower(), found[2]))
    return tuple(fields)


def split_head(data: bytes) -> tuple[list[bytes], int]:
    """The lines of the head at the beginning, and where it ends."""
    end = data.find(b"\r\n\r\n")
    head = data if end < 0 else data[:end]
    lone = re.search(rb"[^\r]\n|^\n|\r(?=[^\n])|\0", head)
    if lone is not None:
        raise Fault(f"{lone[0]!r} in a head {head[:200]!r}")
    if end < 0:
        if len(data) > MAX_HEAD_BYTES:
            raise Fault("a head without an end")
        raise Incomplete
    return head.split(b"\r\n"), end + 4


def read_chunks(data: bytes, at: int) -> tuple[bytes, tuple[tuple[bytes, bytes], ...], int]:
    """Body, trailers and the end of a chunked body at `at`."""
    body = b""
    while True:
        line, at = _line(data, at)
        found = _CHUNK_SIZE.fullmatch(line)
        if found is None:
            raise Fault(f"a chunk size {line[:80]!r}")
        size = int(found[1], 16)
        if size == 0:
            break
        if len(data) < at + size + 2:
            if data[at + size : at + size + 1] not in (b"", b"\r"):
                raise Fault("junk behind a chunk")
            raise Incomplete
        if data[at + size : at + size + 2] != b"\r\n":
            raise Fault(f"{data[at + size :][:20]!r} behind a chunk")
        body += data[at : at + size]
        at += size + 2
    trailers: list[bytes] = []
    while True:
        line, at = _line(data, at)
        if not line:
            return body, read_fields(trailers), at
        trailers.append(line)


def _line(data: bytes, at: int) -> tuple[bytes, int]:
    end = data.find(b"\n", at)
    if end < 0:
        if b"\r" in data[at : max(at, len(data) - 1)] or len(data) - at > MAX_HEAD_BYTES:
            raise Fault(f"a line {data[at : at + 80]!r}")
        raise Incomplete
    if data[end - 1 : end] != b"\r" or b"\r" in data[at : end - 1]:
        raise Fault(f"a line end {data[at : end + 1][:80]!r}")
    return data[at : end - 1], end + 1


def body_length(fields: tuple[tuple[bytes, bytes], ...]) -> int | None:
    """The length of the body; -1: it is chunked; None: neither is said."""
    codings = [value for name, value in fields if name == b"transfer-encoding"]
    lengths = [value for name, value in fields if name == b"content-length"]
    if codings and lengths:
        raise Fault("both framings")
    if codings:
        if len(codings) > 1 or codings[0].lower() != b"chunked":
            raise Fault(f"a transfer coding {codings}")
        return -1
    if not lengths:
        return None
    if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
        raise Fault(f"a length {lengths}")
    return int(lengths[0])


def read_request(data: bytes) -> tuple[Read, int]:
    """The request at the beginning of `data` and its size. Raises Incomplete or Fault."""
    lines, at = split_head(data)
    found = _REQUEST_LINE.fullmatch(lines[0])
    if found is None:
        raise Fault(f"a request line {lines[0][:80]!r}")
    fields = read_fields(lines[1:])
    hosts = [value for name, value in fields if name == b"host"]
    if len(hosts) > 1 or (not hosts and found[3] == b"1"):
        raise Fault(f"hosts {hosts}")
    length = body_length(fields)
    if length == -1 and found[3] == b"0":
        raise Fault("chunks in HTTP/1.0")
    return _with_body(data, at, (found[1], found[2]), fields, length or 0)


def read_response(data: bytes, method: bytes, ended: bool) -> tuple[Read, int]:
    """The response to `method` at the beginning of `data` and its size. Raises Incomplete or Fault.

    `ended`: the stream is over, in order. A 101 has no body; what follows it is the tunnel's.
    """
    lines, at = split_head(data)
    found = _STATUS_LINE.fullmatch(lines[0])
    if found is None:
        raise Fault(f"a status line {lines[0][:80]!r}")
    fields = read_fields(lines[1:])
    length = body_length(fields)
    status = int(found[2])
    if status < 200 or status == 204:
        if length is not None:
            raise Fault(f"a {status} that speaks of a body")
        length = 0
    if status == 304 or method == b"HEAD":
        length = 0
    if length is not None:
        return _with_body(data, at, (found[2],), fields, length)
    if not ended:
        raise Incomplete
    return Read((found[2],), fields, data[at:], until_close=True), len(data)


def _with_body(
    data: bytes, at: int, first: tuple[bytes, ...], fields: tuple[tuple[bytes, bytes], ...], length: int
) -> tuple[Read, int]:
    if length == -1:
        body, trailers, end = read_chunks(data, at)
        return Read(first, fields, body, trailers), end
    if len(data) < at + length:
        raise Incomplete
    return Read(first, fields, data[at : at + length]), at + length


class Stream:
    """What one connection has brought so far, cut into messages."""

    def __init__(self, read: Callable[[bytes], tuple[Read, int]]) -> None:
        self.read = read
        self.data = b""  # behind the last complete message
        self.messages: list[Read] = []
        self.fault = ""

    def feed(self, data: bytes) -> list[Read]:
        """The messages that have become complete."""
        self.data += data
        before = len(self.messages)
        while self.data and not self.fault:
            try:
                message, size = self.read(self.data)
            except Incomplete:
                break
            except Fault as fault:
                self.fault = str(fault)
                break
            self.messages.append(message)
            self.data = self.data[size:]
        return self.messages[before:]
