"""When a request is sent again, compiled."""

from fastproxy import model_routes
from fastproxy.host_predicates import HostPredicates

class RetryPolicy:
    model: model_routes.RetryPolicy
    reasons: int
    retries: int
    per_try_timeout_ms: int
    per_try_idle_timeout_ms: int
    codes: frozenset[int]
    host_attempts: int
    predicates: HostPredicates | None
    def __init__(self, model: model_routes.RetryPolicy) -> None: ...
    def delay(self, retry: int, random: int) -> int: ...
    def stated_delay(self, head: bytes, epoch_s: int, random: int = 0) -> int | None: ...
    def asks_again(self, head: bytes) -> bool: ...

def reasons(words: bytes) -> int: ...
