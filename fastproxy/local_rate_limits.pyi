from fastproxy import model as models
from fastproxy.header_rules import HeaderRules
from fastproxy.keyed_buckets import KeyedBuckets
from fastproxy.stats import StatsLayout

class LimitBucket:
    model: models.TokenBucket
    per_second: float
    most: int

class LocalRateLimit:
    model: models.LocalRateLimit
    status: int
    rules: tuple[HeaderRules, ...]
    tells_clients: bool
    wants_cluster: bool
    def __init__(
        self,
        model: models.LocalRateLimit,
        layout: StatsLayout,
        row: memoryview,
        first_row: memoryview,
        keyed: KeyedBuckets,
        service_cluster: str = "",
    ) -> None: ...
    def take(self, random: int, now_ms: int) -> str: ...
