from collections.abc import Sequence

from fastproxy.balancing import Balancer
from fastproxy.host_sets import Share
from fastproxy.model import Locality

Loads = tuple[tuple[int, ...], tuple[int, ...]]

class Composite(Balancer):
    children: tuple[Balancer, ...]

class Priorities(Composite):
    shares: tuple[Share, ...]
    available: Loads | None
    in_panic: tuple[bool, ...]
    def __init__(
        self,
        children: Sequence[Balancer],
        parts: Sequence[tuple[Share, int]],
        *,
        hashes: bool,
        available: Loads | None = None,
        in_panic: tuple[bool, ...] = (),
    ) -> None: ...
    def pick_by(self, loads: Loads) -> int: ...
    @property
    def panics(self) -> int: ...

class Localities(Composite):
    localities: tuple[Locality, ...]
    def __init__(
        self, children: Sequence[Balancer], localities: Sequence[Locality], weights: Sequence[float]
    ) -> None: ...
