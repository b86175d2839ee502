"""What the workers know of the hosts of clusters, and when they are told more.

Other hosts are told at once. What is found of them is merged: the first change is told at once, and what follows within
the cluster's update_merge_window together when that is over, since every time each worker makes a balancer anew.

Source: Envoy's cluster manager (ClusterManagerImpl::scheduleUpdate of 1.40), which counts by these names.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

from fastproxy import control
from fastproxy.model import Cluster

COUNTERS = ("cluster_updated", "cluster_updated_via_merge", "update_merge_cancelled", "update_out_of_merge_window")


class Announcements:
    """`tell` sends a message to all workers; it is called in the loop or by `announce`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tell: Callable[[control.Message], None]) -> None:
        self._loop = loop
        self._tell = tell
        self.told: dict[str, Cluster] = {}
        """The clusters as the workers know them, by name."""
        self._news: dict[str, Cluster] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._last_s: dict[str, float] = {}
        self.counters: Counter[str] = Counter(dict.fromkeys(COUNTERS, 0))

    def begin(self, clusters: Iterable[Cluster]) -> None:
        """The workers know these clusters, and no others."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers = {}
        self._news = {}
        self.told = {cluster.name: cluster for cluster in clusters}

    def announce(self, cluster: Cluster) -> None:
        """This is what is known of a cluster now."""
        name, window_s = cluster.name, cluster.update_merge_window_s
        self._news[name] = cluster
        if window_s and self._is_merged(cluster):
            if name not in self._timers:
                self._timers[name] = self._loop.call_later(window_s, self._deliver_merged, name)
            return
        if name in self._timers:
            self._timers.pop(name).cancel()
            self.counters["update_merge_cancelled"] += 1
        self.counters["cluster_updated"] += 1
        self._deliver(name)

    def _is_merged(self, cluster: Cluster) -> bool:
        """Whether news can wait for more: the hosts are the same, and the workers were told of them a moment ago."""
        if not control.are_same_hosts(self.told[cluster.name], cluster):
            return False
        since_s = self._loop.time() - self._last_s.get(cluster.name, float("-inf"))
        is_out = since_s > cluster.update_merge_window_s
        self.counters["update_out_of_merge_window"] += is_out
        return not is_out

    def _deliver_merged(self, name: str) -> None:
        del self._timers[name]
        self.counters["cluster_updated_via_merge"] += 1
        self._deliver(name)

    def _deliver(self, name: str) -> None:
        before, self.told[name] = self.told[name], self._news.pop(name)
        self._last_s[name] = self._loop.time()
        for message in control.updates(before, self.told[name]):
            self._tell(message)
