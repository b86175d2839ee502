"""Names of clusters, looked up again and again while the server runs."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from fastproxy import resolver
from fastproxy.dns_queries import Answer
from fastproxy.resolver import ClusterResolver


class Lookups:
    """Refreshes resolvers until they are dropped. `told(resolver, changed)` is called in the loop for every answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, told: Callable[[ClusterResolver, bool], None]) -> None:
        self._loop = loop
        self._told = told
        self._kept: set[ClusterResolver] = set()
        self._timers: dict[tuple[ClusterResolver, str], asyncio.TimerHandle] = {}

    def keep(self, resolvers: Iterable[ClusterResolver]) -> None:
        """Refresh these, and no others, from now on. One that is refreshed already keeps its times."""
        before, self._kept = self._kept, {each for each in resolvers if each.names}
        for key in [key for key in self._timers if key[0] not in self._kept]:
            self._timers.pop(key).cancel()
        for found in self._kept - before:
            for name in found.names:
                if name not in found.pending:
                    self._schedule(found, name)

    def start(self, found: ClusterResolver) -> None:
        """Look its names up now."""
        resolver.start(found, self._answer_from_thread)

    def _schedule(self, found: ClusterResolver, name: str) -> None:
        delay_s = found.refresh_rates.delay_s(name)
        self._timers[found, name] = self._loop.call_later(delay_s, self._refresh, found, name)

    def _refresh(self, found: ClusterResolver, name: str) -> None:
        del self._timers[found, name]
        resolver.start_name(found, name, self._answer_from_thread)

    def _answer_from_thread(self, found: ClusterResolver, name: str, answer: Answer | Exception) -> None:
        with suppress(RuntimeError):  # the loop is closed: we are ending
            self._loop.call_soon_threadsafe(self._answered, found, name, answer)

    def _answered(self, found: ClusterResolver, name: str, answer: Answer | Exception) -> None:
        changed = resolver.take(found, name, answer)
        if found in self._kept:
            self._schedule(found, name)
        self._told(found, changed)
