"""The nodes of one cluster, and the orders in which an edge host goes through them for a new or an unknown session."""

import random
from bisect import bisect

from tests.simulation.mixing import mixed

POINTS = 40  # of a node on the ring


class Cluster:
    """Nodes are numbers that are never used twice. `open` may be given new sessions, `draining` still serve theirs."""

    def __init__(self, nodes: int) -> None:
        self.open: list[int] = []
        self.draining: list[int] = []
        self.joined = 0
        for _ in range(nodes):
            self.join()

    @property
    def hosts(self) -> list[int]:
        return self.open + self.draining

    def join(self) -> None:
        self.open.append(self.joined)
        self.joined += 1
        self._build()

    def drain(self, node: int) -> None:
        self.open.remove(node)
        self.draining.append(node)
        self._build()

    def leave(self, node: int) -> None:
        self.draining.remove(node)

    def _build(self) -> None:
        self._ring = sorted((mixed(node * POINTS + point, 1), node) for node in self.open for point in range(POINTS))

    def on_the_ring(self, key: int) -> int:
        """The open node that the key points to."""
        return self._ring[bisect(self._ring, (mixed(key, 2), 0)) % len(self._ring)][1]


def least_loaded(nodes: list[int], load: list[int], draw: random.Random) -> int:
    """Of the nodes with the smallest load one by lot."""
    loads = [load[node] for node in nodes]
    least = min(loads)
    start = draw.randrange(len(loads))
    try:
        return nodes[loads.index(least, start)]
    except ValueError:
        return nodes[loads.index(least)]
