"""The limits of a cluster: sums over the workers, by priority, and the budget of retries."""

from array import array

import pytest

from fastproxy.circuit_breakers import CircuitBreakers
from fastproxy.counters import ClusterCounter
from fastproxy.model import CircuitBreakers as Model
from fastproxy.model import RetryBudget, Thresholds

NOTHING_SAID = Thresholds()
FIRST = 3
"""Where the cluster's counters begin in a row."""
ALL = {"connections", "pending_requests", "requests", "retries"}
COUNTERS = {
    "connections": "upstream_cx_active",
    "pending_requests": "upstream_rq_pending_active",
    "requests": "upstream_rq_active",
    "retries": "rq_retry_active",
}
HIGH = {
    "connections": "high_cx_active",
    "pending_requests": "high_rq_pending_active",
    "requests": "high_rq_active",
    "retries": "high_rq_retry_active",
}


class Workers:
    """The rows of some workers, and the breakers as the first one has them."""

    def __init__(self, default: Thresholds = NOTHING_SAID, high: Thresholds = NOTHING_SAID, count: int = 2) -> None:
        size = FIRST + int(ClusterCounter.CLUSTER_COUNTERS)
        self.rows = [memoryview(array("Q", [0] * size)) for _ in range(count)]
        self.breakers = CircuitBreakers(Model(default, high), self.rows, self.rows[0], FIRST)

    def add(self, worker: int, counter: str, number: int) -> None:
        self.rows[worker][FIRST + ClusterCounter[f"cluster_{counter}"]] += number


def test_without_thresholds_only_retries_are_limited():
    workers = Workers()
    for counter in COUNTERS.values():
        workers.add(1, counter, 100_000)
    assert workers.breakers.admitted("default") == ALL - {"retries"}
    assert workers.breakers.admitted("high") == ALL


@pytest.mark.parametrize("resource", sorted(ALL))
def test_a_limit_is_that_of_all_workers(resource):
    limits = Thresholds(max_connections=3, max_pending_requests=3, max_requests=3, max_retries=3)
    workers = Workers(limits)
    workers.add(0, COUNTERS[resource], 1)
    workers.add(1, COUNTERS[resource], 1)
    assert workers.breakers.admitted("default") == ALL
    workers.add(1, COUNTERS[resource], 1)
    assert workers.breakers.admitted("default") == ALL - {resource}
    assert workers.breakers.counts("default")[resource] == 3


@pytest.mark.parametrize("resource", sorted(ALL))
def test_each_priority_has_its_own(resource):
    limits = Thresholds(max_connections=2, max_pending_requests=2, max_requests=2, max_retries=2)
    workers = Workers(limits, limits)
    for counter in (COUNTERS[resource], HIGH[resource]):
        workers.add(1, counter, 2)
    assert workers.breakers.admitted("default") == ALL
    assert workers.breakers.admitted("high") == ALL - {resource}
    workers.add(0, COUNTERS[resource], 2)
    assert workers.breakers.admitted("default") == ALL - {resource}
    assert workers.breakers.counts("default")[resource] == workers.breakers.counts("high")[resource] == 2


def test_nothing_may_be_allowed():
    workers = Workers(Thresholds(0, 0, 0, 0))
    assert workers.breakers.admitted("default") == set()


def test_retries_are_counted_from_beginning_to_end():
    workers = Workers(Thresholds(max_retries=2), Thresholds(max_retries=1))
    breakers = workers.breakers
    assert [breakers.begin_retry("default") for _ in range(3)] == [True, True, False]
    assert [breakers.begin_retry("high") for _ in range(2)] == [True, False]
    assert (breakers.counts("default")["retries"], breakers.counts("high")["retries"]) == (2, 1)
    breakers.end_retry("default")
    breakers.end_retry("high")
    assert breakers.begin_retry("high")
    assert breakers.begin_retry("default")


def test_a_budget_is_a_share_of_what_is_under_way_and_waits():
    workers = Workers(Thresholds(max_retries=0, retry_budget=RetryBudget(25.0, 1)))
    workers.add(0, "upstream_rq_active", 6)
    workers.add(1, "upstream_rq_active", 4)
    workers.add(1, "upstream_rq_pending_active", 2)
    assert [workers.breakers.begin_retry("default") for _ in range(4)] == [True, True, True, False]


def test_a_budget_allows_a_few_retries_in_any_case():
    workers = Workers(Thresholds(retry_budget=RetryBudget()))
    assert [workers.breakers.begin_retry("default") for _ in range(4)] == [True, True, True, False]
