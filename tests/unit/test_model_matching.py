"""Matchers compare by value, and are the same for routes as for whoever else has them."""

from fastproxy import model_routes
from fastproxy.model_matching import HeaderMatcher, QueryParameterMatcher, StringMatch, StringMatcher


def test_values():
    value = StringMatcher(StringMatch.PREFIX, "a")
    assert HeaderMatcher("x", value) == HeaderMatcher("x", StringMatcher(StringMatch.PREFIX, "a"))
    assert QueryParameterMatcher("x") != QueryParameterMatcher("x", value)
    assert model_routes.HeaderMatcher is HeaderMatcher
