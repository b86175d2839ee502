"""Hash policies: what is hashed of a request, and how several are combined."""

import pytest

from fastproxy._ring import xx_hash
from fastproxy.inspection import route_and_hash
from fastproxy.model import HeaderHashPolicy, Route, RouteMatch
from tests.unit.routes import one


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
