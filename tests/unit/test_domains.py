"""Which pattern of many an authority falls under."""

import pytest

from fastproxy.domains import Domains
from fastproxy.model import Route, VirtualHost
from tests.unit.routes import ANY, ask, table


def domain_of(authority, *patterns, **fields):
    hosts = [VirtualHost(pattern, (pattern,), (Route(ANY, "a"),)) for pattern in patterns]
    return ask(table(*hosts, **fields), host=authority)["domain"]


@pytest.mark.parametrize(
    ("authority", "domain"),
    [
        ("a.example.com", "a.example.com"),
        ("A.Example.COM", "a.example.com"),
        ("b.example.com", "*.example.com"),
        ("x.B.example.com", "*.b.example.com"),
        (".b.example.com", "*.example.com"),
        ("example.com", "*"),
        ("api.v1", "api.*"),
        ("api.v1.more", "api.v1.*"),
        ("api.", "*"),
        ("a.example.com:80", "*"),
        ("Upper.test", "UPPER.test"),
    ],
)
def test_exact_then_longest_suffix_then_longest_prefix_then_any(authority, domain):
    patterns = ("*", "api.*", "api.v1.*", "*.example.com", "*.b.example.com", "a.example.com", "UPPER.test")
    assert domain_of(authority, *patterns) == domain


def test_a_suffix_comes_before_a_prefix():
    assert domain_of("api.com", "api.*", "*.com") == "*.com"


def test_none():
    assert domain_of("b.com", "a.com", "*.a.com", "b.*.com") is None


def test_two_stars():
    assert domain_of("a*", "**") == "**"
    assert domain_of("a", "**") is None


@pytest.mark.parametrize(
    ("authority", "found"),
    [("a.com:80", "a.com"), ("a.com", "a.com"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("A.com:", "a.com")],
)
def test_the_port_may_be_ignored(authority, found):
    assert domain_of(authority, "a.com", "[::1]", ignore_port_in_host_matching=True) == found
    assert domain_of("a.com:80", "a.com", ignore_port_in_host_matching=False) is None


def test_many():
    """As many as a table of their number can hold, and each is found."""
    names = [f"host-{number}.example" for number in range(3000)]
    hosts = [VirtualHost(name, (name, f"*.{name}"), (Route(ANY, "a"),)) for name in names]
    routes = table(*hosts)
    for name in names[::7]:
        assert ask(routes, host=name)["virtual_host"] == name
        assert ask(routes, host=f"x.{name}")["domain"] == f"*.{name}"
    assert ask(routes, host="host-3000.example")["domain"] is None


def test_numbers_of_patterns():
    domains = Domains([("a", "b"), ("*",)])
    assert (domains.patterns, domains.owners) == (("a", "b", "*"), (0, 0, 1))
