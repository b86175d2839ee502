"""How a cluster's hosts share its requests, as configured: a part of `model`, which hands all of it on."""

from dataclasses import dataclass
from enum import Enum


class LbPolicy(Enum):
    ROUND_ROBIN = "ROUND_ROBIN"
    RANDOM = "RANDOM"
    LEAST_REQUEST = "LEAST_REQUEST"
    RING_HASH = "RING_HASH"
    MAGLEV = "MAGLEV"

    @property
    def hashes(self) -> bool:
        """Whether equal hashes go to the same host."""
        return self in (LbPolicy.RING_HASH, LbPolicy.MAGLEV)


class HashFunction(Enum):
    XX_HASH = "XX_HASH"
    MURMUR_HASH_2 = "MURMUR_HASH_2"


class HealthStatus(Enum):
    """What is said of a host (Envoy: core.v3.HealthStatus)."""

    UNKNOWN = "UNKNOWN"
    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"
    DRAINING = "DRAINING"
    TIMEOUT = "TIMEOUT"
    DEGRADED = "DEGRADED"

    @property
    def health(self) -> "Health":
        """What a balancer makes of it: nothing said counts as healthy."""
        if self is HealthStatus.DEGRADED:
            return Health.DEGRADED
        return Health.HEALTHY if self in (HealthStatus.UNKNOWN, HealthStatus.HEALTHY) else Health.UNHEALTHY


class Health(Enum):
    """Whether a host takes requests: always, when there are too few healthy ones, or only in a panic."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True, order=True)
class Locality:
    """Where hosts stand. The order is Envoy's: region, zone, sub_zone."""

    region: str = ""
    zone: str = ""
    sub_zone: str = ""


@dataclass(frozen=True, slots=True)
class LocalityWeight:
    """The share of one locality among those of a priority."""

    priority: int
    locality: Locality
    weight: int


@dataclass(frozen=True, slots=True)
class RingHashConfig:
    minimum_ring_size: int = 1024
    maximum_ring_size: int = 8 * 1024 * 1024
    hash_function: HashFunction = HashFunction.XX_HASH


@dataclass(frozen=True, slots=True)
class LeastRequestConfig:
    """Hosts of equal weight: the best of `choice_count` lots, or of all. Else `active_request_bias` is the power
    to which requests under way count against a host's weight."""

    choice_count: int = 2
    active_request_bias: float = 1.0
    full_scan: bool = False


@dataclass(frozen=True, slots=True)
class HashingConfig:
    """What ring_hash and maglev have in common. `hash_balance_factor` 0: any load is borne."""

    hash_balance_factor: int = 0
    use_hostname_for_hashing: bool = False


@dataclass(frozen=True, slots=True)
class HealthConfig:
    """Which hosts count when some are not healthy; per cent. Without healthy hosts: see `host_sets`."""

    panic_threshold: int = 50
    overprovisioning_factor: int = 140
    fail_traffic_on_panic: bool = False
    weighted_priority_health: bool = False


@dataclass(frozen=True, slots=True)
class HeaderHashPolicy:
    """Hash every line of a request header; `header_name` is lower case, `:path` and the like included.

    With a `regex` every match in a line is replaced by `substitution` first.
    """

    header_name: str
    terminal: bool = False
    regex: str | None = None
    substitution: str = ""


@dataclass(frozen=True, slots=True)
class CookieHashPolicy:
    """Hash a cookie; one that is missing is made where `ttl_s` is set, 0 for the length of a browser's session."""

    name: str
    terminal: bool = False
    ttl_s: float | None = None
    path: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class QueryParameterHashPolicy:
    name: str
    terminal: bool = False


@dataclass(frozen=True, slots=True)
class SourceIpHashPolicy:
    terminal: bool = False


@dataclass(frozen=True, slots=True)
class FilterStateHashPolicy:
    """Hash an object that a filter has left."""

    key: str
    terminal: bool = False


@dataclass(frozen=True, slots=True)
class FilterStateValue:
    """A text that a filter leaves of each request; `format` is that of access logs."""

    key: str
    format: str
    is_hashable: bool = False
    omit_empty_values: bool = False
    read_only: bool = False
    skip_if_empty: bool = False


HashPolicy = HeaderHashPolicy | CookieHashPolicy | QueryParameterHashPolicy | SourceIpHashPolicy | FilterStateHashPolicy
