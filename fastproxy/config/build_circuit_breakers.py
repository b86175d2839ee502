"""Circuit breakers of a cluster, from the v3 message to the model.

A threshold that the file does not say limits nothing, where Envoy's is 1024: each WebSocket holds a connection and a
request, and a service that grows would be cut off at that number. `max_retries` is Envoy's.
"""

from fastproxy.config.v3 import View
from fastproxy.model import UNLIMITED, CircuitBreakers, RetryBudget, Thresholds


def build_circuit_breakers(view: View) -> CircuitBreakers:
    """As in Envoy the first entry of a priority counts."""
    return CircuitBreakers(_thresholds(view, "DEFAULT"), _thresholds(view, "HIGH"))


def _thresholds(view: View, priority: str) -> Thresholds:
    default = Thresholds()
    limits = _first(view, "thresholds", priority)
    per_host = _first(view, "per_host_thresholds", priority)
    return Thresholds(
        limits.wrapped("max_connections", default.max_connections) if limits else default.max_connections,
        limits.wrapped("max_pending_requests", default.max_pending_requests) if limits else UNLIMITED,
        limits.wrapped("max_requests", default.max_requests) if limits else UNLIMITED,
        limits.wrapped("max_retries", default.max_retries) if limits else default.max_retries,
        per_host.wrapped("max_connections", UNLIMITED) if per_host else UNLIMITED,
        _retry_budget(limits.child("retry_budget")) if limits and limits.has("retry_budget") else None,
        limits.value("track_remaining") if limits else False,
    )


def _first(view: View, field: str, priority: str) -> View | None:
    return next((each for each in view.items(field) if each.enum_name("priority") == priority), None)


def _retry_budget(view: View) -> RetryBudget:
    default = RetryBudget()
    percent = view.child("budget_percent")
    return RetryBudget(
        percent.value("value") if view.has("budget_percent") else default.budget_percent,
        view.wrapped("min_retry_concurrency", default.min_retry_concurrency),
    )
