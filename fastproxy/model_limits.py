"""The parts of the model that say how much clients may ask for, and what they are told when it is too much.

A limit that is shared says at which `place` of the file it stands: requests that come by the same place share it, and
after a reload the place has what was left of it, if it says the same. A share is in millionths.
"""

from dataclasses import dataclass

from fastproxy.model_heads import HeaderValue


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """Full at first. So many tokens come each interval, one after the other; what overflows is lost."""

    max_tokens: int
    tokens_per_fill: int
    fill_interval_s: float


@dataclass(frozen=True, slots=True)
class LocalRateLimit:
    """Envoy's filter: each request takes a token, and one that finds none gets `status`. One bucket for all workers."""

    stat_prefix: str
    place: str
    bucket: TokenBucket
    status: int = 429
    enabled: int = 0
    enforced: int = 0
    response_add: tuple[HeaderValue, ...] = ()
    request_add: tuple[HeaderValue, ...] = ()
    """To a request that found no token and goes on, as the limit is not enforced."""
    tells_clients: bool = False
    """In `x-ratelimit-limit`, `-remaining` and `-reset` of every response."""


@dataclass(frozen=True, slots=True)
class TrafficLimits:
    """Of a connection manager or a route; 0 and None: no limit."""

    local_rate_limit: LocalRateLimit | None = None
    max_request_bytes: int = 0
    """Of a body; beyond it the answer is 413."""


NO_LIMITS = TrafficLimits()
