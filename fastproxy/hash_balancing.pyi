from collections.abc import Sequence

from fastproxy._maglev import MaglevTable
from fastproxy._ring import Ring
from fastproxy.balancing import Balancer
from fastproxy.bounded_load import BoundedLoad
from fastproxy.model import RingHashConfig

class HashBalancer(Balancer):
    bound: BoundedLoad | None

class RingHash(HashBalancer):
    ring: Ring
    def __init__(
        self,
        places: Sequence[int],
        keys: Sequence[bytes],
        shares: Sequence[float],
        config: RingHashConfig,
        bound: BoundedLoad | None = None,
    ) -> None: ...

class Maglev(HashBalancer):
    table: MaglevTable
    def __init__(
        self,
        places: Sequence[int],
        keys: Sequence[bytes],
        shares: Sequence[float],
        table_size: int,
        bound: BoundedLoad | None = None,
    ) -> None: ...
