from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from fastproxy import model as models
from fastproxy.balancing import Balancer
from fastproxy.hashing import HashPolicies
from fastproxy.session_placement import SessionPlacement
from fastproxy.stats import StatsLayout

class Host:
    model: models.Host
    address: bytes
    slot: int
    removed: bool
    def __init__(self, model: models.Host) -> None: ...

class Cluster:
    model: models.Cluster
    name: bytes
    hosts: list[Host]
    balancer: Balancer
    placement: SessionPlacement
    hashing: HashPolicies | None
    def __init__(
        self, model: models.Cluster, layout: StatsLayout, row: memoryview, rows: Sequence[memoryview] | None = None
    ) -> None: ...
    shell: Cluster | None
    host_set: int
    departures: deque[tuple[int, str, int]]
    def departure_of(self, digest: int) -> tuple[str, int] | None: ...
    def inherit(self, previous: Cluster) -> None: ...
    def can_become(self, model: models.Cluster, layout: StatsLayout) -> bool: ...
    def become(self, model: models.Cluster, layout: StatsLayout) -> list[Host]: ...
    def retire(self) -> None: ...
    def set_hosts(self, models: Iterable[models.Host]) -> list[Host]: ...
    def set_health(self, found: Mapping[str, int]) -> None: ...
    def take_failing(self) -> set[Host]: ...

def is_ip(text: str) -> bool: ...
