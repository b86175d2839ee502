"""Clusters and hosts in the model. See `model`.

Imports no other module of ours but the parts of the model below it.
"""

from dataclasses import dataclass, field
from enum import Enum

from fastproxy.model_balancing import (
    HashingConfig,
    HashPolicy,
    Health,
    HealthConfig,
    HealthStatus,
    LbPolicy,
    LeastRequestConfig,
    Locality,
    LocalityWeight,
    RingHashConfig,
)
from fastproxy.model_dns import DnsLookupFamily, DnsResolution, RefreshRate
from fastproxy.model_health import (
    AS_THE_CLUSTER,
    HealthCheck,
    HostCheck,
    OutlierDetection,
    flags_of,
    health_of,
    is_excluded,
)
from fastproxy.model_listeners import Address


class ClusterType(Enum):
    STATIC = "STATIC"
    STRICT_DNS = "STRICT_DNS"
    LOGICAL_DNS = "LOGICAL_DNS"


DEFAULT_BUFFER_LIMIT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Host:
    """One upstream host. `hash_key` overrides the address as its name on the ring; `priority` 0 comes first.

    `slot` is where its counters are among those of the cluster; -1 means: at its place in `Cluster.hosts`. The host set
    of a DNS cluster changes, and a host that stays must go on counting where it did, in every worker.
    `health_status` is what the file says, `found_flags` what checks and outlier detection have found. `labels` are its
    metadata for load balancing: (key, values as canonical JSON), where several stand for any of them.
    """

    address: Address
    weight: int = 1
    hostname: str = ""
    hash_key: str = ""
    priority: int = 0
    locality: Locality = Locality()
    health_status: HealthStatus = HealthStatus.UNKNOWN
    slot: int = field(default=-1, compare=False)
    check: HostCheck = AS_THE_CLUSTER
    found_flags: int = 0  # HealthFlag bits
    labels: tuple[tuple[str, tuple[str, ...]], ...] = ()
    is_canary: bool = False

    @property
    def flags(self) -> int:
        """All HealthFlag bits of it."""
        return flags_of(self.health_status) | self.found_flags

    @property
    def health(self) -> Health:
        return health_of(self.flags)

    @property
    def is_excluded(self) -> bool:
        """Whether the share of healthy hosts is taken of the others."""
        return is_excluded(self.flags)


UNLIMITED = 2**32 - 1
"""A threshold that nothing reaches."""


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """Retries may be `budget_percent` of the requests under way and waiting, and in any case so many."""

    budget_percent: float = 20.0
    min_retry_concurrency: int = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Circuit breakers of one priority: the most that there is at a time, in all workers together.

    `max_connections_per_host` is for each host and worker, as Envoy's `per_host_thresholds`. With a `retry_budget`
    `max_retries` counts for nothing.
    """

    max_connections: int = UNLIMITED
    max_pending_requests: int = UNLIMITED
    max_requests: int = UNLIMITED
    max_retries: int = 3
    max_connections_per_host: int = UNLIMITED
    retry_budget: RetryBudget | None = None
    track_remaining: bool = False  # `/stats` says how much is left of each


@dataclass(frozen=True, slots=True)
class CircuitBreakers:
    """The thresholds of both priorities."""

    default: Thresholds = Thresholds()
    high: Thresholds = Thresholds()


@dataclass(frozen=True, slots=True)
class TcpKeepalive:
    """When the kernel asks a silent peer whether it is there (tcp(7)); 0: as the system has it."""

    probes: int = 0
    time_s: int = 0
    interval_s: int = 0


@dataclass(frozen=True, slots=True)
class Cluster:
    name: str
    type: ClusterType = ClusterType.STATIC
    connect_timeout_s: float = 5.0
    lb_policy: LbPolicy = LbPolicy.ROUND_ROBIN
    hosts: tuple[Host, ...] = ()
    ring_hash: RingHashConfig = RingHashConfig()
    maglev_table_size: int = 65537
    least_request: LeastRequestConfig = LeastRequestConfig()
    hashing: HashingConfig = HashingConfig()
    health: HealthConfig = HealthConfig()
    health_check: HealthCheck | None = None
    outlier_detection: OutlierDetection | None = None
    ignore_health_on_host_removal: bool = False  # else a host that DNS has no longer stays while checks find it healthy
    ignore_new_hosts_until_first_hc: bool = False
    close_connections_on_host_health_failure: bool = False  # those of TCP proxies
    update_merge_window_s: float = 1.0  # in which changes of health are told to the workers once; 0: each at once
    locality_weights: tuple[LocalityWeight, ...] | None = None  # None: localities share nothing out
    hash_policies: tuple[HashPolicy, ...] = ()  # of the balancer: instead of the route's
    circuit_breakers: CircuitBreakers = CircuitBreakers()
    dns_lookup_family: DnsLookupFamily = DnsLookupFamily.AUTO
    dns_refresh_rate_s: float = 5.0
    dns_failure_refresh_rate: RefreshRate | None = None  # None: as without failures
    dns_jitter_s: float = 0.0  # at most; added at random to the time between answers
    respect_dns_ttl: bool = False
    dns_resolution: DnsResolution = DnsResolution()
    wait_for_warm_on_init: bool = True
    idle_timeout_s: float | None = 3600.0
    max_requests_per_connection: int = 0  # 0: unlimited
    max_connection_duration_s: float | None = None  # of an upstream connection
    tcp_keepalive: TcpKeepalive | None = None  # None: connections are not probed
    per_connection_buffer_limit_bytes: int = DEFAULT_BUFFER_LIMIT_BYTES
    alt_stat_name: str = ""

    @property
    def stat_name(self) -> str:
        """Its name in `cluster.<stat_name>.`."""
        return self.alt_stat_name or self.name
