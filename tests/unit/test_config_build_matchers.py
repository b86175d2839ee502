"""Matches in the model, and what is wrong with them."""

import pytest

from fastproxy.config.build_matchers import template_regex
from fastproxy.model_routes import (
    CookieMatcher,
    HeaderMatcher,
    QueryParameterMatcher,
    RouteMatch,
    StringMatch,
    StringMatcher,
)
from fastproxy.regexes import Regex
from tests.unit.built_routes import built, failed
from tests.unit.config_files import V3_ROUTE_PATH, errors, v3_route

TEMPLATE = "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"


def match_of(**fields):
    found, report = built(lambda d: v3_route(d).update(match={"prefix": "/", **fields}))
    assert errors(report) == []
    return found.virtual_hosts[0].routes[0].match


def exact(text):
    return StringMatcher(StringMatch.EXACT, text)


def test_paths():
    found, _ = built(lambda d: v3_route(d).update(match={"path_separated_prefix": "/a/b", "case_sensitive": False}))
    assert found.virtual_hosts[0].routes[0].match == RouteMatch(separated_prefix="/a/b", case_sensitive=False)


@pytest.mark.parametrize(
    ("fields", "matcher"),
    [
        ({"string_match": {"exact": "a"}}, HeaderMatcher("x-h", exact("a"))),
        (
            {"string_match": {"prefix": "a", "ignore_case": True}},
            HeaderMatcher("x-h", StringMatcher(StringMatch.PREFIX, "a", True)),
        ),
        ({"string_match": {"suffix": "a"}}, HeaderMatcher("x-h", StringMatcher(StringMatch.SUFFIX, "a"))),
        ({"string_match": {"contains": "a"}}, HeaderMatcher("x-h", StringMatcher(StringMatch.CONTAINS, "a"))),
        ({"string_match": {"safe_regex": {"regex": "a+"}}},
         HeaderMatcher("x-h", StringMatcher(StringMatch.REGEX, "a+"))),
        ({"exact_match": "a"}, HeaderMatcher("x-h", exact("a"))),
        ({"prefix_match": "a"}, HeaderMatcher("x-h", StringMatcher(StringMatch.PREFIX, "a"))),
        ({"suffix_match": "a"}, HeaderMatcher("x-h", StringMatcher(StringMatch.SUFFIX, "a"))),
        ({"contains_match": "a"}, HeaderMatcher("x-h", StringMatcher(StringMatch.CONTAINS, "a"))),
        ({"safe_regex_match": {"regex": "a+"}}, HeaderMatcher("x-h", StringMatcher(StringMatch.REGEX, "a+"))),
        ({"range_match": {"start": -1, "end": 5}}, HeaderMatcher("x-h", range=(-1, 5))),
        ({"present_match": False}, HeaderMatcher("x-h", present=False)),
        ({"invert_match": True, "treat_missing_header_as_empty": True},
         HeaderMatcher("x-h", invert=True, missing_is_empty=True)),
    ],
)  # fmt: skip
def test_headers(fields, matcher):
    assert match_of(headers=[{"name": "X-H", **fields}]).headers == (matcher,)


def test_host_is_the_authority():
    assert match_of(headers=[{"name": "Host", "exact_match": "a"}]).headers[0].name == ":authority"


def test_query_parameters():
    found = match_of(query_parameters=[{"name": "A", "string_match": {"exact": "1"}}, {"name": "b"},
                                       {"name": "c", "present_match": False}])  # fmt: skip
    assert found.query_parameters == (
        QueryParameterMatcher("A", exact("1")), QueryParameterMatcher("b"), QueryParameterMatcher("c", present=False)
    )  # fmt: skip


def test_cookies():
    cookies = [
        {"name": "sid", "string_match": {"exact": "a"}},
        {"name": "x", "stringMatch": {"exact": "b"}, "invertMatch": True},
    ]
    found = match_of(cookies=cookies, headers=[{"name": "x-h"}])
    assert found.cookies == (CookieMatcher("sid", exact("a")), CookieMatcher("x", exact("b"), True))
    assert found.headers == (HeaderMatcher("x-h"),)


@pytest.mark.parametrize(
    ("numerator", "denominator", "share"),
    [
        (0, "HUNDRED", 0),
        (50, "HUNDRED", 500_000),
        (1, "TEN_THOUSAND", 100),
        (7, "MILLION", 7),
        (200, "HUNDRED", 1_000_000),
    ],
)
def test_shares(numerator, denominator, share):
    fraction = {"default_value": {"numerator": numerator, "denominator": denominator}, "runtime_key": "k"}
    assert match_of(runtime_fraction=fraction).share == share


def test_grpc():
    assert match_of(grpc={}).grpc
    assert not match_of().grpc


@pytest.mark.parametrize(
    ("template", "paths", "others"),
    [
        ("/people/{id}/*", ["/people/7/x"], ["/people/7", "/people//x", "/people/7/x/y", "/People/7/x"]),
        ("/a/**", ["/a/", "/a/b/c"], ["/a", "/b/c"]),
        ("/a/{rest=**}", ["/a/b/c"], ["/a"]),
        ("/a.b", ["/a.b"], ["/axb"]),
        ("/", ["/"], ["/a"]),
    ],
)
def test_templates(template, paths, others):
    regex = Regex(template_regex(template) or "")
    assert [path for path in [*paths, *others] if regex.full_match(path.encode())] == paths


@pytest.mark.parametrize("template", ["a", "/**/b", "/{a}/{a}", "/a*", "/{a", "//", "/{a=**}/b"])
def test_what_is_no_template(template):
    assert template_regex(template) is None


def policy(template):
    return {"path_match_policy": {"name": "t", "typed_config": {"@type": TEMPLATE, "path_template": template}}}


def test_a_template_in_a_route():
    found, _ = built(lambda d: v3_route(d).update(match=policy("/u/{id}")))
    assert found.virtual_hosts[0].routes[0].match.template == template_regex("/u/{id}")


@pytest.mark.parametrize(
    ("match", "path", "words"),
    [
        ({"prefix": "/", "headers": [{"name": "a", "safe_regex_match": {"regex": "("}}]},
         "headers[0].safe_regex_match.regex", "missing )"),
        ({"prefix": "/", "headers": [{"name": "a", "string_match": {"safe_regex": {"regex": "("}}}]},
         "headers[0].string_match.safe_regex.regex", "missing )"),
        ({"prefix": "/", "query_parameters": [{"name": "a", "string_match": {"safe_regex": {"regex": "["}}}]},
         "query_parameters[0].string_match.safe_regex.regex", "missing ]"),
        (policy("/**/x"), "path_match_policy.typed_config.path_template", "is no path template"),
    ],
)  # fmt: skip
def test_mistakes_have_their_places(match, path, words):
    [(where, message)] = failed(lambda d: v3_route(d).update(match=match))
    assert where == f"{V3_ROUTE_PATH}.match.{path}"
    assert words in message
