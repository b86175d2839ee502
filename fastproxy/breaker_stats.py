"""What `/stats` says of circuit breakers, under Envoy's names: which are open, and how much is left."""

from collections.abc import Iterator, Mapping

from fastproxy.model import CircuitBreakers, Thresholds

_RESOURCES = {
    # in the names of Envoy's statistics, ..._open and remaining_...: ours for both priorities, and for the high one
    "cx": ("cx", "max_connections", "upstream_cx_active", "high_cx_active"),
    "rq_pending": ("pending", "max_pending_requests", "upstream_rq_pending_active", "high_rq_pending_active"),
    "rq": ("rq", "max_requests", "upstream_rq_active", "high_rq_active"),
    "rq_retry": ("retries", "max_retries", "rq_retry_active", "high_rq_retry_active"),
}


def breaker_statistics(breakers: CircuitBreakers, counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Names below the cluster's with their values; `counts` are the counters of the cluster in all workers."""
    active = {name: counts[both] - counts[high] for name, (_, _, both, high) in _RESOURCES.items()}
    yield from _of_priority("default", breakers.default, active)
    yield from _of_priority("high", breakers.high, {name: counts[high] for name, (*_, high) in _RESOURCES.items()})


def _of_priority(priority: str, thresholds: Thresholds, active: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    prefix = f"circuit_breakers.{priority}"
    yield f"{prefix}.cx_pool_open", 0
    for name, (remaining, field, _, _) in _RESOURCES.items():
        limit = _max_retries(thresholds, active) if name == "rq_retry" else getattr(thresholds, field)
        yield f"{prefix}.{name}_open", int(active[name] >= limit)
        if thresholds.track_remaining:
            yield f"{prefix}.remaining_{remaining}", max(0, limit - active[name])


def _max_retries(thresholds: Thresholds, active: Mapping[str, int]) -> int:
    budget = thresholds.retry_budget
    if budget is None:
        return thresholds.max_retries
    return max(budget.min_retry_concurrency, int(budget.budget_percent / 100 * (active["rq"] + active["rq_pending"])))
