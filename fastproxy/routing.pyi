from collections.abc import Mapping, Sequence

from fastproxy import model
from fastproxy.upstream import Cluster

class HashPolicy:
    header_name: bytes
    terminal: bool
    def __init__(self, model: model.HeaderHashPolicy) -> None: ...

class Route:
    model: model.Route
    name: bytes
    def __init__(self, model: model.Route, cluster: Cluster) -> None: ...

class VirtualHost:
    name: bytes
    def __init__(self, name: str, routes: Sequence[Route]) -> None: ...

class RouteTable:
    def __init__(self, model: model.RouteConfiguration, clusters: Mapping[str, Cluster]) -> None: ...
    def add(self, domain: bytes, virtual_host: VirtualHost) -> None: ...
    def named(self, authority: bytes) -> VirtualHost | None: ...
    def route(self, authority: bytes, path: bytes) -> Route | None: ...
