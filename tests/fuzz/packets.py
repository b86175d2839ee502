"""A target for atheris: frames, payloads and open packets, cut anywhere, are counted and found as in one piece."""

from fastproxy.frames import messages
from fastproxy.json_members import members, text
from fastproxy.open_packets import first_frame, open_packet
from fastproxy.payloads import packets
from tests.fuzz.fuzzing import Cutter, fuzz


def one_input(data: bytes) -> None:
    cutter = Cutter(data)
    counts, _, is_broken = messages(cutter.pieces())
    whole, _, was_broken = messages([cutter.data])
    assert (sum(counts), is_broken) == (sum(whole), was_broken)
    for has_lengths in (False, True):
        assert packets(cutter.pieces(), has_lengths) == packets([cutter.data], has_lengths)
    for find in (open_packet, first_frame):
        found = find(cutter.data)
        if isinstance(found, tuple):
            assert found[0] in cutter.data or b"\\" in cutter.data
            assert find(cutter.data + b"x") == found
        if found is None:
            assert find(cutter.data + b"}") is None
    pairs, _ = members(cutter.data)
    assert all(name in cutter.data and value in cutter.data for name, value, _ in pairs)
    written = text(cutter.data)
    assert written is None or len(written) <= len(cutter.data)


if __name__ == "__main__":
    fuzz(one_input)
