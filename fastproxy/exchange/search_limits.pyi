"""For how many session ids that perhaps nobody knows a worker asks, and how that is shared between its clients."""

from enum import IntEnum

class Charge(IntEnum):
    NO_CHARGE = -1
    LIMITED_BY_WORKER = -2
    LIMITED_BY_SOURCE = -3

class SearchLimits:
    def __init__(self, key: bytes) -> None: ...
    def take(self, client: int, now_ms: int) -> int: ...
    def give_back(self, charge: int) -> None: ...
