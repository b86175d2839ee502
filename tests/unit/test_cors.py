"""Which origins a policy lets in: asked by the exchange."""

import pytest

from fastproxy.cors import CorsPolicy
from fastproxy.inspection import allows_origin
from fastproxy.model_routes import CorsPolicy as Model
from fastproxy.model_routes import StringMatch, StringMatcher


@pytest.mark.parametrize(
    ("matcher", "origin", "is_allowed"),
    [
        (StringMatcher(StringMatch.EXACT, "http://a"), b"http://a", True),
        (StringMatcher(StringMatch.EXACT, "http://a"), b"http://ab", False),
        (StringMatcher(StringMatch.EXACT, "*"), b"http://any", True),
        (StringMatcher(StringMatch.SUFFIX, ".test"), b"http://a.test", True),
        (StringMatcher(StringMatch.REGEX, "http://[a-z]+"), b"http://a1", False),
    ],
)
def test_origins(matcher, origin, is_allowed):
    policy = CorsPolicy(Model(origins=(StringMatcher(StringMatch.EXACT, "http://other"), matcher)))
    assert allows_origin(policy, origin) == is_allowed


def test_nobody():
    assert not allows_origin(CorsPolicy(Model()), b"http://a")
