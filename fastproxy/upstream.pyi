from collections.abc import Iterable

from fastproxy import model
from fastproxy.balancing import Balancer
from fastproxy.stats import StatsLayout

class Host:
    model: model.Host
    address: bytes
    slot: int
    removed: bool
    def __init__(self, model: model.Host) -> None: ...

class Cluster:
    model: model.Cluster
    name: bytes
    hosts: list[Host]
    balancer: Balancer
    def __init__(self, model: model.Cluster, layout: StatsLayout, row: memoryview) -> None: ...
    def set_hosts(self, models: Iterable[model.Host]) -> list[Host]: ...

def is_ip(text: str) -> bool: ...
