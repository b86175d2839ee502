"""Virtual hosts and routes, as Envoy orders them."""

import pytest

from fastproxy.model import (
    Address,
    Cluster,
    Configuration,
    Host,
    Route,
    RouteConfiguration,
    RouteMatch,
    VirtualHost,
)
from fastproxy.routing import RouteTable
from fastproxy.stats import StatsLayout
from fastproxy.upstream import Cluster as UpstreamCluster

MODEL = Cluster("c", hosts=(Host(Address("127.0.0.1", 1)),))


def table(*virtual_hosts: VirtualHost) -> RouteTable:
    layout = StatsLayout(Configuration(clusters=(MODEL,)))
    row = memoryview(bytearray(8 * layout.slots)).cast("Q")
    return RouteTable(RouteConfiguration(virtual_hosts), {"c": UpstreamCluster(MODEL, layout, row)})


def one(*routes: Route, domains: tuple[str, ...] = ("*",)) -> RouteTable:
    return table(VirtualHost("v", domains, routes))


def named(name: str, domain: str) -> VirtualHost:
    return VirtualHost(name, (domain,), (Route(RouteMatch(prefix="/"), "c", name=name),))


def name_of(routes: RouteTable, authority: bytes, path: bytes = b"/") -> str | None:
    route = routes.route(authority, path)
    return route.name.decode() if route else None


@pytest.mark.parametrize(
    ("authority", "name"),
    [
        (b"a.example.com", "exact"),
        (b"A.EXAMPLE.COM", "exact"),
        (b"b.example.com", "suffix"),
        (b"x.b.example.com", "long suffix"),
        (b".b.example.com", "suffix"),
        (b"example.com", "any"),
        (b"api.v1", "prefix"),
        (b"api.v1.more", "long prefix"),
        (b"api.", "any"),
        (b"a.example.com:80", "any"),
        (b"b.example.com:80", "any"),
        (b"", "any"),
    ],
)
def test_precedence_of_domains(authority, name):
    routes = table(
        named("any", "*"), named("prefix", "api.*"), named("long prefix", "api.v1.*"), named("suffix", "*.example.com"),
        named("long suffix", "*.b.example.com"), named("exact", "a.example.com"),
    )  # fmt: skip
    assert name_of(routes, authority) == name


def test_no_virtual_host():
    assert name_of(table(named("a", "a.com")), b"b.com") is None
    assert name_of(table(), b"b.com") is None


@pytest.mark.parametrize(
    ("match", "paths", "others"),
    [
        (RouteMatch(prefix="/a"), [b"/a", b"/a/b", b"/abc", b"/a?x"], [b"/", b"/A", b"/b/a", b""]),
        (RouteMatch(prefix="/a", case_sensitive=False), [b"/A", b"/a"], [b"/b"]),
        (RouteMatch(prefix="/a?b"), [b"/a?bc"], [b"/a"]),
        (RouteMatch(path="/a"), [b"/a", b"/a?", b"/a?b=/c"], [b"/a/", b"/ab", b"/A", b"/"]),
        (RouteMatch(path="/a", case_sensitive=False), [b"/A?b"], [b"/ab"]),
        (RouteMatch(regex="/a[0-9]+"), [b"/a1", b"/a12?x"], [b"/a", b"/a1b", b"/xa1", b"/a1\n"]),
    ],
)
def test_matches(match, paths, others):
    routes = one(Route(match, "c", name="it"))
    assert {name_of(routes, b"x", path) for path in paths} == {"it"}
    assert {name_of(routes, b"x", path) for path in others} == {None}


def test_the_first_route_that_matches_is_taken():
    routes = one(
        Route(RouteMatch(path="/a"), "c", name="1"), Route(RouteMatch(prefix="/a"), "c", name="2"),
        Route(RouteMatch(prefix="/"), "c", name="3"),
    )  # fmt: skip
    assert [name_of(routes, b"", path) for path in (b"/a", b"/ab", b"/b")] == ["1", "2", "3"]


def test_a_cluster_that_is_not_there():
    with pytest.raises(KeyError):
        one(Route(RouteMatch(prefix="/"), "nowhere"))
