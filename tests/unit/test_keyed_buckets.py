"""Buckets by key: each does as if it were alone, few meet, and several processes take from one."""

import mmap
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastproxy.keyed_buckets import KeyedBuckets, keyed_bytes
from fastproxy.model import TokenBucket
from fastproxy.token_buckets import Bucket

KEY = bytes(range(16))
MS = 1_000_000


def table(buckets: int = 1024) -> KeyedBuckets:
    return KeyedBuckets(memoryview(bytearray(keyed_bytes(buckets))).cast("Q"), KEY)


@given(
    burst=st.integers(1, 20),
    per_second=st.sampled_from([1, 2, 4, 5, 8, 10, 20, 100, 1000]),
    steps=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1500)), max_size=200),
)
def test_each_key_has_a_bucket_as_if_it_were_alone(burst, per_second, steps):
    """Rates whose period is a whole number of sixteenths of a millisecond: those are kept to the last token."""
    buckets, now = table(), 1000
    twins = [
        Bucket(memoryview(bytearray(8)).cast("Q"), TokenBucket(burst, 1, 1 / per_second)) for _ in range(5)
    ]  # fmt: skip
    for number, pause in steps:
        now += pause
        wait_ms, is_crowded = buckets.allow(b"client %d" % number, per_second, burst, now)
        assert not is_crowded
        assert wait_ms == -(-twins[number].take(now * MS) // MS)


def test_the_wait_is_long_enough():
    buckets = table()
    assert buckets.allow(b"a", 3.0, 1, 1000) == (0, False)
    wait_ms, _ = buckets.allow(b"a", 3.0, 1, 1000)
    assert 0 < wait_ms <= 334
    assert buckets.allow(b"a", 3.0, 1, 1000 + wait_ms - 1)[0] > 0
    assert buckets.allow(b"a", 3.0, 1, 1000 + wait_ms) == (0, False)


def test_the_least_busy_one_has_to_go_where_too_many_meet():
    """All keys share the only set. The busiest keeps what it owes."""
    buckets = table(8)
    for _ in range(5):
        assert buckets.allow(b"busy", 1.0, 5, 1000) == (0, False)
    crowded = [buckets.allow(b"client %d" % number, 1.0, 5, 1000)[1] for number in range(100)]
    assert crowded == [False] * 7 + [True] * 93
    assert buckets.allow(b"busy", 1.0, 5, 1000)[0] > 0


def test_full_buckets_make_room_unnoticed():
    buckets = table(8)
    for second in range(1, 100):
        assert buckets.allow(b"client %d" % second, 1.0, 1, 1000 * second) == (0, False)


def test_few_keys_meet():
    """A quarter as many clients as there are buckets: hardly any finds its set full."""
    buckets = table(1 << 14)
    crowded = sum(buckets.allow(b"%d" % number, 0.01, 1, 1000)[1] for number in range(1 << 12))
    assert crowded < 8


def test_extremes_of_rate():
    buckets = table()
    assert buckets.allow(b"fast", 1e6, 1 << 30, 1000) == (0, False)
    assert buckets.allow(b"slow", 0.000_000_01, 1 << 30, 1000) == (0, False)
    assert buckets.allow(b"slow", 0.000_000_01, 1, 1000)[0] > 0


def test_what_is_needed():
    with pytest.raises(ValueError, match="16 bytes"):
        KeyedBuckets(memoryview(bytearray(64)).cast("Q"), b"short")
    with pytest.raises(ValueError, match="room for a set"):
        KeyedBuckets(memoryview(bytearray(56)).cast("Q"), KEY)


def test_processes_share_a_bucket():
    shared = mmap.mmap(-1, mmap.PAGESIZE)
    reading, writing = os.pipe()
    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            buckets = KeyedBuckets(memoryview(shared).cast("Q"), KEY)
            own = sum(buckets.allow(b"one", 0.001, 3000, 1000)[0] == 0 for _ in range(2000))
            os.write(writing, b"%5d" % own)
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    taken = [int(os.read(reading, 5)) for _ in children]
    os.close(reading)
    os.close(writing)
    assert sum(taken) == 3000


def test_tokens_are_put_back_as_far_as_there_is_room():
    buckets = table()
    buckets.give(b"a", 1.0, 10, 1000, 3)  # which nobody has taken from
    assert buckets.missing_ms(b"a", 1000) == 0
    assert buckets.allow(b"a", 1.0, 10, 1000, 8) == (0, False)
    buckets.give(b"a", 1.0, 10, 1000, 3)
    buckets.give(b"b", 1.0, 10, 1000, 3)
    assert buckets.missing_ms(b"a", 1000) == 5000
    for tokens in (6, 10**9):
        buckets.give(b"a", 1.0, 10, 1000, tokens)
        assert buckets.missing_ms(b"a", 1000) == 0
        assert buckets.allow(b"a", 1.0, 10, 1000, 10) == (0, False)
        assert buckets.allow(b"a", 1.0, 10, 1000) == (1000, False)
