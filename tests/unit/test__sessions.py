"""The session table: what it answers, whom it displaces, and what several processes may do to it at once."""

import ctypes
import mmap
import os
import random
import re
import signal
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from fastproxy._sessions import SessionTable, region_bytes, sip_hash

KEY = bytes(range(16))
NOW = 1000
TTL = 44
LONGEST_S = 31 << 14
HOST_BYTES = 256 * 1024  # the registry of hosts, before the slots
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


def region_of(buckets: int) -> mmap.mmap:
    return mmap.mmap(-1, region_bytes(4 * buckets))


def table_of(buckets: int) -> SessionTable:
    return SessionTable(region_of(buckets), KEY)


def content(region: mmap.mmap) -> dict[int, int]:
    """How many of the words in the region name which digest, those handed over left out: what the counts say, too."""
    values = struct.unpack(f"<{(len(region) - HOST_BYTES) // 8}Q", region[HOST_BYTES:])[1::2]
    named = Counter(value >> 16 & 0xFFF for value in values if value and not value & 1 << 15)
    counts: Counter[int] = Counter()
    for host, number in named.items():
        counts[struct.unpack_from("<I", region, 64 * host + 4)[0]] += number
    return dict(counts)


def positive(counts: dict[int, int]) -> dict[int, int]:
    return {digest: number for digest, number in counts.items() if number}


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
    assert table.put(b"one", HOSTS[1], NOW + 5, TTL) == 2
    assert table.counts() == {HOSTS[1]: 1}
    assert table.get(b"one", NOW + TTL + 4) == HOSTS[1]
    assert table.count(NOW) == 1
    assert table.put(b"one", HOSTS[1], NOW + 10 * TTL, TTL) == 0, "it had expired"


def test_an_entry_lives_until_its_expiry() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, TTL)
    table.put(b"two", HOSTS[0], NOW, TTL)
    assert table.count(NOW + TTL - 1) == 2
    assert table.get(b"one", NOW + TTL - 1) == HOSTS[0]
    assert table.get(b"two", NOW + TTL) is None
    assert table.count(NOW + TTL) == 1


def test_finding_raises_the_expiry_by_the_lifetime_of_the_entry() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, TTL)
    table.put(b"two", HOSTS[0], NOW, 2 * TTL)
    assert table.get(b"one", NOW + 40) == table.get(b"two", NOW + 40) == HOSTS[0]
    assert table.count(NOW + 40 + TTL - 1) == 2
    assert table.count(NOW + 40 + TTL) == 1
    assert table.count(NOW + 40 + 2 * TTL) == 0


def test_finding_never_lowers_the_expiry() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, 31)
    assert table.get(b"one", NOW - 20) == HOSTS[0]
    assert table.count(NOW + 30) == 1


def test_an_expired_entry_is_not_brought_back() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, 30)
    assert table.get(b"one", NOW + 30) is None
    assert table.count(NOW + 29) == 1
    assert table.count(NOW + 30) == 0


@pytest.mark.parametrize("lifetime_s", [1, 2, 15, 16, 31, 32, 33, 45, 60, 63, 64, 65, 3601, 86_400, LONGEST_S])
def test_lifetimes_are_rounded_up_by_a_sixteenth_at_most(lifetime_s: int) -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, lifetime_s)
    longest_s = lifetime_s if lifetime_s < 32 else lifetime_s * 17 // 16
    assert table.count(NOW + lifetime_s - 1) == 1
    assert table.count(NOW + longest_s) == 0


def test_lifetimes_have_bounds() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, 0)
    table.put(b"two", HOSTS[0], NOW, 2**32 - 1)
    assert (table.count(NOW), table.count(NOW + 1)) == (2, 1)
    assert (table.count(NOW + LONGEST_S - 1), table.count(NOW + LONGEST_S)) == (1, 0)


def test_an_expiry_past_the_end_of_time_stays_at_the_end() -> None:
    table = table_of(16)
    last = 2**28 - 1
    table.put(b"one", HOSTS[0], last - 1, 100)
    assert table.get(b"one", last - 1) == HOSTS[0]
    assert table.get(b"one", last) is None
    table.put(b"one", HOSTS[0], 2**32 - 1, 100)
    assert table.get(b"one", 2**32 - 1) is None


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
    assert table.put(id_of(2), HOSTS[1], NOW + 20, 60) == 2, "replacing one's own entry displaces nobody"


def test_live_sessions_are_counted_by_host() -> None:
    table = table_of(64)
    assert (table.counts(), table.live(HOSTS[0])) == ({}, 0)
    for number in range(10):
        table.put(id_of(number), HOSTS[number % 2], NOW, TTL + number)
    table.put(id_of(0), HOSTS[1], NOW, TTL)
    table.drop(id_of(2))
    assert table.counts() == {HOSTS[0]: 3, HOSTS[1]: 6}
    assert [table.live(digest) for digest in HOSTS] == [3, 6, 0, 0]


def test_who_is_displaced_is_not_counted() -> None:
    table = table_of(1)
    for number in range(9):
        table.put(id_of(number), HOSTS[number // 4], NOW, 100 + number)
    assert table.counts() == {HOSTS[1]: 3, HOSTS[2]: 1}


def test_a_session_that_was_handed_over_is_found_and_not_counted() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, TTL)
    assert not table.give(b"two")
    assert table.give(b"one")
    assert not table.give(b"one")
    assert (table.counts(), table.count(NOW)) == ({HOSTS[0]: 0}, 1)
    assert table.get(b"one", NOW + 1) == HOSTS[0]
    assert table.count(NOW + TTL) == 1
    assert table.put(b"one", HOSTS[0], NOW, TTL) == 2
    assert table.counts() == {HOSTS[0]: 1}
    table.give(b"one")
    assert table.drop(b"one")
    assert table.counts() == {}


def test_sweeping_removes_what_has_expired() -> None:
    table = table_of(64)
    for number in range(40):
        table.put(id_of(number), HOSTS[number % 2], NOW, 10 + number % 2)
    table.give(id_of(0))
    assert table.sweep(0, 1000, NOW + 9) == 0
    assert table.counts() == {HOSTS[0]: 19, HOSTS[1]: 20}
    assert sum(table.sweep(start, 50, NOW + 10) for start in range(0, 256, 50)) == 20
    assert table.counts() == {HOSTS[1]: 20}
    assert table.count(NOW) == 20
    assert not table.drop(id_of(0))
    assert table.sweep(0, 1 << 40, NOW + 11) == 20
    assert table.counts() == {}


@pytest.mark.parametrize("buckets", [1, 15, 64, 1024])
def test_sixty_shares_are_the_whole_table(buckets: int) -> None:
    table = table_of(buckets)
    for number in range(2 * buckets):
        table.put(id_of(number), HOSTS[0], NOW, TTL)
    stored = table.count(NOW)
    assert sum(table.sweep_share(NOW + TTL) for _ in range(60)) == stored > 0
    assert table.counts() == {}


def test_no_number_is_left_for_a_host() -> None:
    table = table_of(4096)
    learned = [table.put(id_of(number), number * 0x9E3779B1 & 0xFFFFFFFF, NOW, TTL) for number in range(4095)]
    assert set(learned) == {0}
    assert table.put(b"one more", 1, NOW, TTL) == -1
    assert table.get(b"one more", NOW) is None
    assert table.drop(id_of(77))
    assert table.put(b"one more", 1, NOW, TTL) == 0
    assert table.get(b"one more", NOW) == 1
    assert table.live(77 * 0x9E3779B1 & 0xFFFFFFFF) == 0


def test_three_quarters_full_without_displacing_anybody() -> None:
    table = table_of(2048)
    sids = [id_of(number) for number in range(table.capacity * 3 // 4)]
    assert {table.put(sid, host_of(sid), NOW, TTL) for sid in sids} == {0}
    assert all(table.get(sid, NOW) == host_of(sid) for sid in sids)
    assert table.count(NOW) == len(sids)


def test_what_does_not_fill_a_bucket_is_left_alone() -> None:
    region = mmap.mmap(-1, HOST_BYTES + 4096)
    table = SessionTable(memoryview(region)[: HOST_BYTES + 64 * 3 + 63], KEY)
    assert table.capacity == 12
    for number in range(200):
        table.put(id_of(number), HOSTS[0], NOW, TTL)
    assert region[HOST_BYTES : HOST_BYTES + 64 * 3].count(0) < 64 * 3
    assert not any(region[HOST_BYTES + 64 * 3 :])


def test_the_id_is_not_in_the_region_and_needs_the_key() -> None:
    region = mmap.mmap(-1, HOST_BYTES + 4096)
    sid = b"a-session-id-of-20-b"
    SessionTable(region, KEY).put(sid, HOSTS[0], NOW, TTL)
    assert SessionTable(region, KEY).get(sid, NOW) == HOSTS[0]
    assert SessionTable(region, bytes(16)).get(sid, NOW) is None
    assert not any(sid[i : i + 8] in region[:] for i in range(len(sid) - 7))


@pytest.mark.parametrize("size", [0, 64, HOST_BYTES, HOST_BYTES + 63])
def test_a_region_too_small(size: int) -> None:
    with pytest.raises(ValueError, match="region"):
        SessionTable(bytearray(size), KEY)


def test_a_region_off_its_boundary() -> None:
    with pytest.raises(ValueError, match="region"):
        SessionTable(memoryview(mmap.mmap(-1, 2 * HOST_BYTES))[1 : HOST_BYTES + 1025], KEY)


def test_a_region_that_cannot_be_written() -> None:
    with pytest.raises(BufferError):
        SessionTable(bytes(2 * HOST_BYTES), KEY)


@pytest.mark.parametrize("key", [b"", bytes(15), bytes(17)])
def test_a_key_of_another_length(key: bytes) -> None:
    with pytest.raises(ValueError, match="key"):
        SessionTable(mmap.mmap(-1, 2 * HOST_BYTES), key)


def resident_bytes(region: mmap.mmap) -> int:
    """Resident memory of the mapping, from the kernel's account of this process."""
    start = f"{ctypes.addressof(ctypes.c_char.from_buffer(region)):x}-"
    _, _, rest = Path("/proc/self/smaps").read_text().partition("\n" + start)
    found = re.search(r"^Rss: +(\d+) kB", rest, re.MULTILINE)
    assert found is not None
    return 1024 * int(found[1])


def test_pages_appear_as_they_are_used() -> None:
    region = mmap.mmap(-1, region_bytes(1 << 20))
    table = SessionTable(region, KEY)
    assert table.count(NOW) == table.sweep(0, 1 << 20, NOW) == table.live(HOSTS[0]) == 0
    assert 0 < resident_bytes(region) <= 2 * mmap.PAGESIZE, "the head of the registry, and the line of a host"
    for number in range(10):
        table.put(id_of(number), HOSTS[0], NOW, TTL)
    assert table.count(NOW) == 10
    assert table.sweep(0, 1 << 20, NOW + 9999) == 10
    assert resident_bytes(region) <= 22 * mmap.PAGESIZE


# What other processes leave behind, slot by slot: a bucket is four pairs of tag and value.


def words(region: mmap.mmap) -> list[int]:
    return list(struct.unpack("<8Q", region[HOST_BYTES:]))


def set_words(region: mmap.mmap, changed: list[int]) -> None:
    region[HOST_BYTES:] = struct.pack("<8Q", *changed)


def test_a_tag_with_the_value_of_another_names_no_host() -> None:
    region = mmap.mmap(-1, region_bytes(4))
    table = SessionTable(region, KEY)
    table.put(b"one", HOSTS[0], NOW, TTL)
    table.put(b"two", HOSTS[1], NOW, TTL)
    slots = words(region)
    slots[1], slots[3] = slots[3], slots[1]
    set_words(region, slots)
    assert table.get(b"one", NOW) is None
    assert table.get(b"two", NOW) is None


def test_a_writer_that_died_before_its_tag_harms_nobody_for_long() -> None:
    """The value of `two` stands in the slot of `one`, whose tag was never replaced."""
    region = mmap.mmap(-1, region_bytes(4))
    table = SessionTable(region, KEY)
    table.put(b"two", HOSTS[1], NOW, TTL)
    stray = words(region)[1]
    table.drop(b"two")
    table.put(b"one", HOSTS[0], NOW, TTL)
    slots = words(region)
    at = slots.index(next(word for word in slots[1::2] if word), 1)
    slots[at] = stray
    set_words(region, slots)
    assert table.get(b"one", NOW) is None
    assert table.get(b"two", NOW) is None
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
    """Do anything with ids that all processes share; False when a lookup names a wrong host."""
    chance = random.Random(seed)
    for step in range(rounds):
        sid = id_of(chance.randrange(40))
        now_s = NOW + step // 500
        action = chance.randrange(10)
        if action < 3:
            table.put(sid, host_of(sid), now_s, 1 + chance.randrange(TTL))
        elif action == 3:
            table.drop(sid)
        elif action == 4:
            table.give(sid)
        elif action == 5:
            table.sweep(0, table.capacity, now_s)
        else:
            found = table.get(sid, now_s)
            if found is not None and found != host_of(sid):
                return False
    return True


def test_the_checks_of_these_ids_differ() -> None:
    """Else the tests below could meet one of the pairs in 32,768 that nobody can tell."""
    checks = {struct.unpack_from("<H", sip_hash(KEY, id_of(number)), 8)[0] & 0x7FFF for number in range(40)}
    assert len(checks) == 40


@pytest.mark.parametrize("buckets", [1, 3])
def test_many_writers_never_name_a_wrong_host(buckets: int) -> None:
    region = region_of(buckets)
    table = SessionTable(region, KEY)
    children = in_processes(4, lambda child: hammer(table, child, 60_000))
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    assert positive(table.counts()) == content(region)
    after = NOW + 10_000
    table.sweep(0, table.capacity, after)
    assert table.counts() == {}, "every stray value has expired"
    assert table.put(b"later", HOSTS[2], after, TTL) == 0
    assert table.get(b"later", after) == HOSTS[2]


def churn(table: SessionTable, seed: int, rounds: int) -> bool:
    """Few ids and always new hosts, which have one home; the digest tells which id it was learned for. False for a
    wrong one."""
    chance = random.Random(seed)
    for step in range(rounds):
        number, now_s = chance.randrange(40), NOW + step // 1000
        if step % 2:
            table.put(id_of(number), (number + 1000 * chance.randrange(1000)) * 4095, now_s, 3)
        elif (table.get(id_of(number), now_s) or number * 4095) // 4095 % 1000 != number:
            return False
    return True


def stopped_now_and_then(children: list[int], work: Callable[[int], bool]) -> list[int]:
    """Statuses of the children, which stand still at any moment for as long as `work` takes; -1 when that fails."""
    statuses = []
    for step in count():
        pid = children[step % len(children)]
        os.kill(pid, signal.SIGSTOP)
        if not work(step):
            statuses.append(-1)
        os.kill(pid, signal.SIGCONT)
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            statuses.append(status)
            children.remove(pid)
        if not children:
            break
    return statuses


def test_writers_that_stand_still_while_numbers_go_to_other_hosts() -> None:
    region = region_of(4)
    table = SessionTable(region, KEY)
    children = in_processes(2, lambda child: churn(table, child, 80_000))
    assert stopped_now_and_then(children, lambda step: churn(table, 1000 + step, 100)) == [0] * 2
    assert positive(table.counts()) == content(region)
    assert sum(region[64 * host + 3] != 0 for host in range(1, 4096)) < 1000, "thousands of hosts shared them"


def test_writers_killed_at_any_moment() -> None:
    region = region_of(1)
    table = SessionTable(region, KEY)
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
    actual, counted = content(region), table.counts()
    assert all(counted[digest] >= number for digest, number in actual.items())
    assert sum(counted.values()) - sum(actual.values()) <= 100, "two for each of the killed, at most"


def test_what_one_process_learns_another_finds() -> None:
    table = table_of(64)
    (child,) = in_processes(1, lambda _: table.put(b"one", HOSTS[1], NOW, TTL) == 0)
    assert os.waitpid(child, 0)[1] == 0
    assert table.get(b"one", NOW) == HOSTS[1]
