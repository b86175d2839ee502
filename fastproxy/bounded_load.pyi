from collections.abc import Sequence

from fastproxy.active_requests import ActiveRequests

class BoundedLoad:
    size: int
    def __init__(self, places: Sequence[int], shares: Sequence[float], active: ActiveRequests, factor: int) -> None: ...
    def choose_py(self, hash: int, first: int) -> int: ...

def draws(seed: int, count: int) -> list[int]: ...
