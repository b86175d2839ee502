"""The health of all hosts of a server, as its supervisor sees it.

A configuration that is to come is prepared beside the one in use: clusters that are the same in both go on as they are,
and a new one is checked before anybody uses it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from fastproxy.generation import Generation
from fastproxy.health.cluster_health import ClusterHealth
from fastproxy.health.host_counters import HostCounters
from fastproxy.health.outliers import Ejection
from fastproxy.model import Cluster, Configuration

COALESCE_S = 0.005
"""Changes that come within this time are told together: a ring is built for each time."""


class Health:
    """`changed(name of cluster)` is called in the loop when what `cluster` says of it is news, `warmed` when everything
    that was prepared was checked once."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        rows: Sequence[memoryview],
        changed: Callable[[str], None],
        warmed: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._rows = rows
        self._told = changed
        self._warmed = warmed
        self._clusters: dict[str, ClusterHealth] = {}
        self._next: dict[str, ClusterHealth] | None = None
        self._dirty: dict[str, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def clusters(self) -> Mapping[str, ClusterHealth]:
        """Those in use whose hosts are checked or watched."""
        return self._clusters

    # -- configurations

    def prepare(self, generation: Generation) -> None:
        """Begin to check what is new in that configuration."""
        self.abandon()
        counters = HostCounters(generation.layout, self._rows)
        resolved = {cluster.name: cluster for cluster in generation.resolved().clusters}
        self._next = {
            cluster.name: self._health_of(cluster, resolved[cluster.name], counters)
            for cluster in generation.configuration.clusters
            if cluster.health_check is not None or cluster.outlier_detection is not None
        }

    def _health_of(self, cluster: Cluster, resolved: Cluster, counters: HostCounters) -> ClusterHealth:
        before = self._clusters.get(cluster.name)
        if before is not None and replace(before.cluster, hosts=()) == replace(cluster, hosts=()):
            return before
        changed = partial(self._changed, cluster.name)
        health = ClusterHealth(self._loop, cluster, counters, changed, self._checked, before)
        health.set_hosts(resolved.hosts)
        return health

    @property
    def is_warm(self) -> bool:
        """Whether everything that was prepared can be used."""
        return self._next is None or not any(each.is_awaited for each in self._next.values())

    def commit(self, generation: Generation) -> None:
        """What was prepared is in use."""
        before, self._clusters = self._clusters, self._next or {}
        self._next = None
        counters = HostCounters(generation.layout, self._rows)
        for name, health in before.items():
            if self._clusters.get(name) is not health:
                health.close()
        for cluster in generation.resolved().clusters:
            if cluster.name in self._clusters:
                self._clusters[cluster.name].counters = counters
                self._clusters[cluster.name].set_hosts(cluster.hosts)

    def abandon(self) -> None:
        """Forget what was prepared."""
        for name, health in (self._next or {}).items():
            if self._clusters.get(name) is not health:
                health.close()
        self._next = None

    def configuration(self, generation: Generation) -> Configuration:
        """That configuration with the hosts of now, and what is known of them."""
        resolved = generation.resolved()
        return replace(resolved, clusters=tuple(self.cluster(each) for each in resolved.clusters))

    def cluster(self, resolved: Cluster) -> Cluster:
        """The cluster with what is known of its hosts."""
        health = (self._next or self._clusters).get(resolved.name)
        if health is None:
            return resolved
        if health is self._clusters.get(resolved.name) and self._next is not None:
            return replace(resolved, hosts=health.preview(resolved.hosts))
        return replace(resolved, hosts=health.hosts)

    # -- what happens

    def resolved(self, cluster: Cluster) -> None:
        """DNS has other hosts for a cluster in use."""
        if cluster.name in self._clusters:
            self._clusters[cluster.name].set_hosts(cluster.hosts)

    def failing(self, cluster_name: str, address: str, kind: str) -> None:
        """A worker has seen a host fail: `kind` is an Ejection's, or "" for one that has said so itself."""
        health = self._clusters.get(cluster_name)
        host = next((each for each in health.hosts if str(each.address) == address), None) if health else None
        if health is None or host is None:
            return
        if kind:
            health.failed(host, Ejection(kind))
        else:
            health.said_it_fails(host)

    def _checked(self) -> None:
        if self._next is not None and self.is_warm:
            self._warmed()

    def _changed(self, name: str) -> None:
        if name in self._clusters:
            self._dirty[name] = None
            if self._timer is None:
                self._timer = self._loop.call_later(COALESCE_S, self._tell)

    def _tell(self) -> None:
        dirty, self._dirty, self._timer = self._dirty, {}, None
        for name in dirty:
            self._told(name)

    async def close(self) -> None:
        """End what is under way."""
        self.abandon()
        if self._timer is not None:
            self._timer.cancel()
        for health in self._clusters.values():
            health.close()
        for _ in range(3):  # tasks learn that they were cancelled, connections that they are to be closed
            await asyncio.sleep(0)
