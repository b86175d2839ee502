"""Which hosts the clusters in use have now, and how they are: what DNS and health say, told to everybody.

The words are Envoy's: a cluster's members are its hosts. Names are looked up and hosts are checked here; whoever has to
know learns it by `status` and by messages to the workers.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from fastproxy import control
from fastproxy.announcements import Announcements
from fastproxy.generation import Generation
from fastproxy.health.health import Health
from fastproxy.lookups import Lookups
from fastproxy.model import Configuration
from fastproxy.resolver import ClusterResolver
from fastproxy.status import Status

log = logging.getLogger("fastproxy.supervisor")


class Membership:
    """`generation` is the one in use. `tell` sends a message to all workers, `warmed` is as for Health, and `looked_up`
    is called when a name was answered for, whoever asked; all of it in the loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        rows: Sequence[memoryview],
        generation: Generation,
        status: Status,
        tell: Callable[[control.Message], None],
        warmed: Callable[[], None],
        looked_up: Callable[[], None],
    ) -> None:
        self.health = Health(loop, rows, self._refresh, warmed)
        self._generation = generation
        self._status = status
        self._announcements = Announcements(loop, tell)
        self._announcements.begin(generation.resolved().clusters)
        self._looked_up = looked_up
        self._lookups = Lookups(loop, self._answered)
        status.merging = self._announcements.counters
        status.health = lambda name: self.health.clusters.get(name)

    def use(self, generation: Generation) -> Configuration:
        """Look after the hosts of this generation, which `health` was prepared for, and of no other. Returns its
        configuration with the hosts of now, which is what workers have to know from here on."""
        self._generation = generation
        self._lookups.keep(generation.resolvers.values())
        self.health.commit(generation)
        configuration = self.health.configuration(generation)
        self._announcements.begin(configuration.clusters)
        return configuration

    @property
    def told(self) -> Configuration:
        """The configuration as the workers know it: a new one is to learn what comes with the others."""
        configuration, clusters = self._status.configuration, self._announcements.told
        return replace(configuration, clusters=tuple(clusters[each.name] for each in configuration.clusters))

    def look_up(self, resolvers: Iterable[ClusterResolver]) -> None:
        """Have these names looked up now, once."""
        for found in resolvers:
            self._lookups.start(found)

    def _answered(self, found: ClusterResolver, changed: bool) -> None:
        if changed and found in self._generation.resolvers.values():
            log.info("cluster '%s' has %d hosts now", found.cluster.name, len(found.hosts))
            self.health.resolved(replace(found.cluster, hosts=found.hosts))
            self._refresh(found.cluster.name)
        self._looked_up()

    def _refresh(self, name: str) -> None:
        """Have everybody know what the hosts of a cluster are now, and how they are."""
        for resolved in self._generation.resolved().clusters:
            if resolved.name == name:
                cluster = self.health.cluster(resolved)
                self._status.set_cluster(cluster)
                self._announcements.announce(cluster)
