from fastproxy.header_rules import HeaderRules
from fastproxy.model import TrafficLimits as Model
from fastproxy.stats import StatsLayout

class LocalRateLimit:
    status: int
    rules: tuple[HeaderRules, ...]
    def take(self, random: int, now_ms: int) -> str: ...

class TrafficLimits:
    model: Model
    local_rate_limit: LocalRateLimit | None
    max_request_bytes: int

class LimitMaker:
    def __init__(self, layout: StatsLayout, row: memoryview, first_row: memoryview) -> None: ...
    def ready(self, model: Model) -> TrafficLimits | None: ...
