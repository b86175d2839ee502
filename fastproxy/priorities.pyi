from collections.abc import Sequence

from fastproxy.balancing import Balancer
from fastproxy.host_sets import Share
from fastproxy.model import Locality

class Composite(Balancer):
    children: tuple[Balancer, ...]

class Priorities(Composite):
    shares: tuple[Share, ...]
    def __init__(self, children: Sequence[Balancer], parts: Sequence[tuple[Share, int]], *, hashes: bool) -> None: ...
    @property
    def panics(self) -> int: ...

class Localities(Composite):
    localities: tuple[Locality, ...]
    def __init__(
        self, children: Sequence[Balancer], localities: Sequence[Locality], weights: Sequence[float]
    ) -> None: ...
