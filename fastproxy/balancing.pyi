from collections.abc import Collection, Sequence

from fastproxy._ring import Ring
from fastproxy.model import Cluster, Host, RingHashConfig

class Balancer:
    size: int
    def pick(self, hash: int | None = None) -> int: ...
    def pick_other(self, hash: int | None, first: int, tried: Collection[int]) -> int: ...

class RoundRobin(Balancer):
    def __init__(self, weights: Sequence[int]) -> None: ...

class Random(Balancer):
    def __init__(self, weights: Sequence[int]) -> None: ...

class LeastRequest(Balancer):
    def __init__(self, weights: Sequence[int]) -> None: ...

class RingHash(Balancer):
    ring: Ring
    def __init__(self, keys: Sequence[bytes], weights: Sequence[int], config: RingHashConfig) -> None: ...

def balancer_for(cluster: Cluster, hosts: Sequence[Host]) -> Balancer: ...
