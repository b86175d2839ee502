"""Route tables made in a line, and what they make of a request."""

from typing import Any

from fastproxy.model import Address, Cluster, Configuration, Host, Route, RouteConfiguration, VirtualHost
from fastproxy.model_routes import RouteMatch
from fastproxy.route_explanation import Explanation, explain
from fastproxy.routing import Route as CompiledRoute
from fastproxy.routing import RouteTable
from fastproxy.stats import StatsLayout
from fastproxy.upstream import Cluster as UpstreamCluster

ANY = RouteMatch(prefix="/")


def clusters(*names: str) -> dict[str, UpstreamCluster]:
    models = tuple(Cluster(name, hosts=(Host(Address("127.0.0.1", 1)),)) for name in names)
    layout = StatsLayout(Configuration(clusters=models))
    row = memoryview(bytearray(8 * layout.slots)).cast("Q")
    return {model.name: UpstreamCluster(model, layout, row) for model in models}


def table(*virtual_hosts: VirtualHost, **fields: Any) -> RouteTable:
    return RouteTable(RouteConfiguration(virtual_hosts, **fields), clusters("a", "b", "c"))


def one(*routes: Route, **fields: Any) -> RouteTable:
    return table(VirtualHost("v", ("*",), routes, **fields))


def head(path: str = "/", host: str = "h", method: str = "GET", headers: tuple[tuple[str, str], ...] = ()) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{method} {path} HTTP/1.1\r\nhost: {host}\r\n{lines}\r\n".encode()


def ask(routes: RouteTable, path: str = "/", host: str = "h", *, random: int = 0, **rest: Any) -> Explanation:
    return explain(routes, head(path, host, **rest), random)


def fits(match: RouteMatch, path: str = "/", *, random: int = 0, **rest: Any) -> bool:
    """Whether a route with this match takes the request."""
    return ask(one(Route(match, "a")), path, random=random, **rest)["action"] == "forward"


def taken(routes: RouteTable, authority: bytes = b"h", path: bytes = b"/") -> CompiledRoute:
    """The route of a request that has one."""
    route = routes.route(authority, path)
    assert route is not None
    return route
