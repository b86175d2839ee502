"""The recordings of a real Envoy's ring: where they lie, and the requests in them as bytes."""

import base64
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "tests" / "data" / "golden"
WHOLE = ROOT.parent / "shared" / "golden"

Case = dict[str, Any]


@cache
def load(path: Path) -> Case:
    case: Case = json.loads(path.read_text())
    return case


def raw(value: str | dict[str, str]) -> bytes:
    """A header line's value as it was sent."""
    return value.encode() if isinstance(value, str) else base64.b64decode(value["b64"])


def header_lines(request: Case) -> Iterator[tuple[str, bytes]]:
    """Name and value of each header line that was sent, in order."""
    for name, value in request["headers"].items():
        for each in value if isinstance(value, list) else [value]:
            yield name, raw(each)


def lines(request: Case, name: str) -> Iterator[bytes]:
    """The lines of one header as HTTP hands them on: without the blanks around them."""
    for given, value in header_lines(request):
        if given.lower() == name:
            yield value.strip(b" \t")


def head(request: Case) -> bytes:
    """The request head that was sent; a host is added where the recording leaves it out."""
    sent = list(header_lines(request))
    if not any(name.lower() == "host" for name, _ in sent):
        sent.insert(0, ("host", b"example.com"))
    first = f"{request.get('method', 'GET')} {request.get('path', '/')} HTTP/1.1\r\n".encode()
    return first + b"".join(name.encode() + b": " + value + b"\r\n" for name, value in sent) + b"\r\n"
