"""Locations, as Envoy 1.40 writes them."""

import pytest

from fastproxy.model import Route
from fastproxy.model_routes import Redirect, RegexRewrite, RequireTls, RouteMatch
from tests.unit.routes import ANY, ask, one


def location(redirect, path="/a?b=1", host="r.test", match=ANY, proto="http"):
    found = ask(one(Route(match, redirect=redirect)), path, host, headers=(("x-forwarded-proto", proto),))
    assert found["action"] == "redirect"
    return found["location"]


@pytest.mark.parametrize(
    ("redirect", "url"),
    [
        (Redirect(host="new"), "http://new/a?b=1"),
        (Redirect(host="new:8443"), "http://new:8443/a?b=1"),
        (Redirect(host="new", port=8443), "http://new:8443/a?b=1"),
        (Redirect(port=80), "http://r.test:80/a?b=1"),
        (Redirect(scheme="https"), "https://r.test/a?b=1"),
        (Redirect(scheme="ftp"), "ftp://r.test/a?b=1"),
        (Redirect(path="/n"), "http://r.test/n?b=1"),
        (Redirect(path="/n?keep=1", strip_query=True), "http://r.test/n?keep=1"),
        (Redirect(path="/n", strip_query=True), "http://r.test/n"),
        (Redirect(strip_query=True), "http://r.test/a"),
        (Redirect(prefix_rewrite="/n"), "http://r.test/na?b=1"),
        (Redirect(regex_rewrite=RegexRewrite("^/(.)$", r"/\1\1")), "http://r.test/aa?b=1"),
        (Redirect(scheme="https", host="new", path="/np"), "https://new/np?b=1"),
        (Redirect(), "http://r.test/a?b=1"),
    ],
)
def test_parts(redirect, url):
    assert location(redirect) == url


@pytest.mark.parametrize(
    ("redirect", "host", "proto", "url"),
    [
        (Redirect(scheme="https"), "r.test:8080", "http", "https://r.test:8080/"),
        (Redirect(scheme="https"), "r.test:80", "http", "https://r.test/"),
        (Redirect(scheme="http"), "r.test:443", "https", "http://r.test/"),
        (Redirect(path="/"), "r.test:80", "http", "http://r.test:80/"),
        (Redirect(port=8443), "r.test:8080", "http", "http://r.test:8443/"),
        (Redirect(port=8443), "[::1]:80", "http", "http://[::1]:8443/"),
        (Redirect(port=8443), "[::1]", "http", "http://[::1]:8443/"),
        (Redirect(path="/"), "r.test", "https", "https://r.test/"),
    ],
)
def test_ports_and_schemes(redirect, host, proto, url):
    assert location(redirect, "/", host, proto=proto) == url


def test_the_status():
    assert ask(one(Route(ANY, redirect=Redirect(status=308))))["status"] == 308


@pytest.mark.parametrize(
    ("require", "lines", "url"),
    [
        (RequireTls.ALL, (), "https://h:80/a?b"),
        (RequireTls.ALL, (("x-forwarded-proto", "https"),), None),
        (RequireTls.EXTERNAL_ONLY, (("x-forwarded-proto", "http"),), "https://h:80/a?b"),
        (RequireTls.EXTERNAL_ONLY, (("x-envoy-internal", "true"),), None),
        (RequireTls.NONE, (), None),
    ],
)
def test_virtual_hosts_that_require_tls(require, lines, url):
    routes = one(Route(RouteMatch(path="/a"), "a"), require_tls=require)
    found = ask(routes, "/a?b", "h:80", headers=lines)
    assert (found["location"], found["status"]) == (url, 301 if url else None)
