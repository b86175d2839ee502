"""What `/stats` and `/clusters` say of the health of a cluster's hosts, in Envoy's names."""

from collections.abc import Iterator

from fastproxy.health.checker import COUNTERS, Checker
from fastproxy.health.cluster_health import ClusterHealth
from fastproxy.health.outliers import NO_RATE, Detector, Ejection
from fastproxy.model import Address, HealthFlag
from fastproxy.stats import Statistic

_ANSWERS, _ORIGIN = 0, 1
_DEPRECATED = (Ejection.CONSECUTIVE_5XX, Ejection.SUCCESS_RATE)
"""What Envoy's older counters, which say no kind of origin, still add up."""


def statistics(scope: str, health: ClusterHealth) -> Iterator[Statistic]:
    """The statistics of a cluster; `scope` is what its own begin with."""
    if health.checker is not None:
        yield from _of_checks(f"{scope}.health_check", health.checker)
    if health.detector is not None:
        yield from _of_outliers(f"{scope}.outlier_detection", health.detector)


def _of_checks(prefix: str, checker: Checker) -> Iterator[Statistic]:
    flags = [state.flags for state in checker.states.values()]
    for name in COUNTERS:
        yield Statistic(f"{prefix}.{name}", checker.counters[name])
    degraded = sum(bool(each & HealthFlag.DEGRADED_ACTIVE_HC) for each in flags)
    healthy = sum(not each & HealthFlag.FAILED_ACTIVE_HC for each in flags)
    yield Statistic(f"{prefix}.degraded", degraded, True)
    yield Statistic(f"{prefix}.healthy", healthy, True)


def _of_outliers(prefix: str, detector: Detector) -> Iterator[Statistic]:
    yield Statistic(f"{prefix}.ejections_active", detector.ejected, True)
    for kind in Ejection:
        yield Statistic(f"{prefix}.ejections_detected_{kind.value}", detector.detected[kind])
        yield Statistic(f"{prefix}.ejections_enforced_{kind.value}", detector.enforced[kind])
    for kind in _DEPRECATED:
        yield Statistic(f"{prefix}.ejections_{kind.value}", detector.detected[kind])
    yield Statistic(f"{prefix}.ejections_enforced_total", detector.enforced.total())
    yield Statistic(f"{prefix}.ejections_total", sum(detector.enforced[kind] for kind in _DEPRECATED))
    yield Statistic(f"{prefix}.ejections_overflow", detector.overflow)


def outlier_lines(health: ClusterHealth | None) -> Iterator[tuple[str, str]]:
    """What `/clusters` says of a cluster with outlier detection; -1: not enough requests to tell."""
    if health is None or health.detector is None:
        return
    for prefix, rates in zip(("", "local_origin_"), health.detector.rates, strict=True):
        yield f"outlier::{prefix}success_rate_average", f"{rates.average:g}"
        yield f"outlier::{prefix}success_rate_ejection_threshold", f"{rates.ejection_threshold:g}"


def success_rates(health: ClusterHealth | None, address: Address) -> Iterator[tuple[str, str]]:
    """What `/clusters` says of one host; -1: not enough requests to tell."""
    rates = [NO_RATE, NO_RATE]
    if health is not None and health.detector is not None and address in health.detector:
        rates = health.detector[address].success_rates
    yield "success_rate", f"{rates[_ANSWERS]:g}"
    yield "local_origin_success_rate", f"{rates[_ORIGIN]:g}"
