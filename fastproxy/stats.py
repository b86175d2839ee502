"""Where each counter lives in a worker's row of shared memory, and what it is called.

A scope (one listener, HTTP prefix, cluster or host) is a block of consecutive 64-bit slots; the enums of
counters.pxd give the order inside a block and, without the scope's prefix, Envoy's names. The data plane writes through
the offsets, the admin reads through the names.
"""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from fastproxy.counters import ClusterCounter, HostCounter, HttpCounter, ListenerCounter
from fastproxy.model import Cluster, ClusterType, Configuration

STRICT_DNS_HOSTS = 256
"""Hosts that a strict_dns cluster can have: their counters' place is reserved before the first answer is known."""
LOGICAL_DNS_HOSTS = 8
"""A logical_dns cluster has one host at a time; older ones may still have connections that count."""

_WORD = 1 << 64


def sanitize(name: str) -> str:
    """`name` as Envoy writes it inside a statistic's name (Envoy: Stats::Utility::sanitizeStatsName)."""
    for text in ("://", ":/", ":", "\0"):
        name = name.replace(text, "_")
    return name.rstrip(".")


def _names(counters: type[IntEnum], prefix: str) -> tuple[str, ...]:
    """Names of a scope in slot order; the last member of each enum is its size."""
    return tuple(name.removeprefix(prefix) for name in list(counters.__members__)[:-1])


LISTENER_NAMES = _names(ListenerCounter, "listener_")
HTTP_NAMES = _names(HttpCounter, "http_")
CLUSTER_NAMES = _names(ClusterCounter, "cluster_")
HOST_NAMES = _names(HostCounter, "host_")


def is_gauge(name: str) -> bool:
    """Gauges go down as well as up; everything else only grows."""
    return name.endswith("_active")


def host_capacity(cluster: Cluster) -> int:
    """How many hosts of `cluster` have counters."""
    if cluster.type is ClusterType.STATIC:
        return len(cluster.hosts)
    return LOGICAL_DNS_HOSTS if cluster.type is ClusterType.LOGICAL_DNS else STRICT_DNS_HOSTS


class StatsLayout:
    """The slots of every scope of one configuration. Scopes of the same name share one block."""

    def __init__(self, configuration: Configuration) -> None:
        self.slots = 0
        self._blocks: list[tuple[str, int, tuple[str, ...]]] = []
        self._listeners = [
            self._add(f"listener.{sanitize(str(listener.address))}", LISTENER_NAMES)
            for listener in configuration.listeners
        ]
        prefixes = dict.fromkeys(listener.manager.stat_prefix for listener in configuration.listeners)
        self._http = {prefix: self._add(f"http.{sanitize(prefix)}", HTTP_NAMES) for prefix in prefixes}
        self._clusters = {
            cluster.name: self._add(f"cluster.{sanitize(cluster.name)}", CLUSTER_NAMES)
            for cluster in configuration.clusters
        }
        self._capacities = {cluster.name: host_capacity(cluster) for cluster in configuration.clusters}
        self._hosts = {name: self._add_hosts(capacity) for name, capacity in self._capacities.items()}

    def listener(self, index: int) -> int:
        """First slot of the listener at that place in the configuration."""
        return self._listeners[index]

    def http(self, stat_prefix: str) -> int:
        """First slot of the HTTP connection managers with that prefix; KeyError when there is none."""
        return self._http[stat_prefix]

    def cluster(self, name: str) -> int:
        """First slot of that cluster; KeyError when there is none."""
        return self._clusters[name]

    def host(self, cluster_name: str, host_index: int) -> int:
        """First slot of the host with that `Host.slot`, else at that place in the cluster; IndexError beyond them."""
        if not 0 <= host_index < self._capacities[cluster_name]:
            raise IndexError(f"host {host_index} of cluster {cluster_name}")
        return self._hosts[cluster_name] + host_index * len(HOST_NAMES)

    def host_capacity(self, cluster_name: str) -> int:
        """How many hosts of that cluster have counters."""
        return self._capacities[cluster_name]

    def named(self) -> Iterator[tuple[str, int]]:
        """Every statistic that `/stats` shows, with its slot. A name can come twice; its values add up."""
        for scope, first, names in self._blocks:
            for offset, name in enumerate(names):
                yield f"{scope}.{name}", first + offset

    def gauges(self) -> Iterator[int]:
        """The slots of all gauges, those of hosts included."""
        for name, slot in self.named():
            if is_gauge(name):
                yield slot
        offsets = [offset for offset, name in enumerate(HOST_NAMES) if is_gauge(name)]
        for cluster, capacity in self._capacities.items():
            for index in range(capacity):
                first = self.host(cluster, index)
                yield from (first + offset for offset in offsets)

    def _add(self, scope: str, names: tuple[str, ...]) -> int:
        first = self.slots
        self.slots += len(names)
        self._blocks.append((scope, first, names))
        return first

    def _add_hosts(self, capacity: int) -> int:
        first = self.slots
        self.slots += capacity * len(HOST_NAMES)
        return first


class Statistic(NamedTuple):
    """One line of `/stats`."""

    name: str
    value: int
    is_gauge: bool = False


class StatsReader:
    """Sums over the workers' rows. Reading takes no lock: each slot is one aligned word with one writer."""

    def __init__(self, layout: StatsLayout, rows: Sequence[memoryview]) -> None:
        self._layout = layout
        self._rows = rows

    def sum(self, slot: int) -> int:
        return sum(row[slot] for row in self._rows) % _WORD

    def statistics(self) -> list[Statistic]:
        """All counters and gauges of the data plane, in no particular order; each name once."""
        values: dict[str, int] = {}
        for name, slot in self._layout.named():
            values[name] = values.get(name, 0) + self.sum(slot)
        return [Statistic(name, value, is_gauge(name)) for name, value in values.items()]

    def host(self, cluster_name: str, host_index: int) -> dict[str, int]:
        """The counters of one host by name."""
        first = self._layout.host(cluster_name, host_index)
        return {name: self.sum(first + offset) for offset, name in enumerate(HOST_NAMES)}


def clear_gauges(layout: StatsLayout, row: memoryview) -> None:
    """Take back what a dead worker's gauges claim. Only for a row that nobody writes."""
    for slot in layout.gauges():
        if row[slot]:
            row[slot] = 0


def is_used(statistic: Statistic, values: dict[str, int]) -> bool:
    """Envoy's "used": written since the start. A gauge back at zero has been used when its total has grown."""
    return bool(statistic.value or (statistic.is_gauge and values.get(_total_of(statistic.name))))


def _total_of(gauge: str) -> str:
    return gauge.removesuffix("_active") + "_total"


def used(statistics: Sequence[Statistic]) -> list[Statistic]:
    """Only what has been written since the start."""
    values = {statistic.name: statistic.value for statistic in statistics}
    return [statistic for statistic in statistics if is_used(statistic, values)]
