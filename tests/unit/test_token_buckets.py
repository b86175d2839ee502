"""Token buckets of one word, beside a twin that keeps tokens as fractions, and under several processes at once."""

import mmap
import os
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from fastproxy.model import TokenBucket
from fastproxy.token_buckets import Bucket

MS = 1_000_000
SECOND = 1_000_000_000


class Twin:
    """A bucket as one would describe it: so many tokens, which grow with time up to the most."""

    def __init__(self, model: TokenBucket, now_ns: int) -> None:
        self.most = model.max_tokens
        self.rate = Fraction(model.tokens_per_fill) / Fraction(round(model.fill_interval_s * SECOND))
        self.tokens, self.at = Fraction(self.most), now_ns

    def take(self, now_ns: int) -> bool:
        self.tokens = min(self.tokens + (now_ns - self.at) * self.rate, Fraction(self.most))
        self.at = now_ns
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def words() -> memoryview:
    return memoryview(bytearray(8)).cast("Q")


@given(
    max_tokens=st.integers(1, 50),
    tokens_per_fill=st.sampled_from([1, 2, 5, 10]),
    interval_ms=st.integers(1, 20).map(lambda n: n * 50),
    pauses=st.lists(st.integers(0, 3000), min_size=1, max_size=200),
)
def test_a_bucket_does_as_its_twin(max_tokens, tokens_per_fill, interval_ms, pauses):
    model = TokenBucket(max_tokens, tokens_per_fill, interval_ms / 1000)
    now = SECOND
    bucket, twin = Bucket(words(), model), Twin(model, now)
    for pause in pauses:
        now += pause * MS
        assert bucket.left(now) == int(min(twin.tokens + (now - twin.at) * twin.rate, twin.most))
        assert (bucket.take(now) == 0) == twin.take(now)


def test_the_wait_is_for_the_next_token():
    bucket = Bucket(words(), TokenBucket(2, 1, 1.0))
    assert [bucket.take(5 * SECOND) for _ in range(3)] == [0, 0, SECOND]
    assert bucket.take(5 * SECOND + 400 * MS) == 600 * MS
    assert bucket.take(6 * SECOND) == 0
    assert bucket.left(7 * SECOND) == 1
    assert bucket.left(100 * SECOND) == 2


def test_rates_beyond_what_words_can_say_are_cut():
    many = Bucket(words(), TokenBucket(2**32 - 1, 2**32 - 1, 0.05))
    assert many.take(SECOND) == 0
    seldom = Bucket(words(), TokenBucket(2**32 - 1, 1, 1e11))
    assert seldom.take(SECOND) == 0
    assert Bucket(words(), TokenBucket(1, 1, 1e11)).take(0) == 0


def test_processes_share_a_bucket():
    """Each token is taken once, however many processes want it."""
    shared = mmap.mmap(-1, mmap.PAGESIZE)
    children = []
    for _ in range(4):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            bucket = Bucket(memoryview(shared).cast("Q"), TokenBucket(5000, 1, 1000.0))
            own = sum(bucket.take(SECOND) == 0 for _ in range(4000))
            os.write(writing, str(own).encode())
            os._exit(0)
        os.close(writing)
        children.append((pid, reading))
    taken = []
    for pid, reading in children:
        taken.append(int(os.read(reading, 100)))
        os.close(reading)
        os.waitpid(pid, 0)
    assert sum(taken) == 5000
    assert max(taken) <= 4000


def test_tokens_are_put_back_as_far_as_there_is_room():
    bucket = Bucket(words(), TokenBucket(10, 1, 1.0))
    now = 5 * SECOND
    bucket.give(now, 3)
    assert bucket.left(now) == 10
    assert bucket.take(now, 8) == 0
    bucket.give(now, 3)
    assert bucket.left(now) == 5
    bucket.give(now, 0)
    assert bucket.left(now) == 5
    for tokens in (6, 10**9):
        bucket.give(now, tokens)
        assert bucket.left(now) == 10
        assert [bucket.take(now) for _ in range(11)] == [0] * 10 + [SECOND]
