from collections.abc import Mapping, Sequence

from fastproxy import model as models
from fastproxy.affinity_policy import AffinityPolicy
from fastproxy.cors import CorsPolicy
from fastproxy.domains import Domains
from fastproxy.hashing import HashPolicies
from fastproxy.header_rules import HeaderRules
from fastproxy.model_routes import HeaderRules as HeaderRulesModel
from fastproxy.model_routes import MirrorPolicy
from fastproxy.retry_policies import RetryPolicy
from fastproxy.stats import StatsLayout
from fastproxy.traffic_limits import LimitMaker, TrafficLimits
from fastproxy.upstream import Cluster

def milliseconds(seconds: float | None) -> int: ...

class Destination:
    cluster: Cluster
    host_rewrite: bytes | None
    header_rules: tuple[HeaderRules, ...]
    def __init__(
        self, cluster: Cluster, host_rewrite: bytes | None = None, header_rules: tuple[HeaderRules, ...] = ()
    ) -> None: ...

class Mirror:
    cluster: Cluster
    share: int
    appends_shadow: bool
    host_rewrite: bytes | None
    def __init__(self, model: MirrorPolicy, cluster: Cluster) -> None: ...

class Levels:
    affinity: AffinityPolicy | None
    def __init__(
        self,
        models: Sequence[HeaderRulesModel | None] = (),
        most_specific_wins: bool = False,
        affinity: AffinityPolicy | None = None,
    ) -> None: ...
    def with_rules(
        self, route: HeaderRulesModel | None, cluster: HeaderRulesModel | None = None
    ) -> tuple[HeaderRules, ...]: ...

class Route:
    model: models.Route
    name: bytes
    action: int
    status: int
    body: bytes | None
    hashing: HashPolicies
    header_rules: tuple[HeaderRules, ...]
    timeout_ms: int
    timeout_is_set: bool
    idle_timeout_ms: int
    idle_timeout_is_set: bool
    max_stream_duration_ms: int
    max_stream_duration_is_set: bool
    allow_websocket: bool
    append_x_forwarded_host: bool
    auto_host_rewrite: bool
    attempt_count_in_request: bool
    attempt_count_in_response: bool
    retry_policy: RetryPolicy | None
    request_buffer_bytes: int
    missing_cluster_status: int
    cors: CorsPolicy | None
    affinity: AffinityPolicy | None
    mirrors: tuple[Mirror, ...]
    def __init__(
        self,
        model: models.Route,
        clusters: Mapping[str, Cluster],
        host: models.VirtualHost | None = None,
        levels: Levels | None = None,
    ) -> None: ...

class VirtualHost:
    model: models.VirtualHost
    name: bytes
    routes: tuple[Route, ...]
    def __init__(
        self, model: models.VirtualHost, clusters: Mapping[str, Cluster], levels: Levels | None = None
    ) -> None: ...

class RouteTable:
    model: models.RouteConfiguration
    domains: Domains
    virtual_hosts: tuple[VirtualHost, ...]
    def __init__(
        self,
        model: models.RouteConfiguration,
        clusters: Mapping[str, Cluster],
        affinity: AffinityPolicy | None = None,
    ) -> None: ...
    def count_in(self, row: memoryview, layout: StatsLayout) -> None: ...
    def set_limits(self, maker: LimitMaker, limits: TrafficLimits | None) -> None: ...
    def route(self, authority: bytes, path: bytes) -> Route | None: ...
