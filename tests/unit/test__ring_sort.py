"""The order of a ring, and the order of equal hashes as Envoy's sort leaves them (see test_golden_balancing.py)."""

import random

import pytest

from fastproxy._ring_sort import sorted_entries

SIZES = [0, 1, 2, 3, 4, 5, 6, 23, 24, 25, 128, 129, 1000, 5000]


def entries(size: int, spread: int, shift: int = 0) -> list[tuple[int, int]]:
    draw = random.Random(size)
    return [(draw.randrange(spread) << shift, number) for number in range(size)]


@pytest.mark.parametrize("like_envoy", [True, False])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shape", ["even", "few", "one", "up", "down", "nearly"])
def test_sorted(size: int, shape: str, like_envoy: bool) -> None:
    given = entries(size, {"few": 7, "one": 1}.get(shape, 2**32), 32)
    if shape in ("up", "down", "nearly"):
        given.sort(reverse=shape == "down")
    if shape == "nearly" and size > 10:
        given[3], given[-3] = given[-3], given[3]
    found = sorted_entries(given, like_envoy=like_envoy)
    assert sorted(found) == sorted(given)
    assert [digest for digest, _ in found] == sorted(digest for digest, _ in given)


def test_few_equals_keep_their_order() -> None:
    assert sorted_entries([(7, 0), (7, 1), (7, 2), (1, 3)], like_envoy=True) == [(1, 3), (7, 0), (7, 1), (7, 2)]


def test_many_equals_do_not() -> None:
    """It is no stable sort, and that is the point of it."""
    given = entries(300, 100)
    assert sorted_entries(given, like_envoy=True) != sorted(given)
