"""What a row of the corpus is: raw bytes, and what must happen to them.

Beside the one outcome that fastproxy must have (`mistakes` of `judge.py` compares), a row may name other readings that
RFC 9112 leaves to a recipient; a proxy that does one of those is no danger to anybody (`dangers`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

ABSENT = None


@dataclass(frozen=True)
class Seen:
    """A request as a node must see it. `fields` are some of its header fields; None: not there."""

    method: bytes = b"GET"
    target: bytes = b"/"
    body: bytes = b""
    host: bytes = b"a"
    fields: tuple[tuple[bytes, bytes | None], ...] = ()


@dataclass(frozen=True)
class RequestCase:
    """What a client sends; the requests that nodes must see of it, whole and in order; and how it is refused then.

    `status` None: it is not refused. `begins`: the head of the refused request may be at a node already, which must
    never see its end. `closes`: the client's connection ends. `reuses`: the next client's request goes out on the
    same connection to the node.
    """

    name: str
    raw: bytes
    seen: tuple[Seen, ...] = ()
    status: int | None = None
    begins: bool = False
    closes: bool = False
    reuses: bool = True
    answers: tuple[int, ...] = ()  # statuses of the nodes' answers where they are not all 200
    readings: tuple[tuple[Seen, ...], ...] = ()  # that are no danger either

    def or_read(self, *reading: Seen) -> Self:
        return replace(self, readings=(*self.readings, reading))


@dataclass(frozen=True)
class Complete:
    """An answer that the client must have whole."""

    status: int = 200
    body: bytes = b""
    fields: tuple[tuple[bytes, bytes | None], ...] = ()


@dataclass(frozen=True)
class Gateway:
    """The client must be told by the proxy itself that there is no answer."""

    status: int = 502


@dataclass(frozen=True)
class Cut:
    """The client may have the beginning of an answer, and must see that it is not all."""

    status: int = 200


Answer = Complete | Gateway | Cut


@dataclass(frozen=True)
class ResponseCase:
    """What a node sends to a request, how it ends then ("open", "fin", "reset"), and what the client must see.

    `early`: it does not wait for the end of the request, which never comes. `behind`: it is sent when the answer has
    arrived at the client.
    """

    name: str
    raw: bytes
    must: Answer
    request: bytes = b"GET /case HTTP/1.1\r\nhost: a\r\n\r\n"
    end: str = "open"
    early: bool = False
    behind: bytes = b""
    readings: tuple[Answer, ...] = ()  # that are no danger either

    def or_read(self, *readings: Answer) -> Self:
        return replace(self, readings=(*self.readings, *readings))

    @property
    def method(self) -> bytes:
        return self.request.split(b" ")[0]


Case = RequestCase | ResponseCase


def refused(name: str, raw: bytes, status: int = 400) -> RequestCase:
    """Refused with its head: nothing of it reaches a node."""
    return RequestCase(name, raw, status=status, closes=True)


def broken(name: str, raw: bytes, status: int = 400) -> RequestCase:
    """Refused in its body: no node sees the end of it."""
    return RequestCase(name, raw, status=status, closes=True, begins=True, reuses=False)


def forwarded(name: str, raw: bytes, *seen: Seen) -> RequestCase:
    return RequestCase(name, raw, seen=seen)


def head(*lines: bytes, first: bytes = b"GET / HTTP/1.1", host: bytes = b"host: a") -> bytes:
    """A request head of these field lines."""
    return b"".join(line + b"\r\n" for line in [first, *([host] if host else []), *lines]) + b"\r\n"


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return head(*lines, first=b"POST / HTTP/1.1") + body


def chunked(body: bytes, *lines: bytes) -> bytes:
    """A POST with that chunked body, as it goes over the wire."""
    return post(b"transfer-encoding: chunked", *lines, body=body)


def answer(*lines: bytes, body: bytes = b"", first: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return head(*lines, first=first, host=b"") + body


def unique(cases: Iterable[RequestCase | ResponseCase]) -> None:
    """Raises where two rows have one name or the same bytes."""
    seen: dict[object, str] = {}
    for case in cases:
        bytes_of = (case.raw, case.request, case.end, case.behind) if isinstance(case, ResponseCase) else case.raw
        for key in (case.name, bytes_of):
            if key in seen:
                raise ValueError(f"{case.name!r} and {seen[key]!r} are one")
            seen[key] = case.name
