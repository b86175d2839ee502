"""The parts of the model that say how much clients may ask for, and what they are told when it is too much.

A limit that is shared says at which `place` of the file it stands: requests that come by the same place share it, and
after a reload the place has what was left of it, if it says the same. A share is in millionths.
"""

from dataclasses import dataclass

from fastproxy.model_affinity import IdPlace
from fastproxy.model_descriptors import DescriptorRule
from fastproxy.model_heads import HeaderValue


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """Full at first. So many tokens come each interval, one after the other; what overflows is lost."""

    max_tokens: int
    tokens_per_fill: int
    fill_interval_s: float


@dataclass(frozen=True, slots=True)
class DescriptorLimit:
    """The bucket of a descriptor: of one whose entries are these, and where a value is empty, of each one by itself."""

    entries: tuple[tuple[str, str], ...]
    bucket: TokenBucket
    is_shadow: bool = False
    """Who finds it empty is counted and goes on."""

    @property
    def is_wildcard(self) -> bool:
        return not all(value for _, value in self.entries)


@dataclass(frozen=True, slots=True)
class LocalRateLimit:
    """Envoy's filter: each request takes a token, and one that finds none gets `status`.

    It takes from the buckets of its descriptors first, the slowest before the others, then from `bucket`.
    """

    stat_prefix: str
    place: str
    bucket: TokenBucket | None
    status: int = 429
    enabled: int = 0
    enforced: int = 0
    response_add: tuple[HeaderValue, ...] = ()
    request_add: tuple[HeaderValue, ...] = ()
    """To a request that found no token and goes on, as the limit is not enforced."""
    tells_clients: bool = False
    """In `x-ratelimit-limit`, `-remaining` and `-reset` of every response."""
    descriptors: tuple[DescriptorLimit, ...] = ()
    rules: tuple[DescriptorRule, ...] = ()
    """What makes descriptors of requests; none where there are no `descriptors`."""
    always_takes_default: bool = True
    """From `bucket`, where the request has descriptors too."""
    per_connection: bool = False
    """Each connection has buckets of its own; otherwise all connections of all workers share them."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second, and as many as `burst` at once. Shared by all that come by the same `place` of the file."""

    place: str
    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class TunnelLimits:
    """Of what the client of a WebSocket sends; 0: no limit."""

    messages_per_second: float = 0
    message_burst: int = 0
    bytes_per_second: float = 0
    byte_burst: int = 0
    max_message_bytes: int = 0
    closes: bool = False
    """Who is too fast is closed with 1008; otherwise it is not read for a while."""


@dataclass(frozen=True, slots=True)
class ConcurrentTunnels:
    """So many at once of those with the same key: the client's address, or what stands in the request at `key`."""

    place: str
    most: int
    key: IdPlace | None = None


@dataclass(frozen=True, slots=True)
class ConnectionLimit:
    """Envoy's network filter: so many connections at once by its filter chain; one more is closed after `delay_s`."""

    stat_prefix: str
    max_connections: int
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class TrafficLimits:
    """Of a connection manager or a route; 0 and None: no limit."""

    local_rate_limit: LocalRateLimit | None = None
    max_request_bytes: int = 0
    """Of a body; beyond it the answer is 413."""
    max_url_bytes: int = 0
    """Of path and query; beyond it the answer is 414."""
    handshakes: Rate | None = None
    """Of new Engine.IO sessions; beyond it the answer is 429, while sessions that are known go on."""
    handshakes_per_address: Rate | None = None
    tunnels: TunnelLimits | None = None
    concurrent_tunnels: ConcurrentTunnels | None = None
    """Beyond it a WebSocket's handshake is answered with 429."""


NO_LIMITS = TrafficLimits()
