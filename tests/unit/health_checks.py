"""Health checks for tests: quick ones, with what a test says."""

from typing import Any

from fastproxy.model import HealthCheck, HttpProbe, Probe

SOON_S = 0.005


def quick(probe: Probe | None = None, **fields: Any) -> HealthCheck:
    """A check that is made every few milliseconds."""
    names = (
        "interval_s",
        "no_traffic_interval_s",
        "no_traffic_healthy_interval_s",
        "unhealthy_interval_s",
        "unhealthy_edge_interval_s",
        "healthy_edge_interval_s",
    )
    intervals = dict.fromkeys(names, SOON_S)
    values = {"timeout_s": 5.0, "unhealthy_threshold": 2, "healthy_threshold": 2, **intervals, **fields}
    return HealthCheck(probe or HttpProbe("/h"), **values)
