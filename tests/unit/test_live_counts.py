"""What is open by key: beside a twin that counts in a dictionary, under several processes, and after a death."""

import mmap
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastproxy.live_counts import LIMITED, NO_ROOM, LiveCounts, counts_bytes

KEY = bytes(range(16))


def region(slots: int, workers: int) -> memoryview:
    return memoryview(bytearray(counts_bytes(slots, workers))).cast("Q")


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9), st.booleans()), max_size=300))
def test_counts_do_as_their_twin(steps):
    memory = region(1024, 2)
    workers = [LiveCounts(memory, KEY, number, 2) for number in range(2)]
    held: list[list[tuple[int, int]]] = [[], []]
    twin = [0] * 10
    for worker, key, comes in steps:
        if comes:
            slot = workers[worker].enter(b"%d" % key, 3)
            assert (slot == LIMITED) == (twin[key] == 3)
            if slot >= 0:
                twin[key] += 1
                held[worker].append((key, slot))
        elif held[worker]:
            key, slot = held[worker].pop()
            workers[worker].leave(slot)
            twin[key] -= 1
        assert [workers[0].open(b"%d" % key) for key in range(10)] == twin


def test_a_set_takes_eight_keys_and_then_has_no_room():
    counts = LiveCounts(region(8, 1), KEY, 0, 1)
    slots = [counts.enter(b"%d" % number, 1) for number in range(9)]
    assert sorted(slots) == [NO_ROOM, *range(8)]
    counts.leave(slots[0])
    assert counts.enter(b"8", 1) == slots[0]


def test_what_a_dead_worker_had_open_is_forgotten():
    memory = region(64, 2)
    first, second = (LiveCounts(memory, KEY, number, 2) for number in range(2))
    for counts in (first, first, second):
        assert counts.enter(b"a", 3) >= 0
    assert second.enter(b"a", 3) == LIMITED
    successor = LiveCounts(memory, KEY, 0, 2)
    assert successor.open(b"a") == 1
    assert successor.enter(b"a", 2) >= 0


def test_what_is_needed():
    with pytest.raises(ValueError, match="16 bytes"):
        LiveCounts(region(8, 1), b"short", 0, 1)
    with pytest.raises(ValueError, match="room for a set"):
        LiveCounts(memoryview(bytearray(128)).cast("Q"), KEY, 0, 2)


def test_processes_never_count_more_than_the_most():
    """Each tells in a pipe when it enters and before it leaves, so that the sum there is never above what is open."""
    shared = mmap.mmap(-1, 16 * mmap.PAGESIZE)
    reading, writing = os.pipe()
    children = []
    for number in range(4):
        pid = os.fork()
        if pid == 0:
            counts = LiveCounts(memoryview(shared).cast("Q")[: len(region(64, 4))], KEY, number, 4)
            chance = random.Random(number)
            slots: list[int] = []
            for _ in range(2000):
                if slots and chance.random() < 0.5:
                    os.write(writing, b"-")
                    counts.leave(slots.pop())
                elif (slot := counts.enter(b"%d" % chance.randrange(1), 3)) >= 0:
                    slots.append(slot)
                    os.write(writing, b"+")
            for slot in slots:
                os.write(writing, b"-")
                counts.leave(slot)
            os._exit(0)
        children.append(pid)
    os.close(writing)
    told = b""
    while part := os.read(reading, 1 << 16):
        told += part
    os.close(reading)
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0
    is_open = most = 0
    for step in told:
        is_open += 1 if step == ord("+") else -1
        most = max(most, is_open)
    assert is_open == 0
    assert 1 <= most <= 3
    assert LiveCounts(memoryview(shared).cast("Q")[: len(region(64, 4))], KEY, 0, 4).open(b"0") == 0
