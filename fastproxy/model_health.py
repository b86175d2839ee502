"""How the health of hosts is found out, and what is known of one: a part of `model`, which hands all of it on."""

from dataclasses import dataclass
from enum import IntFlag

from fastproxy.model_balancing import Health, HealthStatus
from fastproxy.model_heads import HeaderValue
from fastproxy.model_listeners import Address
from fastproxy.model_routes import StringMatcher


class HealthFlag(IntFlag):
    """What speaks against a host, or is told of it: Envoy's flags, in its order and with its numbers."""

    FAILED_ACTIVE_HC = 0x1
    FAILED_OUTLIER_CHECK = 0x2
    FAILED_EDS_HEALTH = 0x4
    DEGRADED_ACTIVE_HC = 0x8
    DEGRADED_EDS_HEALTH = 0x10
    PENDING_DYNAMIC_REMOVAL = 0x20
    PENDING_ACTIVE_HC = 0x40
    EXCLUDED_VIA_IMMEDIATE_HC_FAIL = 0x80
    ACTIVE_HC_TIMEOUT = 0x100
    EDS_STATUS_DRAINING = 0x200


# Plain numbers: arithmetic on members of an enum takes a microsecond, and there may be a thousand hosts.
_FAILED = int(
    HealthFlag.FAILED_ACTIVE_HC
    | HealthFlag.FAILED_OUTLIER_CHECK
    | HealthFlag.FAILED_EDS_HEALTH
    | HealthFlag.EDS_STATUS_DRAINING
)
_DEGRADED = int(HealthFlag.DEGRADED_ACTIVE_HC | HealthFlag.DEGRADED_EDS_HEALTH)
_EXCLUDED = int(
    HealthFlag.PENDING_ACTIVE_HC | HealthFlag.EXCLUDED_VIA_IMMEDIATE_HC_FAIL | HealthFlag.EDS_STATUS_DRAINING
)
_OF_STATUS = {
    HealthStatus.UNHEALTHY: int(HealthFlag.FAILED_EDS_HEALTH),
    HealthStatus.TIMEOUT: int(HealthFlag.FAILED_EDS_HEALTH),
    HealthStatus.DRAINING: int(HealthFlag.EDS_STATUS_DRAINING),
    HealthStatus.DEGRADED: int(HealthFlag.DEGRADED_EDS_HEALTH),
}


def flags_of(status: HealthStatus) -> int:
    """The flags of what a file says of a host."""
    return _OF_STATUS.get(status, 0)


def health_of(flags: int) -> Health:
    """What a balancer makes of them: whatever says that a host fails outweighs all that says that it is degraded."""
    if flags & _FAILED:
        return Health.UNHEALTHY
    return Health.DEGRADED if flags & _DEGRADED else Health.HEALTHY


def is_excluded(flags: int) -> bool:
    """Whether the host does not count where the share of healthy ones is taken."""
    return bool(flags & _EXCLUDED)


def told(flags: int) -> str:
    """The flags as Envoy's admin writes them, or "healthy"."""
    return "".join(f"/{flag.name.lower()}" for flag in HealthFlag if flag & flags and flag.name) or "healthy"


StatusRange = tuple[int, int]
"""From the first on, and below the second."""


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """A request whose answer tells. `receive` are pieces of the body that have to come in this order."""

    path: str
    host: str = ""  # "": the cluster's name
    method: str = "GET"
    headers: tuple[HeaderValue, ...] = ()
    removed_headers: tuple[str, ...] = ()
    expected_statuses: tuple[StatusRange, ...] = ((200, 201),)
    retriable_statuses: tuple[StatusRange, ...] = ()
    service_name: StringMatcher | None = None
    send: bytes = b""
    receive: tuple[bytes, ...] = ()
    response_buffer_bytes: int = 1024


@dataclass(frozen=True, slots=True)
class TcpProbe:
    """A connection that can be made, and that answers `send` with these pieces, if there are any."""

    send: bytes = b""
    receive: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineIoProbe:
    """A handshake of Engine.IO by polling, whose session is closed again."""

    path: str = "/socket.io/"
    host: str = ""
    protocol: int = 4
    headers: tuple[HeaderValue, ...] = ()


Probe = HttpProbe | TcpProbe | EngineIoProbe


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """Active checks of the hosts of a cluster."""

    probe: Probe
    timeout_s: float
    interval_s: float
    unhealthy_threshold: int
    healthy_threshold: int
    no_traffic_interval_s: float
    no_traffic_healthy_interval_s: float
    unhealthy_interval_s: float
    unhealthy_edge_interval_s: float
    healthy_edge_interval_s: float
    initial_jitter_s: float = 0.0
    interval_jitter_s: float = 0.0
    interval_jitter_percent: int = 0
    reuse_connection: bool = True
    alt_port: int = 0
    event_log_path: str = ""
    always_log_failures: bool = False
    always_log_successes: bool = False


@dataclass(frozen=True, slots=True)
class HostCheck:
    """What is different about the checks of one host; 0, "" and None leave things as they are."""

    port: int = 0
    hostname: str = ""
    address: Address | None = None
    is_disabled: bool = False


AS_THE_CLUSTER = HostCheck()
"""Nothing is different."""


@dataclass(frozen=True, slots=True)
class OutlierDetection:
    """When a host that answers badly is left out for a while. Percentages of `enforcing` are of the ejections that are
    due; `stdev_factor` is in thousandths."""

    interval_s: float = 10.0
    base_ejection_time_s: float = 30.0
    max_ejection_time_s: float = 300.0
    max_ejection_time_jitter_s: float = 0.0
    max_ejection_percent: int = 10
    always_eject_one_host: bool = False
    consecutive_5xx: int = 5
    consecutive_gateway_failure: int = 5
    consecutive_local_origin_failure: int = 5
    enforcing_consecutive_5xx: int = 100
    enforcing_consecutive_gateway_failure: int = 0
    enforcing_consecutive_local_origin_failure: int = 100
    enforcing_success_rate: int = 100
    enforcing_local_origin_success_rate: int = 100
    success_rate_minimum_hosts: int = 5
    success_rate_request_volume: int = 100
    success_rate_stdev_factor: int = 1900
    enforcing_failure_percentage: int = 0
    enforcing_failure_percentage_local_origin: int = 0
    failure_percentage_threshold: int = 85
    failure_percentage_minimum_hosts: int = 5
    failure_percentage_request_volume: int = 50
    split_external_local_origin_errors: bool = False
    successful_active_health_check_uneject_host: bool = True
    event_log_path: str = ""
