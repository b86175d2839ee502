"""The session table: what it answers, whom it displaces, and what several processes may do to it at once."""

import ctypes
import mmap
import os
import random
import re
import signal
import struct
import zlib
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from fastproxy._sessions import SessionTable, sip_hash

KEY = bytes(range(16))
NOW = 1000
TTL = 45
HOSTS = [0x9E3779B9, 0x7F4A7C15, 0xF39CC060, 0x5CEDC834]
# Keyed hashes of 00 01 02 .. under the key 00 .. 0f, as OpenSSL's SIPHASH gives them; the first four are also
# in the vectors of the reference implementation.
SIP_HASHES = [
    (0, "a3817f04ba25a8e66df67214c7550293"),
    (1, "da87c1d86b99af44347659119b22fc45"),
    (2, "8177228da4a45dc7fca38bdef60affe4"),
    (3, "9c70b60c5267a94e5f33b6b02985ed51"),
    (7, "a1f1ebbed8dbc153c0b84aa61ff08239"),
    (8, "3b62a9ba6258f5610f83e264f31497b4"),
    (9, "264499060ad9baabc47f8b02bb6d71ed"),
    (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
    (16, "6ee2a4ca67b054bbfd3315bf85230577"),
    (20, "9e25fc833f2290733e9344a5e83839eb"),
    (63, "5150d1772f50834a503e069a973fbd7c"),
]


def table_of(buckets: int) -> SessionTable:
    return SessionTable(mmap.mmap(-1, 64 * buckets), KEY)


def id_of(number: int) -> bytes:
    return b"lv_VI97HAXpY6yYWAAA%d" % number


def host_of(sid: bytes) -> int:
    return HOSTS[zlib.crc32(sid) % len(HOSTS)]


@pytest.mark.parametrize(("length", "digest"), SIP_HASHES)
def test_sip_hash(length: int, digest: str) -> None:
    assert sip_hash(KEY, bytes(range(length))).hex() == digest


def test_an_empty_region_is_an_empty_table() -> None:
    table = table_of(16)
    assert table.capacity == 64
    assert table.get(b"anything", NOW) is None
    assert table.count(NOW) == 0


def test_learn_and_find() -> None:
    table = table_of(16)
    assert table.put(b"one", HOSTS[0], NOW, TTL) == 0
    assert table.put(b"two", HOSTS[1], NOW, TTL) == 0
    assert table.get(b"one", NOW) == HOSTS[0]
    assert table.get(b"two", NOW) == HOSTS[1]
    assert table.get(b"three", NOW) is None
    assert table.get(b"", NOW) is None
    assert table.count(NOW) == 2


def test_learning_again_replaces() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, TTL)
    assert table.put(b"one", HOSTS[1], NOW + 5, TTL) == 0
    assert table.get(b"one", NOW + TTL + 4) == HOSTS[1]
    assert table.count(NOW) == 1


def test_an_entry_lives_until_its_expiry() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, TTL)
    assert table.get(b"one", NOW + TTL - 1) == HOSTS[0]
    assert table.get(b"one", NOW + TTL) is None
    assert table.count(NOW + TTL) == 0


def test_finding_raises_the_expiry_only_when_asked() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, TTL)
    assert table.get(b"one", NOW + 40) == HOSTS[0]
    assert table.get(b"one", NOW + 40, TTL) == HOSTS[0]
    assert table.get(b"one", NOW + 84) == HOSTS[0]
    assert table.get(b"one", NOW + 85) is None


def test_finding_never_lowers_the_expiry() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, 300)
    assert table.get(b"one", NOW, TTL) == HOSTS[0]
    assert table.get(b"one", NOW + 299) == HOSTS[0]


def test_an_expired_entry_is_not_brought_back() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, TTL)
    assert table.get(b"one", NOW + TTL, TTL) is None
    assert table.get(b"one", NOW) == HOSTS[0]


def test_an_expiry_past_the_end_of_time_stays_at_the_end() -> None:
    table = table_of(16)
    last = 2**32 - 1
    table.put(b"one", HOSTS[0], last - 1, 100)
    assert table.get(b"one", last - 1, 100) == HOSTS[0]
    assert table.get(b"one", last) is None


def test_forget() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, TTL)
    assert table.drop(b"one")
    assert table.get(b"one", NOW) is None
    assert not table.drop(b"one")
    assert table.put(b"one", HOSTS[1], NOW, TTL) == 0
    assert table.get(b"one", NOW) == HOSTS[1]


def test_a_full_bucket_displaces_what_expires_first() -> None:
    table = table_of(1)
    for number, ttl_s in enumerate((50, 20, 40, 30)):
        assert table.put(id_of(number), HOSTS[0], NOW, ttl_s) == 0
    assert table.put(id_of(4), HOSTS[1], NOW, 60) == 1
    assert [table.get(id_of(number), NOW) is not None for number in range(5)] == [True, False, True, True, True]
    assert table.get(id_of(4), NOW) == HOSTS[1]


def test_expired_entries_make_room_first() -> None:
    table = table_of(1)
    for number, ttl_s in enumerate((50, 20, 40, 30)):
        table.put(id_of(number), HOSTS[0], NOW, ttl_s)
    assert table.put(id_of(4), HOSTS[1], NOW + 20, 1) == 0
    assert table.count(NOW + 20) == 4
    assert table.put(id_of(2), HOSTS[1], NOW + 20, 60) == 0, "replacing one's own entry displaces nobody"


def test_three_quarters_full_without_displacing_anybody() -> None:
    table = table_of(2048)
    sids = [id_of(number) for number in range(table.capacity * 3 // 4)]
    assert {table.put(sid, host_of(sid), NOW, TTL) for sid in sids} == {0}
    assert all(table.get(sid, NOW) == host_of(sid) for sid in sids)
    assert table.count(NOW) == len(sids)


def test_what_does_not_fill_a_bucket_is_left_alone() -> None:
    region = mmap.mmap(-1, 4096)
    table = SessionTable(memoryview(region)[: 64 * 3 + 63], KEY)
    assert table.capacity == 12
    for number in range(200):
        table.put(id_of(number), HOSTS[0], NOW, TTL)
    assert region[: 64 * 3].count(0) < 64 * 3
    assert not any(region[64 * 3 :])


def test_the_id_is_not_in_the_region_and_needs_the_key() -> None:
    region = mmap.mmap(-1, 4096)
    sid = b"a-session-id-of-20-b"
    SessionTable(region, KEY).put(sid, HOSTS[0], NOW, TTL)
    assert SessionTable(region, KEY).get(sid, NOW) == HOSTS[0]
    assert SessionTable(region, bytes(16)).get(sid, NOW) is None
    assert not any(sid[i : i + 8] in region[:] for i in range(len(sid) - 7))
    assert struct.pack("<I", HOSTS[0]) not in region[:]


@pytest.mark.parametrize("size", [0, 63])
def test_a_region_too_small(size: int) -> None:
    with pytest.raises(ValueError, match="region"):
        SessionTable(bytearray(size), KEY)


def test_a_region_off_its_boundary() -> None:
    with pytest.raises(ValueError, match="region"):
        SessionTable(memoryview(mmap.mmap(-1, 4096))[1:1025], KEY)


def test_a_region_that_cannot_be_written() -> None:
    with pytest.raises(BufferError):
        SessionTable(bytes(4096), KEY)


@pytest.mark.parametrize("key", [b"", bytes(15), bytes(17)])
def test_a_key_of_another_length(key: bytes) -> None:
    with pytest.raises(ValueError, match="key"):
        SessionTable(mmap.mmap(-1, 4096), key)


def resident_bytes(region: mmap.mmap) -> int:
    """Resident memory of the mapping, from the kernel's account of this process."""
    start = f"{ctypes.addressof(ctypes.c_char.from_buffer(region)):x}-"
    _, _, rest = Path("/proc/self/smaps").read_text().partition("\n" + start)
    found = re.search(r"^Rss: +(\d+) kB", rest, re.MULTILINE)
    assert found is not None
    return 1024 * int(found[1])


def test_pages_appear_as_they_are_used() -> None:
    region = mmap.mmap(-1, 16 << 20)
    table = SessionTable(region, KEY)
    assert table.count(NOW) == 0
    assert resident_bytes(region) == 0
    for number in range(10):
        table.put(id_of(number), HOSTS[0], NOW, TTL)
    assert table.count(NOW) == 10
    assert 0 < resident_bytes(region) <= 20 * mmap.PAGESIZE


# What other processes leave behind, slot by slot: a bucket is four pairs of tag and value.


def words(region: mmap.mmap) -> list[int]:
    return list(struct.unpack("<8Q", region[:64]))


def set_words(region: mmap.mmap, changed: list[int]) -> None:
    region[:64] = struct.pack("<8Q", *changed)


def test_a_tag_with_the_value_of_another_names_no_host() -> None:
    region = mmap.mmap(-1, 64)
    table = SessionTable(region, KEY)
    table.put(b"one", HOSTS[0], NOW, TTL)
    table.put(b"two", HOSTS[1], NOW, TTL)
    slots = words(region)
    slots[1], slots[3] = slots[3], slots[1]
    set_words(region, slots)
    assert table.get(b"one", NOW) not in HOSTS
    assert table.get(b"two", NOW) not in HOSTS


def test_a_writer_that_died_before_its_tag_harms_nobody_for_long() -> None:
    """The value of `two` stands in the slot of `one`, whose tag was never replaced."""
    region = mmap.mmap(-1, 64)
    table = SessionTable(region, KEY)
    table.put(b"two", HOSTS[1], NOW, TTL)
    stray = words(region)[1]
    table.drop(b"two")
    table.put(b"one", HOSTS[0], NOW, TTL)
    slots = words(region)
    at = slots.index(next(word for word in slots[1::2] if word), 1)
    slots[at] = stray
    set_words(region, slots)
    assert table.get(b"one", NOW) not in HOSTS
    assert table.get(b"two", NOW) not in HOSTS
    assert table.count(NOW + TTL) == 0
    assert table.put(b"one", HOSTS[0], NOW, TTL) == 0
    assert table.get(b"one", NOW) == HOSTS[0]
    assert table.count(NOW) == 1


# Several processes at once.


def in_processes(number: int, work: Callable[[int], bool]) -> list[int]:
    """Process ids of forked children that leave with 0 when `work` says True."""
    children = []
    for child in range(number):
        pid = os.fork()
        if pid == 0:
            failed = True
            try:
                failed = not work(child)
            finally:
                os._exit(failed)
        children.append(pid)
    return children


def hammer(table: SessionTable, seed: int, rounds: int) -> bool:
    """Learn, find and forget ids that all processes share; False when a lookup names a wrong host."""
    chance = random.Random(seed)
    for step in range(rounds):
        sid = id_of(chance.randrange(40))
        now_s = NOW + step // 500
        action = chance.randrange(8)
        if action < 3:
            table.put(sid, host_of(sid), now_s, 1 + chance.randrange(TTL))
        elif action == 3:
            table.drop(sid)
        else:
            found = table.get(sid, now_s, chance.choice((0, TTL)))
            if found in HOSTS and found != host_of(sid):
                return False
    return True


@pytest.mark.parametrize("buckets", [1, 3])
def test_many_writers_never_name_a_wrong_host(buckets: int) -> None:
    table = table_of(buckets)
    children = in_processes(4, lambda child: hammer(table, child, 60_000))
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    after = NOW + 10_000
    assert table.put(b"later", HOSTS[2], after, TTL) == 0, "every stray value has expired"
    assert table.get(b"later", after) == HOSTS[2]


def test_writers_killed_at_any_moment() -> None:
    table = table_of(1)
    chance = random.Random(1)
    for burst in range(25):
        reader, writer = os.pipe()

        def forever(child: int, burst: int = burst, ready: int = writer) -> bool:
            os.write(ready, b"!")
            return all(hammer(table, seed, 100) for seed in count(1000 * burst + 100 * child))

        children = in_processes(2, forever)
        os.read(reader, 1)
        wrong = not hammer(table, burst, chance.randrange(3000))
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        statuses = [os.waitpid(pid, 0)[1] for pid in children]
        os.close(reader)
        os.close(writer)
        assert statuses == [signal.SIGKILL] * 2
        assert not wrong
    after = NOW + 10_000
    for number in range(4):
        assert table.put(id_of(number), HOSTS[3], after, TTL) == 0
    assert [table.get(id_of(number), after) for number in range(4)] == [HOSTS[3]] * 4


def test_what_one_process_learns_another_finds() -> None:
    table = table_of(64)
    (child,) = in_processes(1, lambda _: table.put(b"one", HOSTS[1], NOW, TTL) == 0)
    assert os.waitpid(child, 0)[1] == 0
    assert table.get(b"one", NOW) == HOSTS[1]
