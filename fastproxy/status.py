"""What the supervisor knows about the whole server, for the admin to show.

The supervisor writes the plain attributes; the admin only reads.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from fastproxy import __version__, session_stats
from fastproxy.generation import Generation
from fastproxy.health import health_stats
from fastproxy.health.cluster_health import ClusterHealth
from fastproxy.model import Address, Cluster, Configuration, Health
from fastproxy.options import Options
from fastproxy.resolver import ClusterResolver
from fastproxy.scopes import sanitize
from fastproxy.session_stats import LiveAt
from fastproxy.stats import Statistic, StatsReader


class ServerState(IntEnum):
    """Envoy's admin.v3.ServerInfo.State, numbers included: they are the value of `server.state`."""

    LIVE = 0
    DRAINING = 1
    PRE_INITIALIZING = 2
    INITIALIZING = 3


def version_number() -> int:
    """0.1.0 as 100, 1.2.3 as 10203: `server.version` has to be a number."""
    major, minor, patch = (int(part) for part in __version__.split(".")[:3])
    return major * 10000 + minor * 100 + patch


@dataclass(slots=True)
class Reloads:
    """How reading the configuration again went so far. `generation` counts the configurations that were in use."""

    generation: int = 1
    attempts: int = 0
    successes: int = 0
    failures: int = 0
    loaded_at: float = field(default_factory=time.time)
    """When the configuration in use was taken, in seconds since 1970."""
    last_error: str = ""
    """Why the last attempt failed; empty when it did not."""

    def succeed(self, generation: int) -> None:
        self.generation = generation
        self.successes += 1
        self.loaded_at, self.last_error = time.time(), ""

    def fail(self, reason: str) -> None:
        self.failures += 1
        self.last_error = reason


@dataclass(slots=True)
class Changes:
    """Listeners or clusters that came, went, or stayed under their name and are otherwise."""

    added: int = 0
    modified: int = 0
    removed: int = 0

    def count(self, before: Mapping[str, object], after: Mapping[str, object]) -> None:
        self.added += len(after.keys() - before.keys())
        self.removed += len(before.keys() - after.keys())
        self.modified += sum(after[name] != before[name] for name in after.keys() & before.keys())


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Orders:
    """What the admin may have the supervisor do; it returns at once, and is done between two runs of the loop."""

    end: Callable[[], None] = _nothing
    reopen_logs: Callable[[], None] = _nothing


@dataclass(slots=True)
class Status:
    """`configuration` holds the host sets as of now; `listeners` the addresses that were really bound."""

    options: Options
    configuration: Configuration
    reader: StatsReader
    listeners: Sequence[tuple[str, Address]] = ()
    resolvers: Sequence[ClusterResolver] = ()
    state: ServerState = ServerState.INITIALIZING
    live_at: LiveAt = lambda address: 0
    health: Callable[[str], ClusterHealth | None] = lambda cluster_name: None
    orders: Orders = field(default_factory=Orders)
    overload: Callable[[], Iterable[Statistic]] = tuple
    merging: Mapping[str, int] = field(default_factory=dict)
    workers_started: bool = False
    workers_replaced: int = 0
    clock: Callable[[], float] = time.monotonic
    started_at: float = field(default_factory=time.monotonic)
    reloads: Reloads = field(default_factory=Reloads)
    listener_changes: Changes = field(default_factory=Changes)
    cluster_changes: Changes = field(default_factory=Changes)

    def __post_init__(self) -> None:
        self._count(Configuration(), self.configuration)

    def _count(self, before: Configuration, after: Configuration) -> None:
        for changes, kind in ((self.listener_changes, "listeners"), (self.cluster_changes, "clusters")):
            old, new = ({each.name: each for each in getattr(one, kind)} for one in (before, after))
            changes.count(old, new)

    def set_cluster(self, cluster: Cluster) -> None:
        """A cluster has other hosts, or what is known of them has changed."""
        clusters = (cluster if each.name == cluster.name else each for each in self.configuration.clusters)
        self.configuration = replace(self.configuration, clusters=tuple(clusters))

    def adopt(self, generation: Generation, configuration: Configuration, reader: StatsReader) -> None:
        """Another configuration is in use; `configuration` has the hosts of now."""
        self._count(self.configuration, configuration)
        self.configuration, self.reader = configuration, reader
        self.listeners = generation.listening.addresses()
        self.resolvers = list(generation.resolvers.values())
        self.reloads.succeed(generation.number)

    @property
    def uptime_s(self) -> int:
        return int(self.clock() - self.started_at)

    def connections(self) -> int:
        """Downstream connections that are open."""
        return self.reader.connections()

    def statistics(self) -> list[Statistic]:
        """Everything that `/stats` shows, in no particular order."""
        return [*self.reader.statistics(), *self._server(), *self._managers(), *self._clusters(), *self.overload()]

    def _server(self) -> Iterator[Statistic]:
        yield Statistic("server.concurrency", self.options.concurrency, True)
        yield Statistic("server.live", int(self.state is ServerState.LIVE), True)
        yield Statistic("server.state", int(self.state), True)
        yield Statistic("server.total_connections", self.connections(), True)
        yield Statistic("server.uptime", self.uptime_s, True)
        yield Statistic("server.version", version_number(), True)
        yield Statistic("server.workers_replaced", self.workers_replaced)
        yield Statistic("server.config_reload_attempt", self.reloads.attempts)
        yield Statistic("server.config_reload_success", self.reloads.successes)
        yield Statistic("server.config_reload_failure", self.reloads.failures)
        yield Statistic("server.config_generation", self.reloads.generation, True)
        yield Statistic("server.config_last_reload_failed", int(bool(self.reloads.last_error)), True)

    def _managers(self) -> Iterator[Statistic]:
        draining = self.state is ServerState.DRAINING
        yield from self._changes("listener_manager.listener", self.listener_changes)
        yield Statistic("listener_manager.total_listeners_active", 0 if draining else len(self.listeners), True)
        yield Statistic("listener_manager.total_listeners_draining", len(self.listeners) if draining else 0, True)
        yield Statistic("listener_manager.workers_started", int(self.workers_started), True)
        yield from self._changes("cluster_manager.cluster", self.cluster_changes)
        yield Statistic("cluster_manager.active_clusters", len(self.configuration.clusters), True)
        for name, value in self.merging.items():
            yield Statistic(f"cluster_manager.{name}", value)

    def _changes(self, prefix: str, changes: Changes) -> Iterator[Statistic]:
        yield Statistic(f"{prefix}_added", changes.added)
        yield Statistic(f"{prefix}_modified", changes.modified)
        yield Statistic(f"{prefix}_removed", changes.removed)

    def _clusters(self) -> Iterator[Statistic]:
        by_name = {resolver.cluster.name: resolver for resolver in self.resolvers}
        for cluster in self.configuration.clusters:
            scope = f"cluster.{sanitize(cluster.stat_name)}"
            excluded = sum(host.is_excluded for host in cluster.hosts)
            healths = [host.health for host in cluster.hosts]
            resolver = by_name.get(cluster.name)
            yield Statistic(f"{scope}.membership_total", len(cluster.hosts), True)
            yield Statistic(f"{scope}.membership_healthy", healths.count(Health.HEALTHY), True)
            yield Statistic(f"{scope}.membership_degraded", healths.count(Health.DEGRADED), True)
            yield Statistic(f"{scope}.membership_excluded", excluded, True)
            yield Statistic(f"{scope}.membership_change", resolver.changes if resolver else 1)
            yield Statistic(f"{scope}.update_attempt", resolver.attempts if resolver else 0)
            yield Statistic(f"{scope}.update_success", resolver.successes if resolver else 0)
            yield Statistic(f"{scope}.update_failure", resolver.failures if resolver else 0)
            health = self.health(cluster.name)
            if health is not None:
                yield from health_stats.statistics(scope, health)
            yield from session_stats.statistics(cluster, self.reader, self.live_at)
