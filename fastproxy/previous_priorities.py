"""To which priorities the next try of a request goes when those of the tries before are left out.

Source: Envoy's extension `envoy.retry_priorities.previous_priorities`.
"""

Loads = tuple[tuple[int, ...], tuple[int, ...]]
"""Per cent by priority: of healthy hosts, of degraded ones."""


class PreviousPriorities:
    """The priorities that one request has tried; after every `update_frequency` tries they are left out."""

    def __init__(self, update_frequency: int) -> None:
        self._update_frequency = update_frequency
        self._begin()

    def _begin(self) -> None:
        self._tried: list[int] = []
        self._updates = 0
        self._left_out: set[int] = set()

    def note(self, priority: int) -> None:
        """A host of this priority was tried."""
        self._tried.append(priority)

    def loads(self, available: Loads) -> Loads | None:
        """How to share out the next try, by what the hosts of each priority can take (`host_sets.Load`).

        None: as any request. So it is again when no other priority is left that could take anything.
        """
        updates = len(self._tried) // self._update_frequency
        if updates > self._updates:
            self._updates = updates
            self._left_out.update(self._tried)
        if not updates:
            return None
        others = tuple(
            tuple(0 if priority in self._left_out else part for priority, part in enumerate(parts))
            for parts in available
        )
        total = min(100, sum(map(sum, others)))
        if total == 0:
            self._begin()
            return None
        return _shared_out(others, total)


def _shared_out(available: tuple[tuple[int, ...], ...], total: int) -> Loads:
    """As much as each can take of the whole, healthy hosts first; in further rounds what rounding has left."""
    left = 100
    loads = [[0] * len(parts) for parts in available]
    while left:
        for kind, parts in enumerate(available):
            for priority, part in enumerate(parts):
                taken = min(left, part * 100 // total)
                loads[kind][priority] += taken
                left -= taken
    return tuple(loads[0]), tuple(loads[1])
