"""Paths and hosts as the upstream is asked for them."""

import pytest

from fastproxy.model import Route
from fastproxy.model_routes import RegexRewrite, RouteMatch
from tests.unit.routes import ANY, ask, one


@pytest.mark.parametrize(
    ("match", "rewrite", "path", "result"),
    [
        (RouteMatch(prefix="/x/"), "/y/", "/x/a?b=1", "/y/a?b=1"),
        (RouteMatch(prefix="/x"), "/", "/x/a", "//a"),
        (RouteMatch(prefix="/Ic", case_sensitive=False), "/new", "/IC/a", "/new/a"),
        (RouteMatch(path="/exact"), "/new", "/exact?a=1", "/new?a=1"),
        (RouteMatch(regex="/rx/.*"), "/new", "/rx/a/b?c=1", "/new?c=1"),
        (RouteMatch(separated_prefix="/sep"), "/new", "/sep/a?b", "/new/a?b"),
        (RouteMatch(template="/u/[a-z]+"), "/new", "/u/me?b", "/new?b"),
    ],
)
def test_what_matched_is_replaced(match, rewrite, path, result):
    assert ask(one(Route(match, "a", prefix_rewrite=rewrite)), path)["path"] == result


@pytest.mark.parametrize(
    ("pattern", "substitution", "path", "result"),
    [
        ("^/re/([^/]+)(/.*)$", r"\2/i/\1", "/re/one/two?x=/re/z/q", "/two/i/one?x=/re/z/q"),
        ("a", "bb", "/banana?a", "/bbbnbbnbb?a"),
        ("x=1", "y=2", "/q?x=1", "/q?x=1"),
    ],
)
def test_every_match_of_a_pattern_is_replaced_and_the_query_stays(pattern, substitution, path, result):
    route = Route(ANY, "a", regex_rewrite=RegexRewrite(pattern, substitution))
    assert ask(one(route), path)["path"] == result


def test_hosts():
    assert ask(one(Route(ANY, "a", host_rewrite="new")))["host"] == "new"
    by_path = Route(ANY, "a", host_rewrite_path_regex=RegexRewrite("^/h/([^/]+)/.*$", r"\1.example"))
    assert ask(one(by_path), "/h/foo/x?y")["host"] == "foo.example"
    assert ask(one(by_path), "/h/?y")["host"] == "/h/"


@pytest.mark.parametrize(("lines", "host"), [((("x-n", "n"), ("x-n", "m")), "n"), ((), "h"), ((("x-n", ""),), "h")])
def test_the_host_of_a_header(lines, host):
    assert ask(one(Route(ANY, "a", host_rewrite_header="x-n")), headers=lines)["host"] == host
