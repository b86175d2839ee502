"""Where each counter lives in a worker's row of shared memory, and what it is called.

`scopes` says whose counters there are; here their blocks get their places, in the first configuration and in those that
follow. The data plane writes through the offsets, the admin reads through the names.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from fastproxy.breaker_stats import breaker_statistics
from fastproxy.errors import FastproxyError
from fastproxy.model import Configuration, VirtualHost
from fastproxy.scopes import (
    CLUSTER_NAMES,
    HOST_NAMES,
    KINDS,
    Extent,
    LayoutState,
    Scope,
    is_gauge,
    listener_scope,
    route_scope,
    sanitize,
    scopes_of,
    statistics_of,
)

MAX_SLOTS = 1 << 27
"""More counters than that (1 GiB a worker) no configuration has."""

_WORD = 1 << 64


class StatsLayout:
    """The slots of every scope of one configuration. Scopes of the same name share one block."""

    def __init__(self, configuration: Configuration, state: LayoutState | None = None) -> None:
        """The first layout, or the one that `state` says."""
        self.state = state or Growth(LayoutState()).grown(configuration, {}, lambda scope: False, MAX_SLOTS)
        self.slots = self.state.slots
        self._live = {(scope.kind, scope.name): scope for scope in self.state.live}
        self._listeners = [listener_scope(listener) for listener in configuration.listeners]
        self.circuit_breakers = {cluster.name: cluster.circuit_breakers for cluster in configuration.clusters}
        self._stat_names = {cluster.name: cluster.stat_name for cluster in configuration.clusters}

    def extended(
        self,
        configuration: Configuration,
        host_counts: Mapping[str, int],
        is_idle: Callable[[Scope], bool],
        limit: int,
    ) -> "StatsLayout":
        """The layout after this one: scopes that go on keep their slots, those that are back find theirs again.

        `host_counts` says for how many hosts a cluster needs counters at least. Slots of a scope that went are used for
        another only when there is no room left below `limit`, and the scope `is_idle`: nothing of it is under way.
        FastproxyError when there is no room at all.
        """
        return StatsLayout(configuration, Growth(self.state).grown(configuration, host_counts, is_idle, limit))

    def listener(self, index: int) -> int:
        """First slot of the listener at that place in the configuration."""
        return self._first("listener", self._listeners[index])

    def http(self, stat_prefix: str) -> int:
        """First slot of the HTTP connection managers with that prefix; KeyError when there is none."""
        return self._first("http", stat_prefix)

    def route(self, host: VirtualHost, index: int) -> int | None:
        """First slot of a virtual host's route; None when it has no counters."""
        scope = self._live.get(("route", route_scope(host, index)))
        return None if scope is None else scope.extents[0].first

    def block(self, kind: str, name: str) -> int:
        """First slot of a scope that has one block; KeyError when there is none of that name."""
        return self._first(kind, name)

    def tcp(self, stat_prefix: str) -> int:
        """First slot of the TCP proxies with that prefix; KeyError when there is none."""
        return self._first("tcp", stat_prefix)

    def filesystem(self) -> int:
        """First slot of what the access logs count together."""
        return self._first("filesystem", "")

    def cluster(self, name: str) -> int:
        """First slot of that cluster; KeyError when there is none."""
        return self._first("cluster", name)

    def host(self, cluster_name: str, host_index: int) -> int:
        """First slot of the host with that `Host.slot`, else at that place in the cluster; IndexError beyond them."""
        rest = host_index
        for extent in self._live["host", cluster_name].extents:
            if 0 <= rest < extent.count:
                return extent.first + rest * len(HOST_NAMES)
            rest -= extent.count
        raise IndexError(f"host {host_index} of cluster {cluster_name}")

    def host_capacity(self, cluster_name: str) -> int:
        """How many hosts of that cluster have counters."""
        return self._live["host", cluster_name].count

    def named(self) -> Iterator[tuple[str, int]]:
        """Every statistic that `/stats` shows, with its slot. A name can come twice; its values add up."""
        for scope in self.state.live:
            yield from statistics_of(scope, self.shown(scope))

    def shown(self, scope: Scope) -> str:
        """What a scope is called in the names of its statistics: a cluster may have another name for that."""
        return self._stat_names.get(scope.name, scope.name) if scope.kind == "cluster" else scope.name

    def gauges(self) -> Iterator[int]:
        """The slots of all gauges, those of hosts included."""
        for scope in (*self.state.live, *self.state.retired):
            yield from scope.slots(gauges=True)

    def _first(self, kind: str, name: str) -> int:
        return self._live[kind, name].extents[0].first


class Growth:
    """From one layout to the next."""

    def __init__(self, state: LayoutState) -> None:
        self._slots = state.slots
        self._before = state
        self._retired = {(scope.kind, scope.name): scope for scope in state.retired}
        self._taken: list[Scope] = []

    def grown(
        self,
        configuration: Configuration,
        host_counts: Mapping[str, int],
        is_idle: Callable[[Scope], bool],
        limit: int,
    ) -> LayoutState:
        wanted = scopes_of(configuration)
        before = {(scope.kind, scope.name): scope for scope in self._before.live}
        back = {key: scope for key, scope in self._retired.items() if key in wanted}
        gone = {key: scope for key, scope in before.items() if key not in wanted}
        self._idle = [scope for key, scope in self._retired.items() if key not in wanted and is_idle(scope)]
        self._limit = limit
        self._retired = {key: scope for key, scope in self._retired.items() if key not in wanted}
        live = []
        for (kind, name), count in wanted.items():
            if kind == "host":
                count = max(count, host_counts.get(name, 0))
            known = before.get((kind, name)) or back.get((kind, name)) or Scope(kind, name, ())
            missing = count - known.count
            extents = known.extents if missing <= 0 else (*known.extents, *self._extents(kind, name, missing))
            live.append(Scope(kind, name, extents))
        return LayoutState(self._slots, tuple(live), (*self._retired.values(), *gone.values()), tuple(self._taken))

    def _extents(self, kind: str, name: str, count: int) -> tuple[Extent, ...]:
        length = len(KINDS[kind])
        if self._slots + count * length <= self._limit:
            first, self._slots = self._slots, self._slots + count * length
            return (Extent(first, count),)
        for scope in self._idle:
            if scope.kind == kind and scope.count >= count:
                self._idle.remove(scope)
                del self._retired[kind, scope.name]
                self._taken.append(Scope(kind, name, scope.extents))
                return scope.extents
        raise FastproxyError(
            f"there is no room for the counters of {kind} '{name}': {self._limit} are reserved at the start, and those "
            "of what went are still in use; start anew with this configuration"
        )


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

    def connections(self) -> int:
        """Open downstream connections of all listeners, of those too that the configuration has no longer."""
        state = self._layout.state
        listeners = (scope for scope in (*state.live, *state.retired) if scope.kind == "listener")
        return sum(self.sum(slot) for scope in listeners for slot in scope.slots(gauges=True))

    def is_idle(self, scope: Scope) -> bool:
        """Whether nothing of the scope is under way in any worker."""
        return not any(row[slot] for slot in scope.slots(gauges=True) for row in self._rows)

    def statistics(self) -> list[Statistic]:
        """All counters and gauges of the data plane, in no particular order; each name once.

        What the configuration has no longer is shown as long as something of it is under way.
        """
        values: dict[str, int] = {}
        shown = [scope for scope in self._layout.state.retired if not self.is_idle(scope)]
        for scope in (*self._layout.state.live, *shown):
            for name, slot in statistics_of(scope, self._layout.shown(scope)):
                values[name] = values.get(name, 0) + self.sum(slot)
        for cluster, breakers in self._layout.circuit_breakers.items():
            prefix = f"cluster.{sanitize(self._layout.shown(Scope('cluster', cluster, ())))}"
            derived = breaker_statistics(breakers, self.cluster(cluster))
            values |= {f"{prefix}.{name}": value for name, value in derived}
        return [Statistic(name, value, is_gauge(name)) for name, value in values.items()]

    def cluster(self, name: str) -> dict[str, int]:
        """The counters of one cluster by name."""
        first = self._layout.cluster(name)
        return {each: self.sum(first + offset) for offset, each in enumerate(CLUSTER_NAMES)}

    def host(self, cluster_name: str, host_index: int) -> dict[str, int]:
        """The counters of one host by name."""
        first = self._layout.host(cluster_name, host_index)
        return {name: self.sum(first + offset) for offset, name in enumerate(HOST_NAMES)}


def clear_gauges(layout: StatsLayout, row: memoryview) -> None:
    """Take back what a dead worker's gauges claim. Only for a row that nobody writes."""
    for slot in layout.gauges():
        if row[slot]:
            row[slot] = 0


def clear_taken(layout: StatsLayout, row: memoryview) -> None:
    """Begin the counters of scopes that got the slots of others; their gauges are zero. Only for the row's writer."""
    for scope in layout.state.taken:
        for slot in scope.slots(gauges=False):
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
