"""Open packets with any JSON in them: the sid of the top level or none, whatever stands around it."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from fastproxy.affinity import open_packet, query

PLAUSIBLE = re.compile(rb"[A-Za-z0-9._~-]{1,128}")
SIDS = st.text("abcXYZ019-_.~", min_size=1, max_size=40)
KEYS = st.sampled_from(["sid", "upgrades", "pingInterval", "a", 'q"', "\\"]) | st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | SIDS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
QUERY_PIECES = st.sampled_from([b"?", b"&", b"EIO=4", b"sid=", b"sid=a", b"/"])
OBJECTS = st.dictionaries(KEYS.filter(lambda key: key != "sid"), VALUES, max_size=5)


def binary_length(length: int) -> bytes:
    """EIO 3 writes the digits of a binary packet's length as bytes 0 to 9."""
    return b"\x00" + bytes(int(digit) for digit in str(length)) + b"\xff"


def framed(packet: bytes, version: str) -> bytes:
    prefix = {"4": b"", "3": b"%d:" % len(packet), "3 binary": binary_length(len(packet))}[version]
    return prefix + packet


@given(
    st.data(), SIDS, OBJECTS, st.sampled_from(["4", "3", "3 binary"]), st.booleans(), st.sampled_from([None, 1]),
    st.binary(max_size=10),
)  # fmt: skip
def test_the_sid_is_found_wherever_it_stands(data, sid, others, version, ascii_only, indent, behind):
    place = data.draw(st.integers(0, len(others)))
    members = [*others.items()]
    members.insert(place, ("sid", sid))
    text = json.dumps(dict(members), ensure_ascii=ascii_only, indent=indent)
    if indent:
        text = "{" + text[1:].strip()  # an open packet begins with `0{`
    packet = framed(b"0" + text.encode("utf-8", "surrogatepass"), version)
    found = open_packet(packet + behind)
    assert isinstance(found, tuple)
    assert found[0] == sid.encode()
    cut = data.draw(st.integers(0, len(packet) - 1))
    assert open_packet(packet[:cut]) == "incomplete"


@given(OBJECTS, st.sampled_from(["4", "3", "3 binary"]))
def test_a_sid_below_the_top_level_is_none(others, version):
    text = json.dumps(others).encode()
    assert open_packet(framed(b"0" + text, version)) is None


@given(st.binary(max_size=200) | st.binary(max_size=100).map(b'0{"sid":"'.__add__))
def test_any_bytes(data):
    """Whatever a node answers: no sid, or one that a query can carry and that stands in the answer."""
    found = open_packet(data)
    if isinstance(found, tuple):
        sid, lifetime_s = found
        assert PLAUSIBLE.fullmatch(sid)
        assert sid in data
        assert 1 <= lifetime_s <= 86400


@given(st.binary(max_size=200) | st.lists(QUERY_PIECES).map(b"".join))
def test_any_query(target):
    is_engine_io, is_polling, sid = query(target)
    assert not is_engine_io or b"EIO=" in target
    assert not is_polling or b"transport=polling" in target
    assert not sid or (PLAUSIBLE.fullmatch(sid) and b"sid=" + sid in target)
