"""Session ids in any answer: the one that was issued or none, whatever stands around it and wherever it is cut."""

import gzip
import json
import re
import zlib

from hypothesis import given
from hypothesis import strategies as st

from fastproxy.affinity import query
from fastproxy.inflation import Inflater
from fastproxy.issued_ids import in_event, in_json, in_query, in_set_cookie, in_sockjs_path
from fastproxy.json_members import members, text
from fastproxy.open_packets import open_packet

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


def scripted(packet: bytes) -> bytes:
    """JSONP, as Node writes it."""
    return b"___eio[0](" + json.dumps(packet.decode()).encode() + b");"


@given(st.data(), SIDS, OBJECTS, st.sampled_from(["4", "3"]))
def test_a_packet_in_a_script_is_the_packet(data, sid, others, version):
    packet = framed(b"0" + json.dumps({**others, "sid": sid}).encode(), version)
    script = scripted(packet)
    assert open_packet(script) == (open_packet(packet) if len(packet) <= 2048 else None)
    cut = data.draw(st.integers(0, len(script) - 4))
    assert open_packet(script[:cut]) == "incomplete"


@given(st.dictionaries(KEYS, VALUES, max_size=6), st.booleans(), st.sampled_from([None, 2]))
def test_members_are_those_of_json(value, ascii_only, indent):
    data = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    found, how = members(data)
    assert how == "all"
    assert [text(key) for key, _, _ in found] == [key.encode("utf-8", "surrogatepass") for key in value]
    assert [json.loads(b'"%b"' % each if is_string else each) for _, each, is_string in found] == [*value.values()]


@given(st.text())
def test_escapes_are_those_of_json(plain):
    wanted = plain.encode("utf-8", "surrogatepass")
    assert text(json.dumps(plain)[1:-1].encode()) == wanted or "\\ud" in json.dumps(plain)


@given(st.data(), st.binary(max_size=3000), st.sampled_from(["gzip", "zlib", "raw"]))
def test_inflated_in_pieces_as_in_whole(data, plain, coding):
    deflater = zlib.compressobj(wbits=-15)
    raw = deflater.compress(plain) + deflater.flush()
    body = {"gzip": gzip.compress(plain), "zlib": zlib.compress(plain), "raw": raw}[coding]
    inflater = Inflater(coding == "gzip", 2048)
    result = b""
    while body:
        cut = data.draw(st.integers(1, len(body)))
        result += inflater.more(body[:cut]) or b""
        body = body[cut:]
    assert result == plain[:2048]


@given(st.lists(st.binary(max_size=60), max_size=5), st.booleans())
def test_any_compressed_bytes(pieces, is_gzip):
    inflater = Inflater(is_gzip, 100)
    assert sum(len(inflater.more(piece) or b"") for piece in pieces) <= 100


BODY_PIECES = st.sampled_from(
    [
        b"{",
        b"}",
        b'"id"',
        b":",
        b",",
        b'"a"',
        b"\\",
        b"\n",
        b"\r",
        b"event: endpoint",
        b"data: ",
        b"/m?id=",
        b"abc",
        b"%61",
    ]
)
READERS = [in_json, in_event, in_query, in_set_cookie, lambda _, data: in_sockjs_path(data)]


@given(st.binary(max_size=100) | st.lists(BODY_PIECES).map(b"".join), st.sampled_from(READERS))
def test_no_answer_makes_an_implausible_id(data, reader):
    found = reader(b"id", data)
    assert found in (None, "incomplete", b"") or re.fullmatch(rb"[!#-+\--:<-\[\]-~]{1,1024}", found)


@given(st.lists(BODY_PIECES).map(b"".join), st.sampled_from([in_json, in_event]))
def test_what_the_beginning_has_said_stays(data, reader):
    """More bytes make a decision of what was incomplete, and never change one."""
    found = [reader(b"id", data[:cut]) for cut in range(len(data) + 1)]
    decided = [each for each in found if each != "incomplete"]
    assert found[: len(found) - len(decided)] == ["incomplete"] * (len(found) - len(decided))
    assert len({*decided}) <= 1
