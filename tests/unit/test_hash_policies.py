"""What each kind of hash policy finds in a request."""

import re
import socket

import pytest

from fastproxy._ring import xx_hash
from fastproxy.hashing import HashPolicies
from fastproxy.inspection import traced_hash
from fastproxy.model import (
    CookieHashPolicy,
    FilterStateHashPolicy,
    HashPolicy,
    HeaderHashPolicy,
    QueryParameterHashPolicy,
    SourceIpHashPolicy,
)


def head(*lines: str, path: str = "/") -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: example.com", *lines, "", ""]).encode("latin-1")


def value_of(policy: HashPolicy, *lines: str, path: str = "/", client: str = "") -> bytes | None:
    """The one value that the policy hashes; that this is its hash is checked on the way."""
    digest, cookies, (step,) = traced_hash(HashPolicies([policy]), head(*lines, path=path), client)
    assert cookies == []
    if step.values is None:
        assert (digest, step.hash) == (None, None)
        return None
    (value,) = step.values
    assert digest == step.hash == step.combined == xx_hash(value)
    return value


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ((), None),
        (("Cookie: sid=abc",), b"abc"),
        (("Cookie: a=1; sid=abc; b=2",), b"abc"),
        (("Cookie: a=1;sid=abc",), b"abc"),
        (("Cookie: a=1", "Cookie: sid=abc", "Cookie: sid=def"), b"abc"),
        (("Cookie: sid=abc; sid=def",), b"abc"),
        (('Cookie: sid="abc"; b=1',), b"abc"),
        (('Cookie: sid="abc',), b'"abc'),
        (('Cookie: sid="',), b'"'),
        (("Cookie: sid=a=b",), b"a=b"),
        (("Cookie: sid=; sid=abc",), None),
        (('Cookie: sid=""',), None),
        (("Cookie: sid",), None),
        (("Cookie: sid =abc",), None),
        (("Cookie: Sid=abc",), None),
        (("Cookie: xsid=abc; si=d",), None),
        (("Cookie: ;;; =; sid=abc",), b"abc"),
        (("Cookie2: sid=abc",), None),
    ],
)
def test_cookie(lines, found):
    assert value_of(CookieHashPolicy("sid"), *lines) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/", None),
        ("/?", None),
        ("/?sid=abc", b"abc"),
        ("/?sid=", b""),
        ("/?sid", b""),
        ("/?x=1&sid=a&sid=b", b"a"),
        ("/?sid=a%20b", b"a%20b"),
        ("/?Sid=a", None),
        ("/?xsid=a&sidx=b", None),
        ("/?&&sid=a", b"a"),
        ("/?sid=a=b", b"a=b"),
        ("/sid=a", None),
        ("/?a=?sid=b", None),
        ("/?a?&sid=b", b"b"),
    ],
)
def test_query_parameter(path, found):
    assert value_of(QueryParameterHashPolicy("sid"), path=path) == found


@pytest.mark.parametrize(("client", "found"), [("", None), ("10.1.2.3", b"10.1.2.3"), ("2001:db8::1", b"2001:db8::1")])
def test_source_ip(client, found):
    assert value_of(SourceIpHashPolicy(), client=client) == found


def test_without_a_filter_nothing_is_in_the_filter_state():
    assert value_of(FilterStateHashPolicy("key"), "key: value") is None


@pytest.mark.parametrize(
    ("regex", "substitution", "line", "found"),
    [
        ("^https?://[^/]+", "", "http://h/a?b", b"/a?b"),
        (r"user=(\w+)-(\w+)", r"\2.\1", "user=ab-cd user=ef-gh", b"cd.ab gh.ef"),
        ("a", "b", "", b""),
        ("a", r"\1", "a", b"a"),  # a group that the pattern does not have: nothing is replaced
    ],
)
def test_rewritten_header(regex, substitution, line, found):
    assert value_of(HeaderHashPolicy("x", regex=regex, substitution=substitution), f"X: {line}") == found


def test_rewritten_lines_are_sorted_behind_their_rewriting():
    policies = HashPolicies([HeaderHashPolicy("x", regex="^.", substitution="")])
    digest, _, (step,) = traced_hash(policies, head("X: 1b", "X: 2a"))
    assert step.values == [b"a", b"b"]
    assert digest == step.hash == xx_hash(b"b", xx_hash(b"a"))
    assert traced_hash(policies, head())[0] is None


def made(policy: CookieHashPolicy, *lines: str, fd: int = -1) -> list[bytes]:
    digest, cookies, (step,) = traced_hash(HashPolicies([policy]), head(*lines), fd=fd)
    if cookies:
        assert [step.set_cookie] == cookies
        value = re.search(rb'="(.*?)"', cookies[0])
        assert value is not None
        assert digest == xx_hash(value[1])
    return cookies


@pytest.fixture
def ends():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()[:2]) as client:
        accepted = server.accept()[0]
        with accepted:
            yield accepted, "{}:{}".format(*client.getsockname()) + "{}:{}".format(*server.getsockname())


@pytest.mark.parametrize(
    ("fields", "behind"),
    [
        ({"ttl_s": 0.0}, b"; HttpOnly"),
        ({"ttl_s": 0.9}, b"; HttpOnly"),
        ({"ttl_s": 1.9, "path": "/ck"}, b"; Max-Age=1; Path=/ck; HttpOnly"),
        ({"ttl_s": 60.0, "attributes": (("SameSite", "None"), ("Secure", ""))},
         b"; Max-Age=60; SameSite=None; Secure; HttpOnly"),
    ],
)  # fmt: skip
def test_a_cookie_that_is_missing_is_made_of_both_ends(ends, fields, behind):
    connection, text = ends
    value = f"{xx_hash(text.encode()):016x}".encode()
    for lines in [(), ("Cookie: sid=",), ("Cookie: other=1",)]:
        cookies = made(CookieHashPolicy("sid", **fields), *lines, fd=connection.fileno())
        assert cookies == [b'sid="' + value + b'"' + behind]


def test_no_cookie_is_made(ends):
    fd = ends[0].fileno()
    assert made(CookieHashPolicy("sid"), fd=fd) == []
    assert made(CookieHashPolicy("sid", path="/"), fd=fd) == []
    assert made(CookieHashPolicy("sid", ttl_s=60.0), "Cookie: sid=abc", fd=fd) == []
    assert made(CookieHashPolicy("sid", ttl_s=60.0)) == []


def test_names_for_people():
    policies = HashPolicies(
        [
            HeaderHashPolicy("referer", True), CookieHashPolicy("sid"), QueryParameterHashPolicy("q"),
            SourceIpHashPolicy(), FilterStateHashPolicy("k"),
        ]
    )  # fmt: skip
    assert [each.name for each in policies.policies] == [
        'header "referer"', 'cookie "sid"', 'query parameter "q"', "source IP", 'filter state "k"'
    ]  # fmt: skip
    assert [each.terminal for each in policies.policies] == [True, False, False, False, False]
    assert not policies.makes_cookies
    assert HashPolicies([CookieHashPolicy("sid", ttl_s=0.0)]).makes_cookies
