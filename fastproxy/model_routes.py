"""The parts of a route in the model: what a request is compared with, and what is done with it. See `model`.

Imports no other module of ours but other parts of the model. A share is in millionths: a request takes part when its
draw is below it.
"""

from dataclasses import dataclass
from enum import Enum

from fastproxy.model_affinity import SessionAffinity
from fastproxy.model_balancing import HashPolicy
from fastproxy.model_heads import AppendAction as AppendAction
from fastproxy.model_heads import HeaderRules as HeaderRules
from fastproxy.model_heads import HeaderValue as HeaderValue
from fastproxy.model_limits import TrafficLimits
from fastproxy.model_matching import CookieMatcher as CookieMatcher
from fastproxy.model_matching import HeaderMatcher as HeaderMatcher
from fastproxy.model_matching import QueryParameterMatcher as QueryParameterMatcher
from fastproxy.model_matching import StringMatch as StringMatch
from fastproxy.model_matching import StringMatcher as StringMatcher

WHOLE = 1_000_000


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """One of `prefix`, `path`, `separated_prefix`, `regex` and `template` is set; the conditions hold all of them.

    `prefix` is compared with path and query, everything else with the path alone.
    """

    prefix: str | None = None
    path: str | None = None
    regex: str | None = None
    case_sensitive: bool = True
    separated_prefix: str | None = None
    template: str | None = None
    headers: tuple[HeaderMatcher, ...] = ()
    query_parameters: tuple[QueryParameterMatcher, ...] = ()
    cookies: tuple[CookieMatcher, ...] = ()
    share: int = WHOLE
    grpc: bool = False


@dataclass(frozen=True, slots=True)
class RegexRewrite:
    """Every match of `pattern` becomes `substitution`, in which `\\1` stands for the first group."""

    pattern: str
    substitution: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """The parts of the URL that are replaced; an empty one stays what it was. At most one of the three paths is set."""

    status: int = 301
    scheme: str = ""
    host: str = ""
    port: int = 0
    path: str = ""
    prefix_rewrite: str = ""
    regex_rewrite: RegexRewrite | None = None
    strip_query: bool = False


@dataclass(frozen=True, slots=True)
class DirectResponse:
    status: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class WeightedCluster:
    """One of several clusters: `name`, or the request header that holds the name."""

    weight: int
    name: str = ""
    cluster_header: str = ""
    host_rewrite: str = ""
    header_rules: HeaderRules | None = None


@dataclass(frozen=True, slots=True)
class WeightedClusters:
    """By the number in the header `header_name`, or by the hash of the route's policies, or else by lot."""

    clusters: tuple[WeightedCluster, ...]
    header_name: str = ""
    use_hash_policy: bool = False


@dataclass(frozen=True, slots=True)
class MirrorPolicy:
    """A share of the requests is sent to a second cluster as well, whose answers nobody sees."""

    cluster: str
    share: int = WHOLE
    appends_shadow: bool = True  # `-shadow` behind the host
    host_rewrite: str = ""


@dataclass(frozen=True, slots=True)
class CorsPolicy:
    """What pages of other origins may do. None: said by nobody, which leaves the header out."""

    origins: tuple[StringMatcher, ...] = ()
    allow_methods: str = ""
    allow_headers: str = ""
    expose_headers: str = ""
    max_age: str = ""
    allow_credentials: bool = False
    allow_private_network_access: bool = False
    forward_not_matching_preflights: bool = True
    enabled: int = WHOLE
    shadow_enabled: int = 0


class ResetFormat(Enum):
    SECONDS = "SECONDS"  # from now on
    UNIX_TIMESTAMP = "UNIX_TIMESTAMP"


@dataclass(frozen=True, slots=True)
class ResetHeader:
    """A response header, in lower case, that says when its sender takes requests again."""

    name: str
    format: ResetFormat = ResetFormat.SECONDS


@dataclass(frozen=True, slots=True)
class OriginPolicy:
    """Whose pages may use a route. `origins` are in lower case and without the port of their scheme.

    Each is one origin (`https://a.example`, `null`), all below a name (`https://*.a.example`), `same` for that of the
    host that the request names, or `*` for any.
    """

    origins: tuple[str, ...]
    is_required: bool = False  # a WebSocket handshake has to name one


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a request is sent again. `retry_on` are Envoy's words, those that do not exist left out.

    A host that a predicate rejects is chosen anew `host_selection_retry_max_attempts` times. `omitted_labels` are sets
    of labels, of which a host must not have all of one; a value is canonical JSON.
    """

    retry_on: tuple[str, ...] = ()
    num_retries: int = 1
    per_try_timeout_s: float | None = None
    per_try_idle_timeout_s: float | None = None
    retriable_status_codes: tuple[int, ...] = ()
    back_off_base_s: float = 0.025
    back_off_max_s: float = 0.25
    host_selection_retry_max_attempts: int = 1
    avoids_previous_hosts: bool = False
    reset_headers: tuple[ResetHeader, ...] = ()
    reset_max_s: float = 300.0
    retriable_headers: tuple[HeaderMatcher, ...] = ()  # one that holds for the response is enough
    retriable_request_headers: tuple[HeaderMatcher, ...] = ()  # or for the request; none: any request
    omits_canary_hosts: bool = False
    omitted_labels: tuple[tuple[tuple[str, str], ...], ...] = ()
    priority_update_frequency: int = 0  # after so many tries their priorities are left out; 0: never


class RequireTls(Enum):
    NONE = "NONE"
    EXTERNAL_ONLY = "EXTERNAL_ONLY"
    ALL = "ALL"


class RoutingPriority(Enum):
    """Which circuit breakers of its cluster, and which of a host's kept connections, a route's requests have."""

    DEFAULT = "DEFAULT"
    HIGH = "HIGH"


@dataclass(frozen=True, slots=True)
class Route:
    """Exactly one of `cluster`, `cluster_header`, `weighted_clusters`, `redirect` and `direct_response` is set."""

    match: RouteMatch
    cluster: str = ""
    name: str = ""
    stat_prefix: str = ""  # in the names of its counters, in place of `name`
    timeout_s: float | None = 15.0
    timeout_is_set: bool = False  # the file says so; a default must not end an Engine.IO poll
    hash_policies: tuple[HashPolicy, ...] = ()
    allow_websocket: bool = False
    priority: RoutingPriority = RoutingPriority.DEFAULT
    prefix_rewrite: str = ""
    host_rewrite: str = ""
    cluster_header: str = ""
    weighted_clusters: WeightedClusters | None = None
    missing_cluster_status: int = 503
    redirect: Redirect | None = None
    direct_response: DirectResponse | None = None
    regex_rewrite: RegexRewrite | None = None
    host_rewrite_header: str = ""
    host_rewrite_path_regex: RegexRewrite | None = None
    auto_host_rewrite: bool = False
    append_x_forwarded_host: bool = False
    idle_timeout_s: float | None = None  # None: that of the connection manager; 0: none
    max_stream_duration_s: float | None = None  # likewise
    retry_policy: RetryPolicy | None = None
    request_buffer_bytes: int | None = None  # of a request that may be sent again; None: as much as of a connection
    mirrors: tuple[MirrorPolicy, ...] = ()
    cors: CorsPolicy | None = None
    header_rules: HeaderRules | None = None
    affinity: SessionAffinity | None = None  # None: that of the connection manager
    limits: TrafficLimits | None = None  # likewise
    origins: OriginPolicy | None = None  # None: pages of any origin


@dataclass(frozen=True, slots=True)
class VirtualHost:
    name: str
    domains: tuple[str, ...]
    routes: tuple[Route, ...]
    require_tls: RequireTls = RequireTls.NONE
    include_request_attempt_count: bool = False
    include_attempt_count_in_response: bool = False
    header_rules: HeaderRules | None = None


@dataclass(frozen=True, slots=True)
class RouteConfiguration:
    virtual_hosts: tuple[VirtualHost, ...]
    name: str = ""
    ignore_port_in_host_matching: bool = False
    header_rules: HeaderRules | None = None
    most_specific_header_mutations_wins: bool = False
