"""Packets are counted as a reader with the whole text before it counts them, wherever the text was cut."""

import re
from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from fastproxy.frames import messages
from fastproxy.payloads import packets
from tests.support.websocket import frame


def cut(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """`data` in pieces, cut at these places modulo its length."""
    places = sorted({place % (len(data) + 1) for place in cuts})
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


CUTS = st.lists(st.integers(0, 1 << 20), max_size=12)
CONTROL = st.builds(frame, st.binary(max_size=125), st.sampled_from([8, 9, 10]), masked=st.booleans())


@st.composite
def message(draw: st.DrawFn) -> bytes:
    """A message in any number of frames, with control frames between them."""
    parts = draw(st.lists(st.binary(max_size=20) | st.integers(120, 140).map(bytes), min_size=1, max_size=4))
    masked, opcode = draw(st.booleans()), draw(st.sampled_from([1, 2, 0x41]))
    text = b""
    for number, part in enumerate(parts):
        text += frame(part, 0 if number else opcode, final=number == len(parts) - 1, masked=masked)
        text += b"".join(draw(st.lists(CONTROL, max_size=1)))
    return text


def may_stand(first: int, in_message: bool) -> bool:
    """Whether a frame may begin with this byte."""
    opcode, is_final = first & 15, first >> 7
    if opcode >= 8:
        return opcode <= 10 and bool(is_final)
    return opcode <= 2 and in_message == (opcode == 0)


def messages_of(data: bytes) -> tuple[int, bool]:
    """How many messages are complete, and whether a frame is broken: the twin of the scanner."""
    count, at, in_message = 0, 0, False
    while at < len(data):
        first = data[at]
        if not may_stand(first, in_message):
            return count, True
        if at + 1 == len(data):
            break
        has_mask, size = divmod(data[at + 1], 128)
        wide = {126: 2, 127: 8}.get(size, 0)
        if wide and first & 8:
            return count, True
        at += 2
        if at + wide > len(data):
            break
        size = int.from_bytes(data[at : at + wide], "big") if wide else size
        if size >> 63:
            return count, True
        at += wide + 4 * has_mask + size
        if not first & 8:
            in_message = not first >> 7
            count += at <= len(data) and not in_message
    return count, False


@given(st.lists(message() | CONTROL, max_size=6), CUTS)
def test_messages_of_a_tunnel(texts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(texts)
    counts, _, is_broken = messages(cut(data, cuts))
    assert (sum(counts), is_broken) == messages_of(data)
    assert not is_broken


@given(st.lists(message(), max_size=3), st.binary(max_size=60), st.integers(0, 400), CUTS)
def test_messages_in_whatever_comes(texts: list[bytes], more: bytes, end: int, cuts: list[int]) -> None:
    data = (b"".join(texts) + more)[:end]
    counts, _, is_broken = messages(cut(data, cuts))
    assert (sum(counts), is_broken) == messages_of(data)


PACKET = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1e"), min_size=1, max_size=30)


@given(st.lists(PACKET.map(lambda text: "4" + text) | st.just("2"), max_size=6), CUTS)
@example(["4" + "é" * 5, "2"], [2, 4])
def test_packets_with_separators(texts: list[str], cuts: list[int]) -> None:
    body = "\x1e".join(texts).encode()
    assert packets(cut(body, cuts), False) == (len(texts), False)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


LONG = st.builds(lambda text, times: (text * times)[:400], PACKET, st.integers(1, 100))


@given(st.lists(PACKET | LONG, max_size=6), CUTS)
@example(["😀", "é", "2"], [3, 4, 5, 6])
def test_packets_with_lengths(texts: list[str], cuts: list[int]) -> None:
    body = "".join(f"{units(text)}:{text}" for text in texts).encode()
    assert packets(cut(body, cuts), True) == (len(texts), False)


@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=30)), max_size=6), CUTS)
def test_packets_with_binary_lengths(parts: list[tuple[bool, bytes]], cuts: list[int]) -> None:
    digits = [bytes(map(int, str(len(part)))) for _, part in parts]
    body = b"".join(bytes([kind]) + length + b"\xff" + part for (kind, part), length in zip(parts, digits, strict=True))
    assert packets(cut(body, cuts), True) == (len(parts), False)


@given(st.binary(max_size=40) | st.text("0123:é😀b", max_size=20).map(str.encode), st.booleans(), CUTS)
def test_cuts_change_nothing(body: bytes, has_lengths: bool, cuts: list[int]) -> None:
    number, is_broken = packets([body], has_lengths)
    assert packets(cut(body, cuts), has_lengths) == (number, is_broken)
    if not has_lengths:
        assert is_broken == bool(re.match(rb"[^0-6b]", body, re.DOTALL))
        assert number == (0 if is_broken or not body else len(body.split(b"\x1e")))
