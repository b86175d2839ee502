"""What actions make of a request, and when there is no descriptor."""

import pytest

from fastproxy.descriptors import DescriptorRule
from fastproxy.model_descriptors import ActionKind, DescriptorAction
from fastproxy.model_descriptors import DescriptorRule as Rule
from fastproxy.model_matching import HeaderMatcher, QueryParameterMatcher, StringMatch, StringMatcher
from tests.unit.routes import head


def entries(*actions, path="/", headers=(), source="10.1.2.3", cluster=None, service="", **rest):
    ready = DescriptorRule(Rule(actions), service)
    return ready.descriptor_of(head(path, headers=headers, **rest), source, cluster)


def header(name, **fields):
    return DescriptorAction(ActionKind.REQUEST_HEADER, "k", name=name, **fields)


def parameter(name, **fields):
    return DescriptorAction(ActionKind.QUERY_PARAMETER, "k", name=name, **fields)


def value(text):
    return StringMatcher(StringMatch.EXACT, text)


FIXED = DescriptorAction(ActionKind.FIXED, "generic_key", "x")


def test_entries_stand_in_the_order_of_their_actions():
    found = entries(FIXED, header("x-k"), headers=(("x-k", "v"),))
    assert found == ((b"generic_key", b"x"), (b"k", b"v"))


@pytest.mark.parametrize(
    ("name", "headers", "expected"),
    [
        ("x-k", (("x-k", "a"), ("x-k", "b")), b"a"),
        ("x-k", (("x-k", ""),), b""),
        ("x-forwarded-for", (("x-forwarded-for", "a"), ("x-forwarded-for", "b")), b"a,b"),
        (":path", (), b"/p?q=1"),
        (":authority", (), b"h"),
        (":method", (), b"GET"),
        (":status", (), None),
        ("keep-alive", (("keep-alive", "5"),), None),
        ("x-other", (), None),
    ],
    ids=["repeated", "empty", "joined", "path", "authority", "method", "no-pseudo", "hop-by-hop", "absent"],
)
def test_a_header(name, headers, expected):
    found = entries(header(name), path="/p?q=1", headers=headers)
    assert found == (None if expected is None else ((b"k", expected),))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/?a=1&a=2", b"1"),
        ("/?b=1&%61=c%20d", b"c d"),
        ("/?a=c+d", b"c+d"),
        ("/?a=", b""),
        ("/?a", b""),
        ("/?aa=1", None),
        ("/a=1", None),
    ],
)
def test_a_query_parameter(path, expected):
    assert entries(parameter("a"), path=path) == (None if expected is None else ((b"k", expected),))


def test_what_is_absent_is_left_out_where_that_is_allowed():
    for action in (header("x-k", skip_if_absent=True), parameter("a", skip_if_absent=True)):
        assert entries(action, FIXED) == ((b"generic_key", b"x"),)
    assert entries(header("x-k"), FIXED) is None


@pytest.mark.parametrize(
    ("source", "bits", "expected"),
    [
        ("10.1.2.3", (32, 128), b"10.1.2.3/32"),
        ("10.1.255.3", (20, 128), b"10.1.240.0/20"),
        ("10.1.2.3", (0, 128), b"0.0.0.0/0"),
        ("2001:db8::ff01", (32, 64), b"2001:db8::/64"),
        ("2001:db8::ff01", (32, 121), b"2001:db8::ff00/121"),
    ],
)
def test_addresses(source, bits, expected):
    masked = DescriptorAction(
        ActionKind.MASKED_REMOTE_ADDRESS, "masked_remote_address", ipv4_bits=bits[0], ipv6_bits=bits[1]
    )
    plain = DescriptorAction(ActionKind.REMOTE_ADDRESS, "remote_address")
    assert entries(masked, plain, source=source) == (
        (b"masked_remote_address", expected),
        (b"remote_address", source.encode()),
    )


def test_clusters():
    here = DescriptorAction(ActionKind.SOURCE_CLUSTER, "source_cluster")
    there = DescriptorAction(ActionKind.DESTINATION_CLUSTER, "destination_cluster")
    assert entries(here, there, service="edge", cluster=b"c") == (
        (b"source_cluster", b"edge"),
        (b"destination_cluster", b"c"),
    )
    assert entries(here, there, service="edge") is None


@pytest.mark.parametrize("expects", [True, False])
def test_matches(expects):
    by_header = DescriptorAction(
        ActionKind.HEADER_MATCH, "h", "v", headers=(HeaderMatcher("x-k", value("1")),), expects_match=expects
    )
    by_query = DescriptorAction(
        ActionKind.QUERY_MATCH, "q", "v", query_parameters=(QueryParameterMatcher("a", value("b c")),),
        expects_match=expects,
    )  # fmt: skip
    found = {
        True: entries(by_header, by_query, path="/?a=b%20c", headers=(("x-k", "1"),)),
        False: entries(by_header, by_query, path="/?a=b+c", headers=(("x-k", "2"),)),
    }
    assert found == {expects: ((b"h", b"v"), (b"q", b"v")), (not expects): None}


def test_a_parameter_that_may_be_there_or_not():
    absent = DescriptorAction(
        ActionKind.QUERY_MATCH, "q", "v", query_parameters=(QueryParameterMatcher("a", present=False),)
    )
    assert entries(absent, path="/?b=%31") == ((b"q", b"v"),)
    assert entries(absent, path="/?a=%31") is None


RANGES = ("10.0.0.0/8", "2001:db8::/32")


@pytest.mark.parametrize(
    ("source", "expected"),
    [("10.255.0.1", True), ("11.0.0.1", False), ("2001:db8::1", True), ("2001:db9::1", False), ("::ffff:1", False)],
)
def test_an_address_in_a_range(source, expected):
    for inverted in (False, True):
        action = DescriptorAction(ActionKind.REMOTE_ADDRESS_MATCH, "k", "v", ranges=RANGES, expects_match=not inverted)
        found = entries(action, FIXED, source=source)
        assert found == (((b"k", b"v"), (b"generic_key", b"x")) if expected != inverted else None)


def test_without_ranges_no_address_is_in_one():
    assert entries(DescriptorAction(ActionKind.REMOTE_ADDRESS_MATCH, "k", "v")) is None


def test_ranges_that_are_none_are_no_model():
    with pytest.raises(ValueError, match="no range of addresses: here"):
        entries(DescriptorAction(ActionKind.REMOTE_ADDRESS_MATCH, "k", "v", ranges=("here",)))


def test_the_value_of_an_address_in_a_range_is_a_format():
    def found(headers=(), default=""):
        action = DescriptorAction(
            ActionKind.REMOTE_ADDRESS_MATCH, "k", "%REQ(x-k)%", ranges=RANGES, default_value=default
        )
        return entries(action, headers=headers)

    assert found((("x-k", "a"),)) == found((("x-k", "a"),), "d") == ((b"k", b"a"),)
    assert found(default="d") == found((("x-k", ""),), "d") == ((b"k", b"d"),)
    assert found() is None


def hits(text, **fields):
    ready = DescriptorRule(Rule((FIXED,), hits_format="%REQ(x-n)%", **fields))
    return ready.hits_of_request(head(headers=() if text is None else (("x-n", text),)), "10.1.2.3")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3), ("0", 0), ("007", 7), ("+7", 7), ("1.9", 1), ("1e2", 100), ("0x10", 16), ("1000000000", 1000000000),
        ("1000000001", None), ("18446744073709551616", None), ("-1", None), ("abc", None), ("3abc", None), ("", None),
        (None, None), ("nan", None), ("inf", None), ("1 2", None), ("1,2", None),
    ],
)  # fmt: skip
def test_hits_of_a_format(text, expected):
    """As Envoy 1.40 reads them."""
    assert hits(text) == expected


def test_hits_of_a_number():
    assert DescriptorRule(Rule((FIXED,), 5)).hits_of_request(head(), "10.1.2.3") == 5
    assert not DescriptorRule(Rule((FIXED,), 5)).gives_back
    assert DescriptorRule(Rule((FIXED,), 5, gives_back=True)).gives_back
