"""Virtual hosts, routes and hash policies, as Envoy orders them."""

import pytest

from fastproxy._ring import xx_hash
from fastproxy.inspection import route_and_hash
from fastproxy.model import (
    Address,
    Cluster,
    Configuration,
    HeaderHashPolicy,
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


def hash_of(lines: list[str], *policies: HeaderHashPolicy, path: str = "/p?q") -> int | None:
    routes = one(Route(RouteMatch(prefix="/"), "c", hash_policies=policies))
    head = "\r\n".join([f"GET {path} HTTP/1.1", "Host: example.com", *lines, "", ""]).encode("latin-1")
    route, digest = route_and_hash(routes, head)
    assert route is not None
    return digest


def chained(*values: bytes) -> int:
    digest = 0
    for value in values:
        digest = xx_hash(value, digest)
    return digest


def rotated(digest: int) -> int:
    return (digest << 1 | digest >> 63) & (1 << 64) - 1


def test_no_policy_and_no_header_are_no_hash():
    assert hash_of([]) is None
    assert hash_of(["Y: a"], HeaderHashPolicy("x")) is None


def test_one_line():
    assert hash_of(["X-User:  a b "], HeaderHashPolicy("x-user")) == xx_hash(b"a b")
    assert hash_of(["x-user:"], HeaderHashPolicy("x-user")) == xx_hash(b"")
    assert hash_of(["x-user: a"], HeaderHashPolicy("X-User")) == xx_hash(b"a")


def test_repeated_lines_are_sorted_and_chained():
    assert hash_of(["x: b", "x: a"], HeaderHashPolicy("x")) == chained(b"a", b"b")
    assert hash_of(["x: a", "y: c", "X: b"], HeaderHashPolicy("x")) == chained(b"a", b"b")


@pytest.mark.parametrize("name", ["Accept", "User-Agent", "Referer", "X-Forwarded-For", "Authorization", "Origin"])
def test_lines_that_envoy_joins(name):
    policy = HeaderHashPolicy(name.lower())
    assert hash_of([f"{name}: b", f"{name}: a"], policy) == xx_hash(b"b,a")
    assert hash_of([f"{name}:", f"{name}: a", f"{name}:"], policy) == xx_hash(b"a")


@pytest.mark.parametrize(
    ("name", "value"), [(":path", b"/p?q"), (":authority", b"example.com"), (":method", b"GET"), (":scheme", None)]
)
def test_pseudo_headers(name, value):
    assert hash_of([], HeaderHashPolicy(name)) == (None if value is None else xx_hash(value))


def test_policies_are_combined_in_order():
    a, b = xx_hash(b"1"), xx_hash(b"2")
    lines = ["a: 1", "b: 2"]
    assert hash_of(lines, HeaderHashPolicy("a"), HeaderHashPolicy("b")) == rotated(a) ^ b
    assert hash_of(lines, HeaderHashPolicy("b"), HeaderHashPolicy("a")) == rotated(b) ^ a
    assert hash_of(lines, HeaderHashPolicy("c"), HeaderHashPolicy("b")) == b
    assert hash_of(lines, HeaderHashPolicy("a", terminal=True), HeaderHashPolicy("b")) == a
    assert hash_of(lines, HeaderHashPolicy("c", terminal=True), HeaderHashPolicy("b")) == b


@pytest.mark.parametrize("lines", [["Referer: about:blank"], ['Referer: "', "Referer: http://h/"], ["Referer: \xe9"]])
def test_a_referer_that_is_none_is_not_hashed(lines):
    assert hash_of(lines, HeaderHashPolicy("referer")) is None
    both = hash_of([*lines, "x: a"], HeaderHashPolicy("referer"), HeaderHashPolicy("x"))
    assert both == xx_hash(b"a")


def test_a_cluster_that_is_not_there():
    with pytest.raises(KeyError):
        one(Route(RouteMatch(prefix="/"), "nowhere"))
