from collections.abc import Sequence

from fastproxy.model import Configuration, TimerType
from fastproxy.stats import StatsLayout

class Overload:
    max_fds: int
    other_fds: int
    scarce_at: int
    full_at: int
    def __init__(self, view: memoryview | None = None, max_fds: int | None = None) -> None: ...
    def configure(
        self,
        configuration: Configuration,
        layout: StatsLayout,
        rows: Sequence[memoryview],
        own: memoryview | None = None,
    ) -> None: ...
    def measure(self, open_count: int) -> None: ...
    def shrink(self) -> None: ...

def actions() -> list[int]: ...
def points() -> list[int]: ...
def reduced(overload: Overload, timer: TimerType, timeout_ms: int) -> int: ...
