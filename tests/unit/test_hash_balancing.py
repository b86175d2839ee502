"""The policies that hash: the host, and whom its request goes on to."""

from array import array
from collections.abc import Callable

import pytest

from fastproxy._maglev import MaglevTable
from fastproxy._ring import Ring, xx_hash
from fastproxy.active_requests import ActiveRequests
from fastproxy.bounded_load import BoundedLoad
from fastproxy.hash_balancing import HashBalancer, Maglev, RingHash
from fastproxy.model import HashFunction, RingHashConfig

KEYS = [b"127.0.0.1:8002", b"127.0.0.1:8003", b"127.0.0.1:8004"]
PLACES = [5, 0, 3]
SHARES = [1 / 3] * 3
HASHES = [xx_hash(str(number).encode()) for number in range(200)]


def ring_hash(bound: BoundedLoad | None = None) -> RingHash:
    return RingHash(PLACES, KEYS, SHARES, RingHashConfig(), bound)


def maglev(bound: BoundedLoad | None = None) -> Maglev:
    return Maglev(PLACES, KEYS, SHARES, 251, bound)


def orders(balancer: HashBalancer) -> list[tuple[int, list[int]]]:
    """For each hash the choice and all that follow it."""
    found = []
    for digest in HASHES:
        order = [balancer.pick(digest)]
        while (other := balancer.pick_other(digest, order[0], order)) >= 0:
            order.append(other)
        found.append((digest, order))
    return found


def test_ring_hash_follows_its_ring() -> None:
    ring = Ring(KEYS, [1] * 3, minimum_size=1024, maximum_size=8 << 20, murmur=False)
    balancer = ring_hash()
    for digest, order in orders(balancer):
        attempts = [ring.choose_py(digest, attempt) for attempt in range(ring.size)]
        assert order == [PLACES[host] for host in sorted({0, 1, 2}, key=attempts.index)]
    assert {balancer.pick() for _ in range(300)} == set(PLACES)


def test_the_function_and_the_sizes_are_the_cluster_s() -> None:
    config = RingHashConfig(8, 16, HashFunction.MURMUR_HASH_2)
    ring = Ring(KEYS, [1] * 3, minimum_size=8, maximum_size=16, murmur=True)
    assert RingHash(PLACES, KEYS, SHARES, config).ring.entries() == ring.entries()


def test_maglev_follows_its_table() -> None:
    table = MaglevTable(KEYS, SHARES, 251)
    balancer = maglev()
    for digest, order in orders(balancer):
        first = table.choose_py(digest)
        assert first is not None
        assert order[0] == PLACES[first]
        attempts = [table.choose_py(digest, attempt) for attempt in range(60)]
        assert order == [PLACES[host] for host in sorted({0, 1, 2}, key=attempts.index)]
    assert {balancer.pick() for _ in range(300)} == set(PLACES)


def test_a_host_without_an_entry_comes_last() -> None:
    balancer = RingHash([0, 1], KEYS[:2], [1 / 1001, 1000 / 1001], RingHashConfig(1, 1))
    assert balancer.ring.size == 1
    first = balancer.pick(7)
    assert balancer.pick_other(7, first, {first}) == 1 - first


@pytest.mark.parametrize("make", [ring_hash, maglev])
def test_a_bound_on_the_load(make: Callable[..., HashBalancer]) -> None:
    row = memoryview(array("Q", [0] * 8))
    balancer = make(BoundedLoad(PLACES, SHARES, ActiveRequests([row], 7, range(7)), 100))
    free = make()
    assert [balancer.pick(digest) for digest in HASHES] == [free.pick(digest) for digest in HASHES]
    row[5] = row[7] = 10
    assert {balancer.pick(digest) for digest in HASHES} == {0, 3}
    assert [balancer.pick(digest) for digest in HASHES if free.pick(digest) != 5] == [
        free.pick(digest) for digest in HASHES if free.pick(digest) != 5
    ]


def test_a_trace_of_a_ring() -> None:
    balancer = ring_hash()
    digest, order = orders(balancer)[0]
    position, entry_hash = balancer.ring.position_py(digest) or (0, 0)
    trace = balancer.trace(digest, excluding={order[0]})
    assert (trace.first, list(trace.order), trace.host) == (order[0], order, order[1])
    assert trace.why == {
        "policy": "RingHash",
        "ring_size": balancer.ring.size,
        "position": position,
        "entry_hash": entry_hash,
    }
    assert balancer.ring.entries()[position][0] == entry_hash


def test_a_trace_of_a_table() -> None:
    digest, order = orders(maglev())[0]
    trace = maglev().trace(digest)
    assert (trace.first, list(trace.order), trace.host) == (order[0], order, order[0])
    assert trace.why == {"policy": "Maglev", "table_size": 251, "slot": digest % 251}


def test_without_a_hash_anybody_can_be_chosen() -> None:
    for balancer in (ring_hash(), maglev()):
        assert balancer.trace().first == -1
        assert set(balancer.trace().order) == set(PLACES)


def test_nobody() -> None:
    for balancer in (RingHash([], [], [], RingHashConfig()), Maglev([], [], [], 251)):
        assert (balancer.pick(), balancer.pick(7), balancer.pick_other(7, 0, set())) == (-1, -1, -1)
        assert balancer.trace(7).host == -1


def test_a_ring_without_entries() -> None:
    balancer = RingHash(PLACES, KEYS, SHARES, RingHashConfig(0, 0))
    assert (balancer.pick(7), balancer.pick(), balancer.trace(7).host) == (-1, -1, -1)


def test_attempts_of_a_retry_follow_the_ring() -> None:
    ring = Ring(KEYS, [1] * 3, minimum_size=1024, maximum_size=8 << 20, murmur=False)
    for digest in HASHES[:20]:
        found = [ring_hash().pick_again(digest, attempt) for attempt in range(6)]
        assert found == [PLACES[ring.choose_py(digest, attempt) or 0] for attempt in range(6)]


def test_attempts_of_a_retry_follow_the_table() -> None:
    """Attempt a looks up the hash, turned by 2^64 - a; the first is the choice itself."""
    table, balancer = MaglevTable(KEYS, SHARES, 251), maglev()
    for digest in HASHES[:20]:
        turned = [digest] + [digest ^ (2**64 - attempt) for attempt in range(1, 6)]
        wanted = [table.choose_py(each) for each in turned]
        assert [balancer.pick_again(digest, attempt) for attempt in range(6)] == [PLACES[host or 0] for host in wanted]


def test_without_a_hash_any_host_is_tried_again() -> None:
    assert {ring_hash().pick_again(None, 3) for _ in range(300)} == set(PLACES)
    assert RingHash([], [], [], RingHashConfig()).pick_again(7, 3) == -1
