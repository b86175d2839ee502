from collections.abc import Mapping, Sequence

from fastproxy import model as models
from fastproxy.upstream import Cluster

class HashPolicy:
    header_name: bytes
    terminal: bool
    def __init__(self, model: models.HeaderHashPolicy) -> None: ...

class Route:
    model: models.Route
    name: bytes
    def __init__(self, model: models.Route, cluster: Cluster) -> None: ...

class VirtualHost:
    name: bytes
    def __init__(self, name: str, routes: Sequence[Route]) -> None: ...

class RouteTable:
    def __init__(self, model: models.RouteConfiguration, clusters: Mapping[str, Cluster]) -> None: ...
    def add(self, domain: bytes, virtual_host: VirtualHost) -> None: ...
    def named(self, authority: bytes) -> VirtualHost | None: ...
    def route(self, authority: bytes, path: bytes) -> Route | None: ...
