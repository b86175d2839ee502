"""The configuration as fastproxy acts on it: frozen, complete, every default filled in.

Built by `config`, read by everything else. Imports nothing of ours but its own parts and does no input or output.
The nouns are Envoy's; durations are seconds, `None` means "no limit".
"""

from dataclasses import dataclass
from enum import Enum

from fastproxy.model_affinity import DEFAULT_AFFINITY as DEFAULT_AFFINITY
from fastproxy.model_affinity import SessionAffinity as SessionAffinity
from fastproxy.model_balancing import CookieHashPolicy as CookieHashPolicy
from fastproxy.model_balancing import FilterStateHashPolicy as FilterStateHashPolicy
from fastproxy.model_balancing import FilterStateValue as FilterStateValue
from fastproxy.model_balancing import HashFunction as HashFunction
from fastproxy.model_balancing import HashingConfig as HashingConfig
from fastproxy.model_balancing import HashPolicy as HashPolicy
from fastproxy.model_balancing import HeaderHashPolicy as HeaderHashPolicy
from fastproxy.model_balancing import Health as Health
from fastproxy.model_balancing import HealthConfig as HealthConfig
from fastproxy.model_balancing import HealthStatus as HealthStatus
from fastproxy.model_balancing import LbPolicy as LbPolicy
from fastproxy.model_balancing import LeastRequestConfig as LeastRequestConfig
from fastproxy.model_balancing import Locality as Locality
from fastproxy.model_balancing import LocalityWeight as LocalityWeight
from fastproxy.model_balancing import QueryParameterHashPolicy as QueryParameterHashPolicy
from fastproxy.model_balancing import RingHashConfig as RingHashConfig
from fastproxy.model_balancing import SourceIpHashPolicy as SourceIpHashPolicy
from fastproxy.model_clusters import DEFAULT_BUFFER_LIMIT_BYTES as DEFAULT_BUFFER_LIMIT_BYTES
from fastproxy.model_clusters import UNLIMITED as UNLIMITED
from fastproxy.model_clusters import CircuitBreakers as CircuitBreakers
from fastproxy.model_clusters import Cluster as Cluster
from fastproxy.model_clusters import ClusterType as ClusterType
from fastproxy.model_clusters import Host as Host
from fastproxy.model_clusters import RetryBudget as RetryBudget
from fastproxy.model_clusters import Thresholds as Thresholds
from fastproxy.model_dns import DnsLookupFamily as DnsLookupFamily
from fastproxy.model_dns import DnsResolution as DnsResolution
from fastproxy.model_dns import RefreshRate as RefreshRate
from fastproxy.model_heads import AppendAction as AppendAction
from fastproxy.model_heads import HeaderKeyFormat as HeaderKeyFormat
from fastproxy.model_heads import HeaderRules as HeaderRules
from fastproxy.model_heads import HeadersWithUnderscoresAction as HeadersWithUnderscoresAction
from fastproxy.model_heads import HeaderValue as HeaderValue
from fastproxy.model_heads import IpDetection as IpDetection
from fastproxy.model_heads import ServerHeaderTransformation as ServerHeaderTransformation
from fastproxy.model_health import EngineIoProbe as EngineIoProbe
from fastproxy.model_health import HealthCheck as HealthCheck
from fastproxy.model_health import HealthFlag as HealthFlag
from fastproxy.model_health import HostCheck as HostCheck
from fastproxy.model_health import HttpProbe as HttpProbe
from fastproxy.model_health import OutlierDetection as OutlierDetection
from fastproxy.model_health import Probe as Probe
from fastproxy.model_health import TcpProbe as TcpProbe
from fastproxy.model_limits import NO_LIMITS as NO_LIMITS
from fastproxy.model_limits import ConcurrentTunnels as ConcurrentTunnels
from fastproxy.model_limits import ConnectionLimit as ConnectionLimit
from fastproxy.model_limits import DescriptorLimit as DescriptorLimit
from fastproxy.model_limits import LocalRateLimit as LocalRateLimit
from fastproxy.model_limits import Rate as Rate
from fastproxy.model_limits import TokenBucket as TokenBucket
from fastproxy.model_limits import TrafficLimits as TrafficLimits
from fastproxy.model_limits import TunnelLimits as TunnelLimits
from fastproxy.model_listeners import EVERY_CONNECTION as EVERY_CONNECTION
from fastproxy.model_listeners import Address as Address
from fastproxy.model_listeners import FilterChainMatch as FilterChainMatch
from fastproxy.model_listeners import SocketOption as SocketOption
from fastproxy.model_listeners import SourceType as SourceType
from fastproxy.model_listeners import TcpCluster as TcpCluster
from fastproxy.model_listeners import TcpProxy as TcpProxy
from fastproxy.model_listeners import TcpRoute as TcpRoute
from fastproxy.model_logs import DEFAULT_ACCESS_LOG_FORMAT as DEFAULT_ACCESS_LOG_FORMAT
from fastproxy.model_logs import MAX_ACCESS_LOGS as MAX_ACCESS_LOGS
from fastproxy.model_logs import AccessLog as AccessLog
from fastproxy.model_logs import LogCondition as LogCondition
from fastproxy.model_logs import LogFilter as LogFilter
from fastproxy.model_logs import LogOperator as LogOperator
from fastproxy.model_overload import NO_OVERLOAD_MANAGER as NO_OVERLOAD_MANAGER
from fastproxy.model_overload import LoadShedPoint as LoadShedPoint
from fastproxy.model_overload import OverloadAction as OverloadAction
from fastproxy.model_overload import OverloadManager as OverloadManager
from fastproxy.model_overload import OverloadTrigger as OverloadTrigger
from fastproxy.model_overload import ResourceKind as ResourceKind
from fastproxy.model_overload import ResourceMonitor as ResourceMonitor
from fastproxy.model_overload import ScaledTimer as ScaledTimer
from fastproxy.model_overload import TimerType as TimerType
from fastproxy.model_overload import TriggeredAction as TriggeredAction
from fastproxy.model_routes import Route as Route
from fastproxy.model_routes import RouteConfiguration as RouteConfiguration
from fastproxy.model_routes import RouteMatch as RouteMatch
from fastproxy.model_routes import RoutingPriority as RoutingPriority
from fastproxy.model_routes import VirtualHost as VirtualHost

MAX_HEADER_RULES = 64  # additions, and header values that these name, of one level and direction
MAX_REQUEST_HEADERS = 512  # that the data plane takes, whatever `max_headers_count` says


@dataclass(frozen=True, slots=True)
class ReplyBody:
    """A format for the bodies of local replies: text, or JSON whose texts are formats."""

    template: str
    is_json: bool = False
    content_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class ReplyMapper:
    """What becomes of the local replies that `filter` admits; 0 and None leave things as they are."""

    filter: LogFilter
    status: int = 0
    body: bytes | None = None
    format: ReplyBody | None = None
    headers: tuple[HeaderValue, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalReplies:
    """The first mapper for a reply counts; `format` is for all that have none of their own."""

    mappers: tuple[ReplyMapper, ...] = ()
    format: ReplyBody | None = None


@dataclass(frozen=True, slots=True)
class Departures:
    """Where fastproxy knows better than a literal reading of the file; each can be turned off.

    See docs/envoy-compatibility.md. Set by the `fastproxy` entry of the HTTP filters.
    """

    polls_outlive_default_timeout: bool = True
    """A route timeout that the file does not set never ends an Engine.IO poll."""
    connect_failover: bool = True
    """A connect that fails goes on to the next host, once per remaining host."""


class EscapedSlashesAction(Enum):
    """What is done about `%2F` and `%5C` in a path."""

    KEEP_UNCHANGED = "KEEP_UNCHANGED"
    REJECT_REQUEST = "REJECT_REQUEST"
    UNESCAPE_AND_REDIRECT = "UNESCAPE_AND_REDIRECT"
    UNESCAPE_AND_FORWARD = "UNESCAPE_AND_FORWARD"


class StripPort(Enum):
    NONE = "NONE"
    MATCHING = "MATCHING"  # that of the listener
    ANY = "ANY"


@dataclass(frozen=True, slots=True)
class Normalization:
    """What is made of a request's path and authority before anything looks at them."""

    normalize_path: bool = False
    merge_slashes: bool = False
    escaped_slashes: EscapedSlashesAction = EscapedSlashesAction.KEEP_UNCHANGED
    strip_port: StripPort = StripPort.NONE
    strip_trailing_host_dot: bool = False


NO_NORMALIZATION = Normalization()


@dataclass(frozen=True, slots=True)
class HttpConnectionManager:
    stat_prefix: str
    route_config: RouteConfiguration
    access_logs: tuple[AccessLog, ...] = ()
    server_name: str = "envoy"
    service_cluster: str = ""
    service_node: str = ""
    add_user_agent: bool = False
    use_remote_address: bool = False
    skip_xff_append: bool = False
    xff_num_trusted_hops: int = 0
    internal_addresses: tuple[str, ...] = ()  # CIDR ranges: who is asked by one of them alone is internal
    original_ip_detection: tuple[IpDetection, ...] = ()
    append_x_forwarded_port: bool = False
    scheme_to_overwrite: str = ""
    via: str = ""
    generate_request_id: bool = True
    preserve_external_request_id: bool = False
    always_set_request_id_in_response: bool = False
    forward_client_cert: bool = False  # without TLS nothing but ALWAYS_FORWARD_ONLY keeps x-forwarded-client-cert
    server_header_transformation: ServerHeaderTransformation = ServerHeaderTransformation.OVERWRITE
    headers_with_underscores_action: HeadersWithUnderscoresAction = HeadersWithUnderscoresAction.ALLOW
    header_key_format: HeaderKeyFormat = HeaderKeyFormat.LOWER_CASE
    suppress_envoy_headers: bool = False
    stream_error_on_invalid_http_message: bool = False
    idle_timeout_s: float | None = 3600.0
    stream_idle_timeout_s: float | None = 300.0
    request_timeout_s: float | None = None
    request_headers_timeout_s: float | None = None
    drain_timeout_s: float = 5.0
    delayed_close_timeout_s: float = 1.0
    max_connection_duration_s: float | None = None
    max_stream_duration_s: float | None = None
    max_requests_per_connection: int = 0  # 0: unlimited
    max_request_headers_kb: int = 60
    max_headers_count: int = 100
    accept_http_10: bool = False
    proxy_100_continue: bool = False
    default_host_for_http_10: str = ""
    allow_absolute_url: bool = True
    normalization: Normalization = NO_NORMALIZATION
    departures: Departures = Departures()
    affinity: SessionAffinity = DEFAULT_AFFINITY
    local_replies: LocalReplies | None = None
    filter_state: tuple[FilterStateValue, ...] = ()
    limits: TrafficLimits = NO_LIMITS
    max_connections_per_address: int = 0  # 0: no limit
    connection_limit: ConnectionLimit | None = None


Filter = HttpConnectionManager | TcpProxy


@dataclass(frozen=True, slots=True)
class FilterChain:
    """What is done with the connections that `match` takes; without a filter they are closed."""

    filter: Filter | None
    match: FilterChainMatch = EVERY_CONNECTION
    name: str = ""


@dataclass(frozen=True, slots=True)
class Listener:
    """`filter_chains` are chosen by their matches; a connection that none takes gets `filter`, or is closed."""

    name: str
    address: Address
    filter: Filter | None
    bind_to_port: bool = True
    tcp_backlog_size: int = 4096
    per_connection_buffer_limit_bytes: int = DEFAULT_BUFFER_LIMIT_BYTES
    filter_chains: tuple[FilterChain, ...] = ()
    additional_addresses: tuple[Address, ...] = ()
    ipv4_compat: bool = False
    enable_reuse_port: bool = True
    freebind: bool = False
    transparent: bool = False
    socket_options: tuple[SocketOption, ...] = ()
    stat_prefix: str = ""

    @property
    def filters(self) -> tuple[Filter, ...]:
        """All there are, those of the filter chains first."""
        found = (*(chain.filter for chain in self.filter_chains), self.filter)
        return tuple(one for one in found if one is not None)

    @property
    def managers(self) -> tuple[HttpConnectionManager, ...]:
        return tuple(one for one in self.filters if isinstance(one, HttpConnectionManager))

    @property
    def manager(self) -> HttpConnectionManager:
        """The first connection manager; IndexError where there is none."""
        return self.managers[0]

    @property
    def tcp_proxies(self) -> tuple[TcpProxy, ...]:
        return tuple(one for one in self.filters if isinstance(one, TcpProxy))


DEFAULT_SESSION_TABLE_SLOTS = 1 << 20


@dataclass(frozen=True, slots=True)
class Admin:
    address: Address
    access_log_path: str = "/dev/null"


@dataclass(frozen=True, slots=True)
class Configuration:
    """One configuration file, whole. Names are unique; every cluster that a route names exists."""

    listeners: tuple[Listener, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    admin: Admin | None = None
    session_table_slots: int = DEFAULT_SESSION_TABLE_SLOTS
    overload: OverloadManager = NO_OVERLOAD_MANAGER

    def cluster(self, name: str) -> Cluster:
        """The cluster of that name; KeyError when there is none."""
        for cluster in self.clusters:
            if cluster.name == name:
                return cluster
        raise KeyError(name)
