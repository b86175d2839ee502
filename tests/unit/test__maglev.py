"""The table slot by slot against the slow twin."""

from collections import Counter

import pytest

from fastproxy._maglev import MaglevTable
from tests import balancing_twin

KEYS = [b"127.0.0.1:8002", b"127.0.0.1:8003", b"127.0.0.1:8004", b"[::1]:80"]


def shares(*weights: int) -> list[float]:
    return [weight / sum(weights) for weight in weights]


@pytest.mark.parametrize("size", [2, 3, 5, 251, 1009])
@pytest.mark.parametrize("weights", [(1,), (1, 1, 1), (1, 2, 3), (1, 1, 10), (7, 1, 1, 3)])
def test_the_table_of_the_twin(size: int, weights: tuple[int, ...]) -> None:
    keys = KEYS[: len(weights)]
    table = MaglevTable(keys, shares(*weights), size)
    assert table.size == size
    assert table.entries() == balancing_twin.maglev(keys, shares(*weights), size)


def test_the_order_of_the_hosts_does_not_matter() -> None:
    one, other = MaglevTable(KEYS, shares(1, 1, 1, 1), 1009), MaglevTable(KEYS[::-1], shares(1, 1, 1, 1), 1009)
    assert one.entries() == [3 - host for host in other.entries()]


def test_weights_are_kept() -> None:
    counts = Counter(MaglevTable(KEYS[:3], shares(1, 2, 5), 65537).entries())
    assert [round(counts[host] / 65537 * 8, 2) for host in range(3)] == [1, 2, 5]


@pytest.mark.parametrize(("hosts", "slot_bytes"), [(1, 1), (256, 1), (257, 2), (65537, 4)])
def test_a_slot_is_as_small_as_the_number_of_hosts_allows(hosts: int, slot_bytes: int) -> None:
    table = MaglevTable([b"%d" % host for host in range(hosts)], [1 / hosts] * hosts, 65537)
    assert table.slot_bytes == slot_bytes
    assert len(set(table.entries())) == hosts


def test_a_choice_is_the_slot_of_the_hash() -> None:
    table = MaglevTable(KEYS, shares(1, 1, 1, 1), 251)
    for request_hash in (0, 250, 251, 2**64 - 1):
        assert table.choose_py(request_hash) == table.entries()[request_hash % 251]
    assert table.choose_py(5, 1) == table.entries()[(5 ^ (2**64 - 1)) % 251]


def test_no_hosts() -> None:
    table = MaglevTable([], [], 251)
    assert table.size == 0
    assert table.entries() == []
    assert table.choose_py(1) is None


@pytest.mark.parametrize(
    ("keys", "parts", "size", "message"),
    [
        ([b"a"], [], 5, "one positive share for each key"),
        ([b"a"], [0.0], 5, "one positive share for each key"),
        ([b"a"], [1.0], 1, "a table of 1 slots"),
    ],
)
def test_bad_arguments(keys: list[bytes], parts: list[float], size: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MaglevTable(keys, parts, size)
