from collections.abc import Mapping, Sequence

from fastproxy import model as models
from fastproxy.hashing import HashPolicies
from fastproxy.upstream import Cluster

class Destination:
    cluster: Cluster
    host_rewrite: bytes | None
    header_rules: tuple[object, ...]
    def __init__(
        self, cluster: Cluster, host_rewrite: bytes | None = None, header_rules: tuple[object, ...] = ()
    ) -> None: ...

class Route:
    model: models.Route
    name: bytes
    action: int
    status: int
    body: bytes | None
    hashing: HashPolicies
    header_rules: tuple[object, ...]
    timeout_ms: int
    timeout_is_set: bool
    idle_timeout_ms: int
    idle_timeout_is_set: bool
    max_stream_duration_ms: int
    max_stream_duration_is_set: bool
    allow_websocket: bool
    append_x_forwarded_host: bool
    auto_host_rewrite: bool
    missing_cluster_status: int
    cors: object | None
    mirrors: tuple[object, ...]
    def __init__(self, model: models.Route, cluster: Cluster) -> None: ...

class VirtualHost:
    name: bytes
    def __init__(self, name: str, routes: Sequence[Route]) -> None: ...

class RouteTable:
    def __init__(self, model: models.RouteConfiguration, clusters: Mapping[str, Cluster]) -> None: ...
    def add(self, domain: bytes, virtual_host: VirtualHost) -> None: ...
    def named(self, authority: bytes) -> VirtualHost | None: ...
    def route(self, authority: bytes, path: bytes) -> Route | None: ...
