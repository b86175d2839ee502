"""Names of clusters, looked up again and again while the server runs."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from fastproxy import resolver
from fastproxy.resolver import Addresses, ClusterResolver


class Lookups:
    """Refreshes resolvers until they are dropped. `told(resolver, changed)` is called in the loop for every answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, told: Callable[[ClusterResolver, bool], None]) -> None:
        self._loop = loop
        self._told = told
        self._timers: dict[ClusterResolver, asyncio.TimerHandle] = {}

    def keep(self, resolvers: Iterable[ClusterResolver]) -> None:
        """Refresh these, and no others, from now on. One that is refreshed already keeps its time."""
        wanted = {each for each in resolvers if each.names}
        for each in self._timers.keys() - wanted:
            self._timers.pop(each).cancel()
        for each in wanted - self._timers.keys():
            self._schedule(each)

    def start(self, found: ClusterResolver) -> None:
        """Look its names up now."""
        resolver.start(found, self._answer_from_thread)

    def _schedule(self, found: ClusterResolver) -> None:
        self._timers[found] = self._loop.call_later(found.cluster.dns_refresh_rate_s, self._refresh, found)

    def _refresh(self, found: ClusterResolver) -> None:
        self.start(found)
        self._schedule(found)

    def _answer_from_thread(self, found: ClusterResolver, name: str, answer: Addresses | Exception) -> None:
        with suppress(RuntimeError):  # the loop is closed: we are ending
            self._loop.call_soon_threadsafe(self._answered, found, name, answer)

    def _answered(self, found: ClusterResolver, name: str, answer: Addresses | Exception) -> None:
        self._told(found, resolver.take(found, name, answer))
