"""`/clusters`: each cluster with its circuit breakers and its hosts as they are now."""

from collections.abc import Iterator
from http import HTTPStatus

from fastproxy.admin.reply import Query, Reply
from fastproxy.health.health_stats import outlier_lines, success_rates
from fastproxy.model import Cluster, Host, Thresholds
from fastproxy.model_health import told as told_flags
from fastproxy.regexes import BadRegex, Regex
from fastproxy.session_stats import SHOWN, by_host, spread, told
from fastproxy.status import Status

_BEFORE_HOSTNAME = (
    "cx_active",
    "cx_connect_fail",
    "cx_total",
    "rq_active",
    "rq_error",
    "rq_pending_active",
    "rq_success",
    "rq_timeout",
    "rq_total",
)
"""Envoy's order."""


def clusters(status: Status, query: Query) -> Reply:
    """Envoy's text form; `filter` is a regular expression found anywhere in the cluster's name."""
    try:
        pattern = Regex(query.get("filter", ""))
    except BadRegex as error:
        return Reply(f"Invalid re2 regex: {error}", HTTPStatus.BAD_REQUEST)
    chosen = (cluster for cluster in status.configuration.clusters if pattern.search(cluster.name.encode()))
    return Reply("".join(f"{line}\n" for cluster in chosen for line in _cluster(status, cluster)))


def _cluster(status: Status, cluster: Cluster) -> Iterator[str]:
    name = cluster.name
    health = status.health(name)
    yield f"{name}::observability_name::{cluster.stat_name}"
    for key, rate in outlier_lines(health):
        yield f"{name}::{key}::{rate}"
    yield from _thresholds(name, "default", cluster.circuit_breakers.default)
    yield from _thresholds(name, "high", cluster.circuit_breakers.high)
    yield f"{name}::added_via_api::false"
    hosts = by_host(cluster, status.reader, status.live_at)
    for key, number in told(spread(hosts)):
        yield f"{name}::{key}::{number}"
    for host, sessions in zip(cluster.hosts, hosts, strict=True):
        rates = success_rates(health, host.address)
        lines = [*_host(host, sessions.counters), *rates, ("sid_live", sessions.live)]
        for key, value in (*lines, *((key, sessions.counters[key]) for key in SHOWN)):
            yield f"{name}::{host.address}::{key}::{value}"


def _thresholds(cluster_name: str, priority: str, thresholds: Thresholds) -> Iterator[str]:
    for name in ("max_connections", "max_pending_requests", "max_requests", "max_retries"):
        yield f"{cluster_name}::{priority}_priority::{name}::{getattr(thresholds, name)}"


def _host(host: Host, counters: dict[str, int]) -> Iterator[tuple[str, str | int]]:
    for name in _BEFORE_HOSTNAME:
        yield name, counters.get(name, 0)
    yield "hostname", host.hostname
    yield "health_flags", told_flags(host.flags)
    yield "weight", host.weight
    place = host.locality
    yield from (("region", place.region), ("zone", place.zone), ("sub_zone", place.sub_zone))
    yield from (("canary", str(host.is_canary).lower()), ("priority", host.priority))
