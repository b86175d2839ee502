"""Beginnings of compressed answers, as servers send them."""

import gzip
import zlib

import pytest

from fastproxy.inflation import MAX_COMPRESSED_BYTES, Inflater

TEXT = b'0{"sid":"abc","pingInterval":25000}'
RAW = zlib.compressobj(wbits=-15)
BODIES = {
    "gzip": (True, gzip.compress(TEXT)),
    "zlib": (False, zlib.compress(TEXT)),
    "raw": (False, RAW.compress(TEXT) + RAW.flush()),
}


@pytest.mark.parametrize(("is_gzip", "body"), BODIES.values(), ids=BODIES)
def test_any_split(is_gzip, body):
    for step in (1, 2, 3, 7, len(body)):
        inflater = Inflater(is_gzip, 2048)
        found = [inflater.more(body[at : at + step]) for at in range(0, len(body), step)]
        assert b"".join(each or b"" for each in found) == TEXT


def test_what_comes_out_is_bounded():
    bomb = gzip.compress(bytes(10_000_000))
    inflater = Inflater(True, 2048)
    assert inflater.more(bomb[:8000]) == bytes(2048)
    assert inflater.more(bomb[8000:]) is None


def test_what_goes_in_is_bounded():
    empty_blocks = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + b"\x00\x00\x00\xff\xff" * MAX_COMPRESSED_BYTES
    inflater = Inflater(True, 2048)
    given = [inflater.more(empty_blocks[at : at + 1000]) for at in range(0, 20_000, 1000)]
    assert given.index(None) * 1000 >= MAX_COMPRESSED_BYTES
    assert set(given) == {b"", None}


@pytest.mark.parametrize("is_gzip", [True, False])
@pytest.mark.parametrize("garbage", [b"hello, this is plain", b"\x1f\x8bxxxxxxxxxx", bytes(3) + b"\xff" * 30])
def test_broken(is_gzip, garbage):
    inflater = Inflater(is_gzip, 2048)
    assert not inflater.more(garbage) or not inflater.more(garbage)
