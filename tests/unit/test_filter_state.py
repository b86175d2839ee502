"""What the filter `set_filter_state` makes of requests: seen through the hash policies that ask for it."""

import pytest

from fastproxy._ring import xx_hash
from fastproxy.filter_state import SetFilterState
from fastproxy.model import FilterStateHashPolicy, FilterStateValue, HeaderRules, HeaderValue, Route, RouteMatch
from tests.unit.test_explanation import follow, runtime


def value(
    text: str,
    key: str = "k",
    is_hashable: bool = True,
    omit_empty_values: bool = False,
    read_only: bool = False,
    skip_if_empty: bool = False,
) -> FilterStateValue:
    return FilterStateValue(key, text, is_hashable, omit_empty_values, read_only, skip_if_empty)


def hashed(
    values: tuple[FilterStateValue, ...], *lines: str, target: str = "/", rules: HeaderRules | None = None
) -> str | None:
    """What a policy for the key `k` hashes; that this is its hash is checked on the way."""
    policies = (FilterStateHashPolicy("k"),)
    route = Route(RouteMatch(prefix="/"), "ring", name="r", hash_policies=policies, header_rules=rules)
    made = runtime(route, filter_state=values)
    found = follow(made, target, *lines)["hash"]
    (step,) = found["policies"]
    assert step["policy"] == 'filter state "k"'
    if step["values"] is None:
        assert found["hash"] is step["hash"] is None
        return None
    (text,) = step["values"]
    assert found["hash"] == step["hash"] == f"{xx_hash(text.encode()):#018x}"
    return text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("%REQ(x-user)%", 'u"1'),
        ("%REQ(x-user):1%/%REQ(x-tenant?x-user)%", 'u/u"1'),
        ("%REQ(:METHOD)% %REQ(:PATH)% %REQ(:AUTHORITY)% %PROTOCOL%", "GET /a?b h HTTP/1.1"),
        ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "10.1.2.3"),
        ("%REQ(x-none)%", "-"),
        ("%RESP(x-user)%", "-"),
        ("always", "always"),
    ],
)
def test_formats(text, found):
    assert hashed((value(text),), 'x-user: u"1', target="/a?b") == found


def test_lines_that_envoy_joins():
    assert (
        hashed((value("%REQ(accept)%|%REQ(x-user)%"),), "accept: a", "x-user: 1", "accept: b", "x-user: 2") == "a,b|1"
    )


def test_empty_values():
    assert hashed((value("%REQ(x-none)%", omit_empty_values=True),)) == ""
    assert hashed((value("%REQ(x-none)%-", omit_empty_values=True),)) == "-"
    assert hashed((value("%REQ(x-none)%", omit_empty_values=True, skip_if_empty=True),)) is None
    assert hashed((value("%REQ(x-none)%", skip_if_empty=True),)) == "-"
    assert hashed((value("%REQ(x-user)%"),), "x-user:") == ""


def test_other_keys_and_what_cannot_be_hashed():
    assert hashed((value("a", "other"),)) is None
    assert hashed((value("a", is_hashable=False),)) is None


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ((value("a"), value("b")), "b"),
        ((value("a", read_only=True), value("b")), "a"),
        ((value("a"), value("b", read_only=True)), "a"),
        ((value("a"), value("b", is_hashable=False)), None),
        ((value("", skip_if_empty=True, read_only=True), value("b", read_only=True)), "b"),
    ],
)
def test_later_values(values, found):
    assert hashed(values) == found


def test_it_is_the_request_before_its_route_changes_it():
    rules = HeaderRules(request_add=(HeaderValue("x-user", "changed"),), request_remove=("x-user",))
    assert hashed((value("%REQ(x-user)%"),), "x-user: sent", rules=rules) == "sent"


def test_a_manager_without_the_filter_has_no_state():
    assert hashed(()) is None


def test_too_many_headers():
    with pytest.raises(ValueError, match="more than 64"):
        SetFilterState([value("%REQ(a)%" * 33), value("%REQ(b)%" * 32, "b")])
