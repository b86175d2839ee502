"""Paths of routes: the four kinds, and the first of many."""

import pytest

from fastproxy.model import Route
from fastproxy.model_routes import RouteMatch
from tests.unit.routes import ask, fits, one


@pytest.mark.parametrize(
    ("match", "paths", "others"),
    [
        (RouteMatch(prefix="/a"), ["/a", "/a/b", "/abc", "/a?x"], ["/", "/A", "/b/a"]),
        (RouteMatch(prefix="/a", case_sensitive=False), ["/A", "/a"], ["/b"]),
        (RouteMatch(prefix="/a?b"), ["/a?bc"], ["/a"]),
        (RouteMatch(prefix="/long-enough/x"), ["/long-enough/x", "/long-enough/xy"], ["/Long-enough/x"]),
        (RouteMatch(path="/a"), ["/a", "/a?", "/a?b=/c"], ["/a/", "/ab", "/A", "/"]),
        (RouteMatch(path="/a", case_sensitive=False), ["/A?b"], ["/ab"]),
        (RouteMatch(path="/exactly-this"), ["/exactly-this"], ["/exactly-thiS", "/Exactly-this", "/exactly-this/"]),
        (RouteMatch(separated_prefix="/api/dev"), ["/api/dev", "/api/dev/x", "/api/dev?x"], ["/api/devel"]),
        (RouteMatch(separated_prefix="/a", case_sensitive=False), ["/A", "/A/b"], ["/Ab", "/"]),
        (RouteMatch(regex="/a[0-9]+"), ["/a1", "/a12?x"], ["/a", "/a1b", "/xa1", "/b1"]),
        (RouteMatch(regex="/ab|/cd", case_sensitive=False), ["/ab", "/cd"], ["/AB", "/abcd"]),
        (RouteMatch(template="/people/[a-z]+/x"), ["/people/me/x"], ["/people/me"]),
    ],
)  # fmt: skip
def test_kinds(match, paths, others):
    assert {path for path in [*paths, *others] if fits(match, path)} == set(paths)


def test_the_first_that_fits():
    routes = one(
        Route(RouteMatch(path="/a"), "a"), Route(RouteMatch(prefix="/a"), "b"), Route(RouteMatch(prefix="/"), "c")
    )
    assert [ask(routes, path)["cluster"] for path in ("/a", "/ab", "/b", "/")] == ["a", "b", "c", "c"]


def test_the_last_of_many():
    routes = one(*[Route(RouteMatch(prefix=f"/service/{number:04}/"), "a") for number in range(1000)])
    assert ask(routes, "/service/0999/x")["number"] == 999
    assert ask(routes, "/service/0000/x")["number"] == 0
    assert ask(routes, "/service/1000/x")["number"] is None
