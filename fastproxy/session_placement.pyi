from collections.abc import Sequence

from fastproxy._sessions import SessionTable
from fastproxy.balancing import Balancer

class SessionPlacement:
    def __init__(self, rows: Sequence[memoryview], host_slots: Sequence[int], digests: Sequence[int]) -> None: ...
    def pick(self, balancer: Balancer, table: SessionTable) -> int: ...
