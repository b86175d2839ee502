"""The session table among several processes: at once, and what one that died has left behind."""

import mmap
import os
import random
import signal
import struct
from collections import Counter
from collections.abc import Callable
from itertools import count

import pytest

from fastproxy._sessions import SessionTable, region_bytes, sip_hash
from tests.unit.session_tables import HOST_BYTES, HOSTS, KEY, NOW, TTL, host_of, id_of, region_of, table_of


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


# What is left behind, slot by slot: a bucket is four pairs of tag and value.


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


# At once.


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
