"""What a WebSocket client may send, and what it must not (RFC 6455, RFC 7692): bytes by theme and name.

Every case ends with a Close frame, so that the server ends the connection, however it likes what it was sent.
"""

import zlib
from collections.abc import Mapping, Sequence

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
KEY = b"\x37\xfa\x21\x3d"
SIZES = (0, 1, 125, 126, 127, 128, 65535, 65536, 65537)
GOODBYE_CODE = 1000
GREEK = "\u03ba\u1f79\u03c3\u03bc\u03b5".encode()
VALID = ("", "a", "\x00", "\x7f", "\x80", "\u07ff", "\u0800", "\uffff", "\ud7ff", "\ue000", "\U00010000", "\U0010ffff")
INVALID = (
    *(
        b"\x80",
        b"\xbf",
        b"\xc0\xaf",
        b"\xc1\xbf",
        b"\xc2",
        b"\xe0\x80\xaf",
        b"\xe0\x9f\xbf",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
    ),
    *(b"\xf0\x80\x80\xaf", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xfe", b"\xff", b"a\xffb"),
    *(GREEK[:-1], GREEK + b"\xed\xa0\x80edited", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"),
)
GOOD_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
BAD_CODES = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)

Cases = Mapping[str, bytes]


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    final: bool = True,
    rsv: int = 0,
    key: bytes | None = KEY,
    wide: int | None = None,
) -> bytes:
    """One frame, masked with `key` unless that is None. `wide` is how many bytes behind the second tell its length."""
    size = len(payload)
    if wide is None:
        wide = 0 if size < 126 else 2 if size < 65536 else 8
    short = {0: size, 2: 126, 8: 127}[wide]
    head = (
        bytes([0x80 * final | rsv << 4 | opcode, 0x80 * (key is not None) | short])
        + size.to_bytes(8, "big")[8 - wide :]
    )
    return head + (payload if key is None else key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload)))


def close(code: int | None = GOODBYE_CODE, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


def ended(*frames: bytes) -> bytes:
    return b"".join(frames) + close()


def pattern(size: int) -> bytes:
    return (b"0123456789abcdef" * (size // 16 + 1))[:size]


def fragments(payload: bytes, size: int, opcode: int = TEXT) -> list[bytes]:
    """A message in frames of so many bytes."""
    pieces = [payload[at : at + size] for at in range(0, len(payload), size)]
    return [
        frame(CONTINUATION if at else opcode, piece, final=at == len(pieces) - 1) for at, piece in enumerate(pieces)
    ]


def deflated(payload: bytes, *, level: int = 9) -> bytes:
    """As RFC 7692 compresses a message, for nobody who remembers the one before."""
    squeeze = zlib.compressobj(level, zlib.DEFLATED, -15)
    return (squeeze.compress(payload) + squeeze.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


def sizes() -> Cases:
    return {
        f"{name} of {size}": ended(frame(opcode, pattern(size)))
        for name, opcode in (("text", TEXT), ("binary", BINARY))
        for size in SIZES
    }


def many() -> Cases:
    hundred = [frame(TEXT, pattern(number)) for number in range(100)]
    return {
        "a hundred messages": ended(*hundred),
        "messages of both kinds": ended(*(frame(TEXT + at % 2, pattern(at * 37)) for at in range(40))),
        "half a megabyte": ended(frame(BINARY, pattern(1 << 19))),
        "nothing": close(),
    }


def pings() -> Cases:
    return {
        **{f"ping of {size}": ended(frame(PING, pattern(size))) for size in (0, 1, 124, 125)},
        "binary ping": ended(frame(PING, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff")),
        "ping of 126": ended(frame(PING, pattern(126))),
        "pong that nobody asked for": ended(frame(PONG, b"hello")),
        "pong, then ping": ended(frame(PONG, b"one"), frame(PING, b"two")),
        "ten pings": ended(*(frame(PING, b"%d" % number) for number in range(10))),
        "ping that goes on": ended(frame(PING, b"a", final=False), frame(CONTINUATION, b"b")),
        "pong that goes on": ended(frame(PONG, b"a", final=False), frame(CONTINUATION, b"b")),
    }


def reserved() -> Cases:
    bits = {f"reserved bits {rsv}": ended(frame(TEXT, b"hello", rsv=rsv)) for rsv in range(1, 8)}
    behind = {f"{name}, second": frame(TEXT, b"first") + raw for name, raw in bits.items()}
    pinged = {f"ping with reserved bits {rsv}": ended(frame(PING, b"x", rsv=rsv)) for rsv in (1, 2, 4)}
    opcodes = {
        f"opcode {each}": ended(frame(TEXT, b"first"), frame(each, b"x")) for each in (3, 4, 5, 6, 7, *range(11, 16))
    }
    return {**bits, **behind, **pinged, **opcodes}


def fragmented() -> Cases:
    two = fragments(b"fragmented", 5)
    ping = frame(PING, b"between")
    return {
        "two fragments": ended(*two),
        "ping between": ended(two[0], ping, two[1]),
        "pong between": ended(two[0], frame(PONG, b"x"), two[1]),
        "byte by byte": ended(*fragments(pattern(300), 1)),
        "byte by byte with pings": ended(*(each + ping for each in fragments(pattern(60), 1))),
        "64 KiB in pieces of 1000": ended(*fragments(pattern(65536), 1000, BINARY)),
        "empty fragments": ended(frame(TEXT, final=False), frame(CONTINUATION, final=False), frame(CONTINUATION)),
        "empty ones around": ended(
            frame(TEXT, final=False), frame(CONTINUATION, b"a", final=False), frame(CONTINUATION)
        ),
        "a continuation of nothing": ended(frame(CONTINUATION, b"x")),
        "an unfinished continuation of nothing": ended(frame(CONTINUATION, b"x", final=False)),
        "a continuation after the end": ended(*two, frame(CONTINUATION, b"x")),
        "a message inside a message": ended(two[0], frame(TEXT, b"x")),
        "a beginning inside a message": ended(two[0], frame(BINARY, b"x", final=False)),
        "a goodbye inside a message": ended(two[0]),
    }


def texts() -> Cases:
    valid = {f"valid {text!a}": ended(frame(TEXT, text.encode())) for text in VALID}
    invalid = {f"invalid {raw!r}": ended(frame(TEXT, raw)) for raw in INVALID}
    pieces = {f"invalid {raw!r} byte by byte": ended(*fragments(raw, 1)) for raw in INVALID if len(raw) > 1}
    cut = {
        f"valid, cut at {at}": ended(frame(TEXT, GREEK[:at], final=False), frame(CONTINUATION, GREEK[at:]))
        for at in range(11)
    }
    return {**valid, **invalid, **pieces, **cut}


def goodbyes() -> Cases:
    codes = {f"code {code}": close(code) for code in (*GOOD_CODES, *BAD_CODES)}
    return {
        **codes,
        "no code": close(None),
        "half a code": frame(CLOSE, b"\x03"),
        "with a reason": close(1000, b"enough"),
        "with a reason of 123": close(1000, pattern(123)),
        "with a reason of 124": close(1000, pattern(124)),
        "with a reason that is no text": close(1000, b"\xff"),
        "with a reason in Greek": close(1000, GREEK),
        "message behind it": close() + frame(TEXT, b"late"),
        "ping behind it": close() + frame(PING, b"late"),
        "two of them": close() + close(1001),
        "in fragments": frame(CLOSE, b"\x03", final=False) + frame(CONTINUATION, b"\xe8"),
    }


def masks() -> Cases:
    return {
        "no mask": ended(frame(TEXT, b"hello", key=None)),
        "mask of zeros": ended(frame(TEXT, b"hello", key=bytes(4))),
        "each its own": ended(*(frame(TEXT, b"hello", key=bytes([at, 7, at, 255 - at])) for at in range(9))),
        "unmasked ping": ended(frame(PING, b"x", key=None)),
        "unmasked goodbye": frame(CLOSE, b"\x03\xe8", key=None),
    }


def lengths() -> Cases:
    huge = bytes([0x82, 0xFF]) + b"\x80" + bytes(7) + KEY
    return {
        "5 in two bytes": ended(frame(TEXT, b"hello", wide=2)),
        "5 in eight bytes": ended(frame(TEXT, b"hello", wide=8)),
        "300 in eight bytes": ended(frame(TEXT, pattern(300), wide=8)),
        "above 2^63": huge,
        "a ping in two bytes": ended(frame(PING, b"x", wide=2)),
    }


def compressed() -> Cases:
    """With permessage-deflate agreed on; RSV1 marks a compressed message."""
    squeezed = deflated(pattern(5000))
    two = [frame(TEXT, squeezed[:9], rsv=4, final=False), frame(CONTINUATION, squeezed[9:])]
    marked = frame(CONTINUATION, squeezed[9:], rsv=4)
    return {
        **{
            f"message of {size}": ended(frame(TEXT, deflated(pattern(size)), rsv=4))
            for size in (0, 1, 100, 5000, 1 << 17)
        },
        "stored": ended(frame(BINARY, deflated(pattern(3000), level=0), rsv=4)),
        "not compressed": ended(frame(TEXT, b"hello")),
        "one and one": ended(frame(TEXT, b"plain"), frame(TEXT, deflated(b"squeezed"), rsv=4), frame(TEXT, b"plain")),
        "in two fragments": ended(*two),
        "ping between": ended(two[0], frame(PING, b"x"), two[1]),
        "marked twice": ended(two[0], marked),
        "rubbish": ended(frame(TEXT, b"\xff" * 20, rsv=4)),
        "compressed ping": ended(frame(PING, deflated(b"x"), rsv=4)),
        "no text inside": ended(frame(TEXT, deflated(b"\xff\xfe"), rsv=4)),
    }


PLAIN: Sequence = (sizes, many, pings, reserved, fragmented, texts, goodbyes, masks, lengths)
