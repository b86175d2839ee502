"""Who is passed over, and who is asked instead (Envoy's own sequences: test_golden_balancing.py)."""

from array import array

import pytest

from fastproxy.active_requests import ActiveRequests
from fastproxy.bounded_load import BoundedLoad, draws
from tests import balancing_twin


def bound(active: list[int], shares: list[float], factor: int = 150) -> BoundedLoad:
    row = memoryview(array("Q", [sum(active), *active]))
    counts = ActiveRequests([row], 0, list(range(1, len(active) + 1)))
    return BoundedLoad(range(len(active)), shares, counts, factor)


@pytest.mark.parametrize("seed", [0, 1, 5489, 2**32 - 1])
def test_the_generator(seed: int) -> None:
    generator = balancing_twin.twister(seed)
    assert draws(seed, 1500) == [generator.getrandbits(32) for _ in range(1500)]


def test_the_published_number_of_the_generator() -> None:
    """The C++ standard (rand.predef): the 10,000th number of the default seed."""
    assert draws(5489, 10_000)[-1] == 4123659995


def test_a_host_with_room_keeps_its_requests() -> None:
    assert bound([1, 0, 0], [1 / 3] * 3).choose_py(7, 0) == 0


def test_a_host_without_room_is_passed_over() -> None:
    assert {bound([9, 0, 0], [1 / 3] * 3).choose_py(digest, 0) for digest in range(50)} == {1, 2}


def test_the_least_loaded_when_nobody_has_room() -> None:
    """Slots are by weight: the second host may have least."""
    assert bound([30, 9, 30], [0.45, 0.1, 0.45], 100).choose_py(7, 1) in (0, 2)


def test_one_host_takes_everything() -> None:
    assert bound([1000], [1.0], 100).choose_py(3, 0) == 0
