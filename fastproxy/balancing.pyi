from collections.abc import Collection, Sequence
from typing import NamedTuple

from fastproxy.active_requests import ActiveRequests
from fastproxy.model import LeastRequestConfig

class Trace(NamedTuple):
    host: int
    order: tuple[int, ...]
    first: int
    why: dict[str, object]

class Balancer:
    size: int
    @property
    def places(self) -> list[int]: ...
    def pick(self, hash: int | None = None) -> int: ...
    def pick_again(self, hash: int | None, attempt: int) -> int: ...
    def pick_other(self, hash: int | None, first: int, tried: Collection[int]) -> int: ...
    def explain(self, hash: int | None) -> dict[str, object]: ...
    def trace(self, hash: int | None = None, excluding: Collection[int] = ()) -> Trace: ...

class RoundRobin(Balancer):
    def __init__(self, places: Sequence[int], weights: Sequence[int]) -> None: ...

class Random(Balancer):
    def __init__(self, places: Sequence[int]) -> None: ...

class LeastRequest(Balancer):
    def __init__(
        self, places: Sequence[int], weights: Sequence[int], active: ActiveRequests, config: LeastRequestConfig
    ) -> None: ...
