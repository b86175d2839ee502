"""Headers, query parameters, cookies and shares, as Envoy 1.40 compares them."""

import pytest

from fastproxy.model_routes import (
    CookieMatcher,
    HeaderMatcher,
    QueryParameterMatcher,
    RouteMatch,
    StringMatch,
    StringMatcher,
)
from tests.unit.routes import fits

VAL = StringMatcher(StringMatch.EXACT, "val")


def matcher(kind, text, ignore_case=False):
    return StringMatcher(StringMatch(kind), text, ignore_case)


@pytest.mark.parametrize(
    ("value", "fitting", "others"),
    [
        (VAL, ["val", " val "], ["Val", "value", "va", ""]),
        (matcher("exact", "Val", True), ["VAL", "val"], ["vals"]),
        (matcher("prefix", "pre"), ["pre", "prefix"], ["xpre", "Pre", "pr", ""]),
        (matcher("prefix", "pre", True), ["PREfix"], ["xpre"]),
        (matcher("suffix", "suf"), ["suf", "xsuf"], ["sufx", "Suf"]),
        (matcher("suffix", "suf", True), ["xSUF"], ["sufx"]),
        (matcher("contains", "mid"), ["amidb", "mid"], ["mi", "MID"]),
        (matcher("contains", "mid", True), ["aMIDb", "xxmid"], ["mixd", "mi"]),
        (matcher("safe_regex", "[a-c]+[0-9]"), ["a1", "abc9"], ["a1b", "1"]),
        (matcher("safe_regex", "a", True), ["a"], ["A"]),
    ],
)
def test_strings(value, fitting, others):
    match = RouteMatch(prefix="/", headers=(HeaderMatcher("x-h", value),))
    assert [text for text in [*fitting, *others] if fits(match, headers=(("x-h", text),))] == fitting


def held(header, *lines):
    match = RouteMatch(prefix="/", headers=(header,))
    return fits(match, headers=tuple(("x-h", line) for line in lines))


def test_one_line_of_several_is_enough():
    assert held(HeaderMatcher("x-h", VAL), "b", "val")
    assert not held(HeaderMatcher("x-h", matcher("contains", ",")), "b", "val")
    assert held(HeaderMatcher("x-h", range=(1, 5)), "9", "3")
    assert not held(HeaderMatcher("x-h", VAL, invert=True), "b", "val")
    assert held(HeaderMatcher("x-h", VAL, invert=True), "b", "c")


def test_headers_that_are_kept_as_one_line():
    lines = (("accept", "a"), ("accept", "b"))
    for value, holds in ((matcher("exact", "a"), False), (matcher("exact", "a,b"), True)):
        assert fits(RouteMatch(prefix="/", headers=(HeaderMatcher("accept", value),)), headers=lines) == holds


@pytest.mark.parametrize(
    ("header", "missing", "empty", "other"),
    [
        (HeaderMatcher("x-h"), False, True, True),
        (HeaderMatcher("x-h", present=False), True, False, False),
        (HeaderMatcher("x-h", invert=True), True, False, False),
        (HeaderMatcher("x-h", present=False, invert=True), False, True, True),
        (HeaderMatcher("x-h", VAL), False, False, False),
        (HeaderMatcher("x-h", VAL, invert=True), False, True, True),
        (HeaderMatcher("x-h", VAL, invert=True, missing_is_empty=True), True, True, True),
        (HeaderMatcher("x-h", matcher("safe_regex", ".*"), missing_is_empty=True), True, True, True),
        (HeaderMatcher("x-h", missing_is_empty=True), True, True, True),
        (HeaderMatcher("x-h", present=False, missing_is_empty=True), False, False, False),
        (HeaderMatcher("x-h", range=(10, 20), invert=True), False, True, True),
        (HeaderMatcher("x-h", range=(10, 20), invert=True, missing_is_empty=True), True, True, True),
    ],
)
def test_what_is_missing_and_what_is_empty(header, missing, empty, other):
    assert (held(header), held(header, ""), held(header, "other")) == (missing, empty, other)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("-10", True), ("-11", False), ("-0", True), ("0009", True), ("+3", True), ("10", False), ("5.5", False),
        ("0x0", False), ("", False), ("-", False), ("9 9", False), ("99999999999999999999", False),
        ("-9223372036854775809", False),
    ],
)  # fmt: skip
def test_ranges(text, holds):
    assert held(HeaderMatcher("x-h", range=(-10, 10)), text) == holds


def test_the_ends_of_64_bits():
    low = -(2**63)
    assert held(HeaderMatcher("x-h", range=(low, low + 1)), str(low))
    assert held(HeaderMatcher("x-h", range=(2**63 - 2, 2**63 - 1)), str(2**63 - 2))
    assert not held(HeaderMatcher("x-h", range=(low, 2**63 - 1)), str(2**63))


@pytest.mark.parametrize(
    ("name", "text", "holds"),
    [
        (":path", "/p?q=1", True), (":path", "/p", False), (":method", "GET", True), (":authority", "h", True),
        (":scheme", "http", True), (":status", "200", False),
    ],
)  # fmt: skip
def test_pseudo_headers(name, text, holds):
    match = RouteMatch(prefix="/", headers=(HeaderMatcher(name, matcher("exact", text)),))
    assert fits(match, "/p?q=1") == holds


@pytest.mark.parametrize(
    ("parameter", "queries", "others"),
    [
        (QueryParameterMatcher("id", matcher("exact", "7")), ["id=7", "x=1&id=7", "id=7&id=8"],
         ["id=8&id=7", "", "ID=7", "id=%37", "id=7;x=1", "a?id=7", "xid=7"]),
        (QueryParameterMatcher("id"), ["id", "id=", "a&id", "id=1"], ["", "i", "idd", "a=id"]),
        (QueryParameterMatcher("id", present=False), ["", "a"], ["id"]),
        (QueryParameterMatcher("id", matcher("prefix", "ab", True)), ["id=ABc"], ["id=a", "id"]),
        (QueryParameterMatcher("id", matcher("safe_regex", "[0-9]*")), ["id=12", "id=", "id"], ["id=a", ""]),
    ],
)  # fmt: skip
def test_query_parameters(parameter, queries, others):
    match = RouteMatch(prefix="/", query_parameters=(parameter,))
    assert [query for query in [*queries, *others] if fits(match, f"/p?{query}")] == queries


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        ("sid=abc", True), ('sid="abc"', True), ("a=b; sid=abc", True), ("sid=abc; sid=x", True),
        ("sid=x; sid=abc", False),
        ("sid = abc", False), ("xsid=abc", False), ("sid", False), ("", False),
        ('sid="abc', False), ("a;sid=abc", True),
    ],
)  # fmt: skip
def test_cookies(line, holds):
    value = matcher("exact", "abc")
    lines = (("cookie", "first=1"), ("cookie", line))
    assert fits(RouteMatch(prefix="/", cookies=(CookieMatcher("sid", value),)), headers=lines) == holds
    inverted = RouteMatch(prefix="/", cookies=(CookieMatcher("sid", value, invert=True),))
    assert fits(inverted, headers=lines) != holds


def test_all_conditions_have_to_hold():
    match = RouteMatch(
        prefix="/", headers=(HeaderMatcher("x-h", VAL),), query_parameters=(QueryParameterMatcher("id"),)
    )
    assert fits(match, "/?id", headers=(("x-h", "val"),))
    assert not fits(match, "/", headers=(("x-h", "val"),))
    assert not fits(match, "/?id")


@pytest.mark.parametrize(("share", "draws"), [(0, 0), (500_000, 5), (1_000_000, 10)])
def test_a_share_of_the_requests(share, draws):
    match = RouteMatch(prefix="/", share=share)
    assert sum(fits(match, random=2_000_000 + tenth * 100_000) for tenth in range(10)) == draws


@pytest.mark.parametrize(
    ("content_type", "holds"),
    [
        ("application/grpc", True),
        ("application/grpc+proto", True),
        ("application/grpc-web", False),
        ("text/plain", False),
    ],
)
def test_grpc(content_type, holds):
    assert fits(RouteMatch(prefix="/", grpc=True), headers=(("content-type", content_type),)) == holds
    assert not fits(RouteMatch(prefix="/", grpc=True))
