"""HTTP/1 messages as the tests compare them: heads taken apart, values that change from run to run masked.

Order between headers of different names means nothing (RFC 9110, section 5.3), so a masked head is sorted by name;
order among lines of one name is kept.
"""

import re
from dataclasses import dataclass

_UUID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_MASKS = {
    b"date": (re.compile(rb"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} 20\d\d \d\d:\d\d:\d\d GMT"), b"DATE"),
    b"x-request-id": (re.compile(_UUID), b"UUID"),
    b"x-envoy-upstream-service-time": (re.compile(rb"\d{1,5}"), b"MS"),
}
_HEAD = re.compile(rb"((?:HTTP/1\.[01] [^\r\n]*|[A-Za-z]+ [^\r\n]* HTTP/1\.1)\r\n)((?:[^\r\n]+\r\n)*)\r\n")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]+)[^\r\n]*\r\n")


def mask(name: bytes, value: bytes) -> bytes:
    """The value, or the name of its kind where it changes from run to run."""
    pattern, placeholder = _MASKS.get(name.lower(), (None, b""))
    return placeholder if pattern is not None and pattern.fullmatch(value) else value


@dataclass(frozen=True, slots=True)
class Head:
    """A request or response head: its first line and its header lines in the order received."""

    start: bytes
    lines: tuple[tuple[bytes, bytes], ...]

    @classmethod
    def parse(cls, raw: bytes) -> "Head":
        """From bytes up to and with the empty line."""
        start, *lines = raw.removesuffix(b"\r\n\r\n").split(b"\r\n")
        pairs = (line.partition(b":") for line in lines)
        return cls(start, tuple((name, value.strip()) for name, _, value in pairs))

    @property
    def status(self) -> int:
        return int(self.start.split(b" ")[1])

    @property
    def method(self) -> bytes:
        return self.start.split(b" ")[0]

    @property
    def target(self) -> bytes:
        return self.start.split(b" ")[1]

    def all(self, name: bytes) -> list[bytes]:
        """Every value of that (lower-case) name, in order; names are compared as they were sent."""
        return [value for other, value in self.lines if other == name]

    def get(self, name: bytes) -> bytes | None:
        """The only value of that name, None where there is none."""
        values = self.all(name)
        assert len(values) <= 1, f"{name!r} came {len(values)} times: {values}"
        return values[0] if values else None

    def masked(self) -> tuple[bytes, tuple[tuple[bytes, bytes], ...]]:
        pairs = ((name, mask(name, value)) for name, value in self.lines)
        return self.start, tuple(sorted(pairs, key=lambda pair: pair[0]))


@dataclass(frozen=True, slots=True)
class Message:
    head: Head
    body: bytes

    @property
    def status(self) -> int:
        return self.head.status


def unchunk(data: bytes) -> tuple[bytes, int, bool]:
    """The body, the bytes taken and whether the last chunk was among them; trailers are not expected."""
    body, at = b"", 0
    while (size_line := _CHUNK_SIZE.match(data, at)) is not None:
        size = int(size_line[1], 16)
        end = size_line.end() + size
        if data[end : end + 2] != b"\r\n":
            break
        body += data[size_line.end() : end]
        at = end + 2
        if size == 0:
            return body, at, True
    return body, at, False


def normal(raw: bytes) -> bytes:
    """A whole byte stream with heads sorted and masked and chunked bodies joined, for comparing two recordings."""
    parts, at = [], 0
    while (found := _HEAD.search(raw, at)) is not None:
        head = Head.parse(found[0])
        start, lines = head.masked()
        parts += [raw[at : found.start()], start, b"\r\n", b"".join(b"%s: %s\r\n" % line for line in lines), b"\r\n"]
        at = found.end()
        if b"chunked" in (head.get(b"transfer-encoding") or b""):
            body, taken, complete = unchunk(raw[at:])
            parts += [b"{chunked:", body, b"}" if complete else b"..."] if taken else []
            at += taken
    return b"".join([*parts, raw[at:]])
