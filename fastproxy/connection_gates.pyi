from collections.abc import Sequence

from fastproxy.model import ConnectionLimit
from fastproxy.stats import StatsLayout

class ConnectionGate:
    model: ConnectionLimit
    def __init__(
        self, model: ConnectionLimit, layout: StatsLayout, row: memoryview, rows: Sequence[memoryview]
    ) -> None: ...
    def admit(self) -> bool: ...
    def release(self) -> None: ...
