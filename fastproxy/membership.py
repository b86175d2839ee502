"""Which hosts the clusters in use have now, and how they are: what DNS and health say, told to everybody.

The words are Envoy's: a cluster's members are its hosts. Names are looked up and hosts are checked here; whoever has to
know learns it by `status` and by messages to the workers.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from fastproxy import control
from fastproxy.generation import Generation
from fastproxy.health.health import Health
from fastproxy.lookups import Lookups
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
        self._tell = tell
        self._looked_up = looked_up
        self._lookups = Lookups(loop, self._answered)
        status.health = lambda name: self.health.clusters.get(name)

    def use(self, generation: Generation) -> None:
        """Look after the hosts of this generation, which `health` was prepared for, and of no other."""
        self._generation = generation
        self._lookups.keep(generation.resolvers.values())
        self.health.commit(generation)

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
                before = next(each for each in self._status.configuration.clusters if each.name == name)
                after = self.health.cluster(resolved)
                self._status.set_cluster(after)
                for message in control.updates(before, after):
                    self._tell(message)
