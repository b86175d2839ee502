"""The beginning of a compressed answer, as plain bytes: what a session id is looked for in.

Once for each handshake whose answer is compressed, so CPython's own zlib serves. The client gets the bytes as they are.
"""

import zlib

MAX_COMPRESSED_BYTES = 16384
"""Of an answer that are looked at."""

GZIP, ZLIB, RAW = 31, 15, -15  # zlib's window bits


class Inflater:
    """Inflates gzip, or deflate as RFC 9110 means it (zlib) and as some servers send it (raw), up to `room_bytes`."""

    def __init__(self, is_gzip: bool, room_bytes: int) -> None:
        self.stream = zlib.decompressobj(GZIP) if is_gzip else None
        self.beginning = b""  # of deflate, until it tells which it is
        self.left = MAX_COMPRESSED_BYTES
        self.room = room_bytes

    def more(self, data: bytes) -> bytes | None:
        """What the bytes stand for that follow those before; None: they are broken, or were enough."""
        data = data[: self.left]
        self.left -= len(data)
        if not data or not self.room:
            return None
        if self.stream is None:
            self.beginning += data
            if len(self.beginning) < 2:
                return b""
            data = self.beginning
            self.stream = zlib.decompressobj(ZLIB if is_zlib(data) else RAW)
        try:
            plain = self.stream.decompress(data, self.room)
        except zlib.error:
            return None
        self.room -= len(plain)
        return plain


def is_zlib(data: bytes) -> bool:
    """Whether the first two bytes are zlib's header (RFC 1950)."""
    return data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0
