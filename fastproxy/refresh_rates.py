"""When the names of a cluster are looked up again (Envoy: dns_refresh_rate and its kin in Cluster)."""

import random
from collections.abc import Callable

from fastproxy.model import Cluster

MIN_TTL_S = 1.0
"""Names are not asked for more often than that because of a time to live."""
MIN_RETRY_S = 0.001
"""What a random delay after a failure is at least."""


class RefreshRates:
    """Delays by names, from one answer to the next lookup; 0 for a name that was never asked for.

    `chance` gives a number from 0 up to, but not, 1.
    """

    def __init__(self, cluster: Cluster, chance: Callable[[], float] = random.random) -> None:
        self._cluster = cluster
        self._chance = chance
        self._delays_s: dict[str, float] = {}
        self._limits_s: dict[str, float] = {}  # of names that fail: within what the next delay is

    def delay_s(self, name: str) -> float:
        return self._delays_s.get(name, 0.0)

    def succeed(self, name: str, ttl_s: float | None) -> None:
        """As often as configured, or when the answer ends; a time to live of 0 says nothing about when to ask again."""
        cluster = self._cluster
        delay_s = cluster.dns_refresh_rate_s
        if cluster.respect_dns_ttl and ttl_s is not None:
            delay_s = max(MIN_TTL_S, ttl_s or delay_s)
        self._limits_s.pop(name, None)
        self._delays_s[name] = delay_s + self._chance() * cluster.dns_jitter_s

    def fail(self, name: str) -> None:
        """As often as configured, or with back-off: at random, within twice the time of the failure before."""
        rate = self._cluster.dns_failure_refresh_rate
        if rate is None:
            self._delays_s[name] = self._cluster.dns_refresh_rate_s
            return
        limit_s = self._limits_s.get(name, rate.base_s)
        self._limits_s[name] = min(2 * limit_s, rate.max_s)
        self._delays_s[name] = max(MIN_RETRY_S, self._chance() * limit_s)
