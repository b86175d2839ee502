"""Heads and chunks as a plain reader with the whole text before it takes them: the twins of what stands in Cython."""

import re
from typing import TYPE_CHECKING

from fastproxy.inspection import read_head

if TYPE_CHECKING:
    from fastproxy.inspection import Head

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
VALUE = rb"[\t\x20-\x7e\x80-\xff]*"
_LINE = re.compile(rb"(" + TOKEN + rb"):(" + VALUE + rb")", re.DOTALL)
_SIZE = re.compile(rb"0*([0-9A-Fa-f]{1,16})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?", re.DOTALL)


def head_or_none(data: bytes, is_request: bool) -> "Head | None":
    """A head as the data plane reads it; None for what it refuses."""
    try:
        return read_head(data, is_request, 16)
    except ValueError as error:
        if str(error) not in ("bad", "too many fields", "unknown coding", "version"):
            raise
        return None


def lines_of(head: bytes) -> list[bytes]:
    """The lines behind the first."""
    return head.removesuffix(b"\r\n\r\n").split(b"\r\n")[1:]


def fields_of(head: bytes) -> list[tuple[bytes, bytes]]:
    """Names in lower case and values without the white space around them."""
    pairs = (line.partition(b":")[::2] for line in lines_of(head))
    return [(name.lower(), value.strip(b" \t")) for name, value in pairs]


def is_plain(head: bytes) -> bool:
    """Whether nobody could read the head otherwise: no bare CR or LF, no folding, every line a field, one framing.

    Nor controls in its first line, but for a reason: no reader makes anything of it, and nobody sends it on.
    """
    fields = fields_of(head)
    framings = [name for name, _ in fields if name in (b"content-length", b"transfer-encoding")]
    first = head.partition(b"\r\n")[0]
    return (
        head.endswith(b"\r\n\r\n")
        and not re.search(rb"[\r\n]" if first.startswith(b"HTTP/") else rb"[\x00-\x1f\x7f]", first)
        and all(_LINE.fullmatch(line) for line in lines_of(head))
        and len(framings) <= 1
    )


def read_chunks(data: bytes) -> tuple[bytes, bytes] | None:
    """The payload of a whole chunked body and what stands behind it; None where there is no whole one."""
    payload = b""
    while True:
        line, found, data = data.partition(b"\r\n")
        size = _SIZE.fullmatch(line)
        if not found or size is None:
            return None
        length = int(size[1], 16)
        if length == 0:
            return _behind_trailers(payload, data)
        if data[length : length + 2] != b"\r\n":
            return None
        payload, data = payload + data[:length], data[length + 2 :]


def _behind_trailers(payload: bytes, data: bytes) -> tuple[bytes, bytes] | None:
    while True:
        line, found, data = data.partition(b"\r\n")
        if not found:
            return None
        if not line:
            return payload, data
        if not _LINE.fullmatch(line):
            return None
