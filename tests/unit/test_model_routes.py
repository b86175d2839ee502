"""Parts of routes compare by value and cannot be changed."""

from dataclasses import FrozenInstanceError

import pytest

from fastproxy.model_routes import HeaderMatcher, MirrorPolicy, Redirect, RouteMatch, StringMatch, StringMatcher


def test_values():
    assert HeaderMatcher("a", StringMatcher(StringMatch.EXACT, "b")) == HeaderMatcher(
        "a", StringMatcher(StringMatch.EXACT, "b")
    )
    assert RouteMatch(prefix="/") != RouteMatch(path="/")
    assert (Redirect().status, MirrorPolicy("c").share, RouteMatch().share) == (301, 1_000_000, 1_000_000)


def test_they_stay_what_they_are():
    with pytest.raises(FrozenInstanceError):
        Redirect().status = 302  # type: ignore[misc]
