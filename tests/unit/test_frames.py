"""Messages of a WebSocket, counted frame by frame."""

import pytest

from fastproxy.frames import messages
from tests.support.websocket import frame

TEXT, BINARY, CONTINUATION, CLOSE, PING = 1, 2, 0, 8, 9


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536])
def test_a_message_of_any_length(size, masked):
    data = frame(b"\x81" * size, masked=masked)
    assert messages([data, data]) == ([1, 1], size, False)
    assert messages([data[:-1]]) == ([0], size, False)


@pytest.mark.parametrize("size", [0, 5, 300, 70000])
def test_a_frame_in_two_pieces(size):
    data = frame(b"a" * size, masked=True) + frame(b"b")
    for cut in {*range(1, 20), size // 2, size + 1, len(data) - 3} & set(range(1, len(data) - 2)):
        assert sum(messages([data[:cut], data[cut:]])[0]) == 2


def test_fragments_are_one_message():
    parts = [
        frame(b"abc", TEXT, final=False), frame(b"", PING), frame(b"de", CONTINUATION, final=False),
        frame(b"", CONTINUATION),
    ]  # fmt: skip
    assert messages(parts) == ([0, 0, 0, 1], 5, False)


def test_control_frames_are_no_messages():
    assert messages([frame(b"x" * 125, opcode) for opcode in (CLOSE, PING, 10)]) == ([0, 0, 0], 0, False)


def test_bits_of_extensions_are_not_judged():
    assert messages([frame(b"abc", 0x40 | TEXT), frame(b"abc", 0x70 | BINARY)])[0] == [1, 1]


def test_a_length_that_could_be_shorter_is_one():
    assert messages([b"\x81\x7f" + (3).to_bytes(8, "big") + b"abc" + frame(b"de")]) == ([2], 2, False)


def test_the_longest_frame():
    head = b"\x82\x7f" + (2**63 - 1).to_bytes(8, "big")
    assert messages([head, b"x" * 1000]) == ([0, 0], 2**63 - 1, False)
    masked = b"\x82\xff" + (2**63 - 1).to_bytes(8, "big")
    assert messages([masked, b"x" * 1000]) == ([0, 0], 2**63 - 1, False)


@pytest.mark.parametrize(
    "broken",
    [
        *(frame(b"", opcode) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
        frame(b"", CONTINUATION),  # of nothing
        frame(b"a", TEXT, final=False) + frame(b"b", BINARY),
        frame(b"", PING, final=False),
        frame(b"x" * 126, PING),
        b"\x89\x7f",
        b"\x82\x7f\x80" + bytes(7),
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_behind_a_broken_frame_nothing_is_counted(broken):
    counts, _, is_broken = messages([frame(b"a"), frame(b"b") + broken, frame(b"c") * 100])
    assert (counts, is_broken) == ([1, 1, 0], True)
