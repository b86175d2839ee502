"""A configuration with what the supervisor makes of it: sockets, places of counters, names to look up.

Every reload makes the next generation out of the one before it: what is the same in both is shared, what is new is
made, and whoever fails on the way has changed nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from fastproxy.errors import FastproxyError
from fastproxy.listening import Listening
from fastproxy.model import Cluster, ClusterType, Configuration
from fastproxy.resolver import ClusterResolver, Slots
from fastproxy.scopes import Scope
from fastproxy.stats import StatsLayout

SPARE_HOSTS = 16
"""A static cluster keeps the counters of so many hosts that went, or of as many as it has."""


@dataclass(frozen=True, slots=True)
class Generation:
    """`configuration` is as the file says, host names included; the first generation has number 1."""

    number: int
    configuration: Configuration
    listening: Listening
    layout: StatsLayout
    resolvers: Mapping[str, ClusterResolver]
    slots: Mapping[str, Slots]

    @classmethod
    def first(cls, configuration: Configuration, listening: Listening, layout: StatsLayout) -> "Generation":
        """The generation that a server starts with."""
        slots = {cluster.name: Slots(layout.host_capacity(cluster.name)) for cluster in configuration.clusters}
        resolvers = {
            cluster.name: ClusterResolver(cluster, slots[cluster.name].capacity, slots[cluster.name])
            for cluster in named(configuration.clusters)
        }
        return cls(1, placed(configuration, slots), listening, layout, resolvers, slots)

    def resolved(self) -> Configuration:
        """The configuration with the addresses that DNS gave instead of the names."""
        found = {name: resolver.hosts for name, resolver in self.resolvers.items()}
        clusters = (replace(one, hosts=found.get(one.name, one.hosts)) for one in self.configuration.clusters)
        return replace(self.configuration, clusters=tuple(clusters))

    def next(
        self, configuration: Configuration, listening: Listening, is_idle: Callable[[Scope], bool], limit: int
    ) -> "Generation":
        """The generation of that configuration. `is_idle` and `limit` as for StatsLayout.extended; FastproxyError, and
        then `listening` has closed what it does not share with this one."""
        counts = {cluster.name: self._host_count(cluster) for cluster in configuration.clusters}
        try:
            layout = self.layout.extended(configuration, counts, is_idle, limit)
        except FastproxyError:
            listening.close_all_but(self.listening)
            raise
        slots = {cluster.name: self._slots_for(cluster, layout) for cluster in configuration.clusters}
        resolvers = {
            cluster.name: self._resolver_for(cluster, slots[cluster.name]) for cluster in named(configuration.clusters)
        }
        return Generation(self.number + 1, placed(configuration, slots), listening, layout, resolvers, slots)

    def _host_count(self, cluster: Cluster) -> int:
        """For how many hosts there have to be counters: those that went may still have connections."""
        if cluster.type is not ClusterType.STATIC or cluster.name not in self.slots:
            return 0
        together = self.slots[cluster.name].together_with(host.address for host in cluster.hosts)
        return min(together, len(cluster.hosts) + max(len(cluster.hosts), SPARE_HOSTS))

    def _slots_for(self, cluster: Cluster, layout: StatsLayout) -> Slots:
        before, capacity = self.slots.get(cluster.name), layout.host_capacity(cluster.name)
        resolver = self.resolvers.get(cluster.name)
        if resolver is not None and resolver.cluster == cluster and before is not None:
            return before
        return Slots(capacity) if before is None or before.capacity > capacity else before.copy(capacity)

    def _resolver_for(self, cluster: Cluster, slots: Slots) -> ClusterResolver:
        before = self.resolvers.get(cluster.name)
        same = before is not None and before.cluster == cluster
        return before if before is not None and same else ClusterResolver(cluster, slots.capacity, slots)


def named(clusters: Iterable[Cluster]) -> Iterable[Cluster]:
    """Those whose hosts are looked up."""
    return (cluster for cluster in clusters if cluster.type is not ClusterType.STATIC)


def placed(configuration: Configuration, slots: Mapping[str, Slots]) -> Configuration:
    """The configuration with the slots of hosts that need no lookup."""
    clusters = (_placed(each, slots[each.name]) for each in configuration.clusters)
    return replace(configuration, clusters=tuple(clusters))


def _placed(cluster: Cluster, slots: Slots) -> Cluster:
    if cluster.type is not ClusterType.STATIC:
        return cluster
    places = slots.assign([host.address for host in cluster.hosts])
    hosts = (replace(host, slot=slot) for host, slot in zip(cluster.hosts, places, strict=True))
    return replace(cluster, hosts=tuple(hosts))
