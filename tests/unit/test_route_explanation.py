"""What people are told about a request's way."""

import pytest

from fastproxy.model import Route, VirtualHost
from fastproxy.model_routes import (
    CookieMatcher,
    DirectResponse,
    HeaderMatcher,
    QueryParameterMatcher,
    Redirect,
    RouteMatch,
    StringMatch,
    StringMatcher,
)
from fastproxy.route_explanation import explain
from tests.unit.routes import ANY, ask, one, table

GET = StringMatcher(StringMatch.EXACT, "GET")
VAL = StringMatcher(StringMatch.EXACT, "val")


def why(match, path="/b?id=2", **rest):
    [passed] = ask(one(Route(match, "a", name="n")), path, **rest)["passed_over"]
    assert (passed["number"], passed["name"]) == (0, "n")
    return passed["why"]


@pytest.mark.parametrize(
    ("match", "words"),
    [
        (RouteMatch(prefix="/a"), 'path: wanted prefix "/a", got "/b?id=2"'),
        (RouteMatch(path="/A", case_sensitive=False), 'path: wanted exactly "/A" in any case, got "/b?id=2"'),
        (RouteMatch(separated_prefix="/a"), 'path: wanted path-separated prefix "/a", got "/b?id=2"'),
        (RouteMatch(regex="/b[0-9]"), 'path: wanted a match of "/b[0-9]", got "/b?id=2"'),
        (RouteMatch(prefix="/", headers=(HeaderMatcher("x-h", VAL),)), 'header x-h: wanted exactly "val", got none'),
        (
            RouteMatch(prefix="/", headers=(HeaderMatcher("x-l", VAL),)),
            'header x-l: wanted exactly "val", got "one", "two"',
        ),
        (
            RouteMatch(prefix="/", headers=(HeaderMatcher("x-l", range=(1, 5)),)),
            'header x-l: wanted a number from 1 and below 5, got "one", "two"',
        ),
        (
            RouteMatch(prefix="/", headers=(HeaderMatcher(":method", GET, invert=True),)),
            'header :method: wanted not exactly "GET", got "GET"',
        ),
        (RouteMatch(prefix="/", headers=(HeaderMatcher("x-h"),)), "header x-h: wanted any value, got none"),
        (
            RouteMatch(prefix="/", query_parameters=(QueryParameterMatcher("id", VAL),)),
            'query parameter id: wanted exactly "val", got "2"',
        ),
        (
            RouteMatch(prefix="/", query_parameters=(QueryParameterMatcher("no"),)),
            "query parameter no: wanted any value, got none",
        ),
        (RouteMatch(prefix="/", cookies=(CookieMatcher("c", VAL),)), 'cookie c: wanted exactly "val", got none'),
        (RouteMatch(prefix="/", share=1000), "runtime_fraction: takes 0.1 % of the requests, and not this one"),
        (RouteMatch(prefix="/", grpc=True), "grpc: wanted a content-type of gRPC"),
    ],
)  # fmt: skip
def test_why_a_route_is_passed_over(match, words):
    assert why(match, headers=(("x-l", "one"), ("x-l", "two")), random=5000) == words


def test_the_way_of_a_request():
    host = VirtualHost("site", ("*.test",), (Route(RouteMatch(path="/x"), "a"), Route(ANY, "b", prefix_rewrite="/n/")))
    found = ask(table(host), "/y", "a.test")
    assert (found["virtual_host"], found["domain"], found["number"]) == ("site", "*.test", 1)
    assert (found["action"], found["cluster"], found["path"], found["host"]) == ("forward", "b", "/n/y", "a.test")
    assert [passed["number"] for passed in found["passed_over"]] == [0]


def test_no_virtual_host_and_no_route():
    assert ask(table(), "/")["virtual_host"] is None
    found = ask(one(), "/")
    assert (found["virtual_host"], found["route"], found["action"]) == ("v", None, "none")


def test_what_the_proxy_answers_by_itself():
    found = ask(one(Route(ANY, direct_response=DirectResponse(204))))
    assert (found["action"], found["status"]) == ("direct_response", 204)
    found = ask(one(Route(ANY, redirect=Redirect(host="n"))))
    assert (found["action"], found["status"], found["location"]) == ("redirect", 301, "http://n/")
    found = ask(one(Route(ANY, cluster_header="x-c", missing_cluster_status=404)))
    assert (found["action"], found["status"], found["cluster"]) == ("forward", 404, None)


@pytest.mark.parametrize(
    "head", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nhost: h\r\n\r\n"]
)
def test_what_cannot_be_routed(head):
    with pytest.raises(ValueError, match=r"^no "):
        explain(table(), head)
