"""Whose counters there are: the listeners, connection managers, routes, TCP proxies, clusters and hosts to count for.

A scope is a block of consecutive 64-bit slots in a worker's row of shared memory, or several equal ones; the enums of
counters.pxd give the order inside a block and, without the scope's prefix, Envoy's names. `stats` gives them their
places.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice

from fastproxy.counters import (
    ClusterCounter,
    ConnectionLimitCounter,
    FilesystemCounter,
    HostCounter,
    HttpCounter,
    ListenerCounter,
    LocalRateLimitCounter,
    RouteCounter,
    TcpCounter,
)
from fastproxy.model import (
    Cluster,
    ClusterType,
    Configuration,
    DescriptorLimit,
    HttpConnectionManager,
    Listener,
    LoadShedPoint,
    LocalRateLimit,
    Rate,
    TokenBucket,
    TrafficLimits,
    VirtualHost,
)

STRICT_DNS_HOSTS = 256
"""Hosts that a strict_dns cluster can have: their counters' place is reserved before the first answer is known."""
LOGICAL_DNS_HOSTS = 8
"""A logical_dns cluster has one host at a time; older ones may still have connections that count."""

MAX_COUNTED_ROUTES = 1000
"""Routes of a configuration that have counters of their own: its first ones."""


def sanitize(name: str) -> str:
    """`name` as Envoy writes it inside a statistic's name (Envoy: Stats::Utility::sanitizeStatsName)."""
    for text in ("://", ":/", ":", "\0"):
        name = name.replace(text, "_")
    return name.rstrip(".")


def _names(counters: type[IntEnum], prefix: str) -> tuple[str, ...]:
    """Names of a scope in slot order; the last member of each enum is its size."""
    names = (name.removeprefix(prefix) for name in list(counters.__members__)[:-1])
    return tuple(name.replace("cors_", "cors.") for name in names)


LISTENER_NAMES = _names(ListenerCounter, "listener_")
HTTP_NAMES = _names(HttpCounter, "http_")
ROUTE_NAMES = _names(RouteCounter, "route_")
TCP_NAMES = _names(TcpCounter, "tcp_")
CLUSTER_NAMES = _names(ClusterCounter, "cluster_")
HOST_NAMES = _names(HostCounter, "host_")
CONNECTION_LIMIT_NAMES = _names(ConnectionLimitCounter, "connection_limit_")
LOCAL_RATE_LIMIT_NAMES = _names(LocalRateLimitCounter, "local_rate_limit_")
SHED_POINT = "shed_point"
BUCKET = "bucket"
"""A word of state, that of a token bucket: the one in the first worker's row counts for all workers."""
KINDS = {
    "listener": LISTENER_NAMES,
    "http": HTTP_NAMES,
    "route": ROUTE_NAMES,
    "tcp": TCP_NAMES,
    "cluster": CLUSTER_NAMES,
    "host": HOST_NAMES,
    "connection_limit": CONNECTION_LIMIT_NAMES,
    "local_rate_limit": LOCAL_RATE_LIMIT_NAMES,
    BUCKET: ("full_at",),
    SHED_POINT: ("shed_load_count",),
    "filesystem": _names(FilesystemCounter, "filesystem_"),
}
_NOT_SHOWN = ("host", BUCKET)


def is_gauge(name: str) -> bool:
    """Gauges go down as well as up; everything else only grows."""
    return name.endswith(("_active", "_open", "active_connections")) or ".remaining_" in name


def is_hidden(name: str) -> bool:
    """What circuit breakers count by priority: `/stats` says of it what Envoy says."""
    return name.startswith("high_") or name == "rq_retry_active"


def host_capacity(cluster: Cluster) -> int:
    """How many hosts of `cluster` have counters."""
    if cluster.type is ClusterType.STATIC:
        return len(cluster.hosts)
    return LOGICAL_DNS_HOSTS if cluster.type is ClusterType.LOGICAL_DNS else STRICT_DNS_HOSTS


@dataclass(frozen=True, slots=True)
class Extent:
    """Consecutive slots: those of `count` blocks of one kind, the first of which begins at `first`."""

    first: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose counters they are: `kind` is a key of KINDS, `name` the raw name; the hosts of a cluster are one scope."""

    kind: str
    name: str
    extents: tuple[Extent, ...]

    @property
    def count(self) -> int:
        return sum(extent.count for extent in self.extents)

    def firsts(self) -> Iterator[int]:
        """The first slot of each block."""
        length = len(KINDS[self.kind])
        for extent in self.extents:
            yield from range(extent.first, extent.first + extent.count * length, length)

    def slots(self, *, gauges: bool) -> Iterator[int]:
        """The slots of all gauges, or of all counters."""
        offsets = [offset for offset, name in enumerate(KINDS[self.kind]) if is_gauge(name) == gauges]
        return (first + offset for first in self.firsts() for offset in offsets)


@dataclass(frozen=True, slots=True)
class LayoutState:
    """A layout as data. It depends on the layouts before it, so whoever shares the rows has to be told it."""

    slots: int = 0
    live: tuple[Scope, ...] = ()
    retired: tuple[Scope, ...] = ()
    """Scopes that the configuration has no longer, the one that went first first."""
    taken: tuple[Scope, ...] = ()
    """Live ones that begin in the slots of a scope that was retired before: their counters have to be set to zero."""


def listener_scope(listener: Listener) -> str:
    return listener.stat_prefix or str(listener.address)


def route_scope(host: VirtualHost, index: int) -> str:
    """What a route is called: by its stat_prefix, its name, or its place among those of its virtual host."""
    route = host.routes[index]
    return f"{host.name}.route.{route.stat_prefix or route.name or index}"


def counted_routes(managers: Iterable[HttpConnectionManager]) -> Iterator[str]:
    """The names of routes that may have sessions."""
    for manager in managers:
        for host in manager.route_config.virtual_hosts:
            for index, route in enumerate(host.routes):
                affinity = manager.affinity if route.affinity is None else route.affinity
                if affinity.protocols and route.redirect is None and route.direct_response is None:
                    yield route_scope(host, index)


def bucket_scope(place: str, bucket: TokenBucket) -> str:
    """What the bucket at a place of the file is called: one that fills otherwise is another."""
    return f"{place} {bucket.max_tokens} {bucket.tokens_per_fill} {bucket.fill_interval_s}"


def descriptor_place(place: str, descriptor: DescriptorLimit) -> str:
    """What a descriptor of the limit at a place of the file is called."""
    return f"{place} {json.dumps(descriptor.entries)}"


def bucket_of(rate: Rate) -> TokenBucket:
    return TokenBucket(rate.burst, 1, 1 / rate.per_second)


def traffic_limits(manager: HttpConnectionManager) -> Iterator[TrafficLimits]:
    """All there are, of the manager and of its routes."""
    yield manager.limits
    for host in manager.route_config.virtual_hosts:
        yield from (route.limits for route in host.routes if route.limits is not None)


def limit_scopes(listener: Listener) -> Iterator[tuple[str, str]]:
    """Of the limits of its filters: who counts, and the buckets that all workers share."""
    for chain_filter in listener.filters:
        if chain_filter.connection_limit is not None:
            yield "connection_limit", chain_filter.connection_limit.stat_prefix
    for limits in (limits for manager in listener.managers for limits in traffic_limits(manager)):
        if limits.local_rate_limit is not None:
            yield from rate_scopes(limits.local_rate_limit)
        if limits.handshakes is not None:
            yield BUCKET, bucket_scope(limits.handshakes.place, bucket_of(limits.handshakes))


def rate_scopes(limit: LocalRateLimit) -> Iterator[tuple[str, str]]:
    """Of a `local_ratelimit`: who counts, and the buckets that all workers share."""
    yield "local_rate_limit", limit.stat_prefix
    if limit.per_connection:
        return
    if limit.bucket is not None:
        yield BUCKET, bucket_scope(limit.place, limit.bucket)
    for descriptor in limit.descriptors:
        if not descriptor.is_wildcard:
            yield BUCKET, bucket_scope(descriptor_place(limit.place, descriptor), descriptor.bucket)


def scopes_of(configuration: Configuration) -> dict[tuple[str, str], int]:
    """What a configuration counts, by kind and name; the value is how many blocks that takes."""
    listeners, clusters = configuration.listeners, configuration.clusters
    scopes = {("listener", listener_scope(listener)): 1 for listener in listeners}
    scopes |= {("http", manager.stat_prefix): 1 for listener in listeners for manager in listener.managers}
    routes = dict.fromkeys(counted_routes(manager for listener in listeners for manager in listener.managers))
    scopes |= {("route", name): 1 for name in islice(routes, MAX_COUNTED_ROUTES)}
    scopes |= {scope: 1 for listener in listeners for scope in limit_scopes(listener)}
    points = (each.action for each in configuration.overload.actions if isinstance(each.action, LoadShedPoint))
    scopes |= {(SHED_POINT, point.value): 1 for point in points}
    scopes |= {("tcp", proxy.stat_prefix): 1 for listener in listeners for proxy in listener.tcp_proxies}
    scopes |= {("cluster", cluster.name): 1 for cluster in clusters}
    scopes |= {("host", cluster.name): host_capacity(cluster) for cluster in clusters}
    return scopes | {("filesystem", ""): 1}


def _prefix(kind: str, name: str) -> str:
    """What the names of a scope's statistics begin with."""
    if kind == "local_rate_limit":
        return f"{name}.http_local_rate_limit"
    if kind == "filesystem":
        return kind
    if kind == SHED_POINT:
        return f"overload.{name}"
    return f"vhost.{name}" if kind == "route" else f"{kind}.{name}"


def statistics_of(scope: Scope, shown: str) -> Iterator[tuple[str, int]]:
    """The names that `/stats` shows of a scope that is `shown` there, with their slots; those of hosts
    stand elsewhere, and a bucket is no statistic."""
    if scope.kind not in _NOT_SHOWN:
        prefix, first = _prefix(scope.kind, sanitize(shown)), scope.extents[0].first
        for offset, name in enumerate(KINDS[scope.kind]):
            if not is_hidden(name):
                yield f"{prefix}.{name}", first + offset
