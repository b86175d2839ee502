"""Who takes a request where no hash decides, and whom it goes on to."""

from array import array
from collections import Counter

import pytest

from fastproxy.active_requests import ActiveRequests
from fastproxy.balancing import Balancer, LeastRequest, Random, RoundRobin
from fastproxy.model import LeastRequestConfig

PLACES = [4, 2, 7]


def active(*counts: int) -> tuple[ActiveRequests, memoryview]:
    """Requests under way at the hosts 0, 1, ...; and the memory where they are counted."""
    row = memoryview(array("Q", [*counts, *[0] * (8 - len(counts))]))
    return ActiveRequests([row], 0, list(range(8))), row


def least_request(
    weights: list[int], counts: tuple[int, ...] = (), config: LeastRequestConfig | None = None
) -> tuple[LeastRequest, memoryview]:
    requests, row = active(*counts)
    return LeastRequest(range(len(weights)), weights, requests, config or LeastRequestConfig()), row


EVERY = [
    RoundRobin(PLACES, [1, 1, 1]),
    RoundRobin(PLACES, [1, 2, 3]),
    Random(PLACES),
    LeastRequest(PLACES, [1, 1, 1], active()[0], LeastRequestConfig()),
    LeastRequest(PLACES, [1, 2, 1], active()[0], LeastRequestConfig()),
    LeastRequest(PLACES, [1, 1, 1], active()[0], LeastRequestConfig(full_scan=True)),
]


def picks(balancer: Balancer, count: int) -> list[int]:
    return [balancer.pick() for _ in range(count)]


def test_round_robin_goes_round() -> None:
    balancer = RoundRobin(PLACES, [1, 1, 1])
    assert picks(balancer, 30) == PLACES * 10


def test_round_robin_gives_each_its_share_evenly() -> None:
    balancer = RoundRobin([0, 1, 2], [1, 2, 3])
    for _ in range(10):
        assert Counter(picks(balancer, 6)) == {0: 1, 1: 2, 2: 3}


def test_random_reaches_everybody_alike() -> None:
    counts = Counter(picks(Random(PLACES), 6000))
    assert set(counts) == {2, 4, 7}
    assert min(counts.values()) > 1700


def test_least_request_without_requests_reaches_everybody() -> None:
    assert set(picks(least_request([1] * 3)[0], 300)) == {0, 1, 2}


def test_least_request_takes_the_better_of_two() -> None:
    """A host is chosen against busier ones only, unless both lots fall on it."""
    balancer, _ = least_request([1, 1], (9, 3))
    assert 0.65 < Counter(picks(balancer, 2000))[1] / 2000 < 0.85


def test_more_lots_find_the_best_more_often() -> None:
    few, _ = least_request([1] * 8, (1, 1, 1, 1, 1, 1, 1, 0))
    many, _ = least_request([1] * 8, (1, 1, 1, 1, 1, 1, 1, 0), LeastRequestConfig(choice_count=8))
    assert Counter(picks(few, 1000))[7] < Counter(picks(many, 1000))[7]


def test_a_full_scan_finds_the_best() -> None:
    balancer, row = least_request([1] * 4, (3, 1, 2, 1), LeastRequestConfig(full_scan=True))
    assert set(picks(balancer, 200)) == {1, 3}
    row[3] = 2
    assert set(picks(balancer, 50)) == {1}


def test_weights_count_without_requests() -> None:
    balancer, _ = least_request([1, 3])
    assert Counter(picks(balancer, 40)) == {0: 10, 1: 30}


def test_requests_count_against_weights() -> None:
    balancer, row = least_request([1, 3])
    row[1] = 2  # 3 / (2 + 1) is 1
    picks(balancer, 4)
    assert Counter(picks(balancer, 40)) == {0: 20, 1: 20}


@pytest.mark.parametrize(("bias", "shares"), [(0.0, {0: 10, 1: 30}), (2.0, {0: 30, 1: 10})])
def test_active_request_bias(bias: float, shares: dict[int, int]) -> None:
    balancer, row = least_request([1, 3], config=LeastRequestConfig(active_request_bias=bias))
    row[1] = 2  # 3 / 3 ** 2 is a third
    picks(balancer, 4)
    assert Counter(picks(balancer, 40)) == shares


@pytest.mark.parametrize("balancer", EVERY, ids=lambda each: type(each).__name__)
def test_going_on_ends_when_everybody_was_tried(balancer: Balancer) -> None:
    assert balancer.places == PLACES
    order = [2]
    while (other := balancer.pick_other(None, 2, order)) >= 0:
        order.append(other)
    assert order == [2, 7, 4]
    assert balancer.pick_other(7, 2, {2, 7}) == 4


@pytest.mark.parametrize("balancer", EVERY, ids=lambda each: type(each).__name__)
def test_from_a_host_that_is_not_ours(balancer: Balancer) -> None:
    assert balancer.pick_other(None, 99, {99}) == 4


@pytest.mark.parametrize("balancer", EVERY, ids=lambda each: type(each).__name__)
def test_a_trace_says_who_can_be_chosen(balancer: Balancer) -> None:
    trace = balancer.trace(excluding={4})
    assert (trace.first, trace.order, trace.host) == (-1, (4, 2, 7), 2)
    assert trace.why == {"policy": type(balancer).__name__}
    assert balancer.trace(excluding=PLACES).host == -1


def test_nobody() -> None:
    for balancer in (RoundRobin([], []), Random([]), least_request([])[0], Balancer()):
        assert balancer.size == 0
        assert (balancer.pick(), balancer.pick(7), balancer.pick_other(7, 0, set())) == (-1, -1, -1)
        assert balancer.trace().order == ()
