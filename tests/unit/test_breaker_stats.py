"""What is said of circuit breakers under Envoy's names."""

from dataclasses import replace

import pytest

from fastproxy.breaker_stats import breaker_statistics
from fastproxy.model import CircuitBreakers, RetryBudget, Thresholds
from fastproxy.scopes import CLUSTER_NAMES

NOTHING_SAID = Thresholds()
LIMITS = Thresholds(4, 3, 2, 1, track_remaining=True)


def said(thresholds, *, high=NOTHING_SAID, **counts):
    found = dict(breaker_statistics(CircuitBreakers(thresholds, high), dict.fromkeys(CLUSTER_NAMES, 0) | counts))
    return {name.removeprefix("circuit_breakers."): value for name, value in found.items()}


def test_all_are_closed_at_first():
    names = {"cx_open", "cx_pool_open", "rq_open", "rq_pending_open", "rq_retry_open"}
    expected = {f"{priority}.{name}": 0 for priority in ("default", "high") for name in names}
    assert said(replace(LIMITS, track_remaining=False)) == expected


@pytest.mark.parametrize(
    ("name", "counter", "limit"),
    [
        ("cx", "upstream_cx_active", 4),
        ("rq_pending", "upstream_rq_pending_active", 3),
        ("rq", "upstream_rq_active", 2),
        ("rq_retry", "rq_retry_active", 1),
    ],
)
def test_one_opens_at_its_limit(name, counter, limit):
    assert said(LIMITS, **{counter: limit - 1})[f"default.{name}_open"] == 0
    assert said(LIMITS, **{counter: limit})[f"default.{name}_open"] == 1
    assert said(LIMITS, high=LIMITS, **{counter: limit})[f"high.{name}_open"] == 0


def test_what_is_left():
    left = said(LIMITS, upstream_cx_active=3, high_cx_active=1, upstream_rq_active=9)
    assert left["default.remaining_cx"] == 2
    assert left["default.remaining_rq"] == 0
    assert (left["default.remaining_pending"], left["default.remaining_retries"]) == (3, 1)
    assert "high.remaining_cx" not in left


def test_the_budget_of_retries():
    limits = Thresholds(retry_budget=RetryBudget(10.0, 1), track_remaining=True)
    left = said(limits, upstream_rq_active=20, upstream_rq_pending_active=10, rq_retry_active=1)
    assert (left["default.remaining_retries"], left["default.rq_retry_open"]) == (2, 0)
