"""Circuit breakers of the file."""

import pytest

from fastproxy.config.build_clusters import build_clusters
from fastproxy.model import UNLIMITED, CircuitBreakers, RetryBudget, RoutingPriority, Thresholds
from tests.unit.config_files import errors, load, v1, v1_route, v3_cluster, v3_file, v3_route, view


def built(**circuit_breakers):
    document = v3_file()
    v3_cluster(document)["circuit_breakers"] = circuit_breakers
    bootstrap, report = view(document)
    found = build_clusters(bootstrap.child("static_resources"), report)
    assert errors(report) == []
    return found[0].circuit_breakers


def test_what_is_not_said_limits_nothing_but_retries():
    assert built() == CircuitBreakers()
    assert Thresholds() == Thresholds(UNLIMITED, UNLIMITED, UNLIMITED, 3)


def test_by_priority():
    limits = [{"priority": "HIGH", "max_requests": 1, "max_pending_requests": 0}, {"max_connections": 2}]
    assert built(thresholds=limits) == CircuitBreakers(
        Thresholds(max_connections=2), Thresholds(max_requests=1, max_pending_requests=0)
    )


def test_the_first_of_a_priority_counts():
    assert built(thresholds=[{"max_requests": 1}, {"max_requests": 2}]).default.max_requests == 1


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, RetryBudget(20.0, 3)),
        ({"budget_percent": {"value": 12.5}, "min_retry_concurrency": 0}, RetryBudget(12.5, 0)),
    ],
)
def test_a_retry_budget(written, expected):
    default = built(thresholds=[{"max_retries": 9, "retry_budget": written, "track_remaining": True}]).default
    assert (default.retry_budget, default.track_remaining) == (expected, True)


def test_connections_of_a_host():
    found = built(per_host_thresholds=[{"max_connections": 7}, {"priority": "HIGH", "max_connections": 8}])
    assert (found.default.max_connections_per_host, found.high.max_connections_per_host) == (7, 8)


def test_the_priority_of_a_route_in_both_dialects(tmp_path):
    old, new = v1(), v3_file()
    v1_route(old)["priority"] = "high"
    v3_route(new)["route"]["priority"] = "HIGH"
    for document in (old, new):
        loaded = load(tmp_path, document)
        (manager,) = loaded.configuration.listeners[0].managers
        assert manager.route_config.virtual_hosts[0].routes[0].priority is RoutingPriority.HIGH
