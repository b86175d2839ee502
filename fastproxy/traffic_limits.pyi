from collections.abc import Sequence

from fastproxy.connection_gates import ConnectionGate
from fastproxy.limit_tables import LimitTables
from fastproxy.local_rate_limits import LocalRateLimit
from fastproxy.model import ConnectionLimit
from fastproxy.model import TrafficLimits as Model
from fastproxy.stats import StatsLayout

class TrafficLimits:
    model: Model
    local_rate_limit: LocalRateLimit | None
    max_request_bytes: int
    max_url_bytes: int

class LimitMaker:
    service_cluster: str
    def __init__(
        self,
        layout: StatsLayout,
        row: memoryview,
        rows: Sequence[memoryview],
        tables: LimitTables | None = None,
    ) -> None: ...
    def gate(self, model: ConnectionLimit | None) -> ConnectionGate | None: ...
    def ready(self, model: Model) -> TrafficLimits | None: ...
