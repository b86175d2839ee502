"""What a filter would see of a request's headers in Envoy."""

import pytest

from fastproxy.model_routes import HeaderMatcher, RouteMatch, StringMatch, StringMatcher
from tests.unit.routes import fits

UPGRADE = (("connection", "Upgrade"), ("upgrade", "websocket"))


@pytest.mark.parametrize(
    ("name", "lines", "is_seen"),
    [
        ("connection", (("connection", "close"),), False),
        ("upgrade", (("upgrade", "websocket"),), False),
        ("upgrade", UPGRADE, True),
        ("connection", UPGRADE, True),
        ("keep-alive", (("keep-alive", "x"),), False),
        ("te", (("te", "gzip"),), False),
        ("te", (("te", "trailers"),), True),
        ("x-named", (("connection", "x-named"), ("x-named", "1")), False),
        ("x-named", (("x-named", "1"),), True),
        ("x-forwarded-proto", (("x-forwarded-proto", "http"),), True),
    ],
)
def test_headers_about_the_connection_are_gone(name, lines, is_seen):
    assert fits(RouteMatch(prefix="/", headers=(HeaderMatcher(name),)), headers=lines) == is_seen


@pytest.mark.parametrize(
    ("target", "proto", "scheme"),
    [("/", "https", "https"), ("/", "http", "http"), ("/", "ftp", "http"), ("https://h/", "http", "https")],
)
def test_the_scheme(target, proto, scheme):
    match = RouteMatch(prefix="/", headers=(HeaderMatcher(":scheme", StringMatcher(StringMatch.EXACT, scheme)),))
    assert fits(match, target, headers=(("x-forwarded-proto", proto),))
