"""Whose pages may use a route."""

import pytest

from fastproxy.inspection import admits_origin
from fastproxy.model_routes import OriginPolicy as Model
from fastproxy.origins import OriginPolicy
from tests.unit.engine_world import get, handshake

HOST = "example.com"


def admits(origins, *lines, is_required=False, is_engine_io=False, head=get):
    policy = OriginPolicy(Model(tuple(origins.split()), is_required))
    return admits_origin(policy, head("/", *lines), is_engine_io)


@pytest.mark.parametrize(
    ("origins", "origin", "admitted"),
    [
        ("https://a.example", "https://a.example", True),
        ("https://a.example", "HTTPS://A.example", True),
        ("https://a.example", "http://a.example", False),
        ("https://a.example", "https://a.example:8443", False),
        ("https://a.example", "https://a.example.evil.test", False),
        ("https://a.example", "https://xa.example", False),
        ("https://a.example", "null", False),
        ("https://a.example", "", False),
        ("null", "null", True),
        ("https://b.example https://a.example", "https://a.example", True),
        ("https://*.a.example", "https://b.a.example", True),
        ("https://*.a.example", "https://c.b.a.example", True),
        ("https://*.a.example", "https://a.example", False),
        ("https://*.a.example", "https://.a.example", False),
        ("https://*.a.example", "https://evil.test/.a.example", False),
        ("https://*.a.example", "https://evil.test:1.a.example", False),
        ("https://*.a.example", "https://evil.test@b.a.example", False),
        ("https://*.a.example", "https://ba.example", False),
        ("https://*.a.example", "http://b.a.example", False),
        ("https://*.a.example:8443", "https://b.a.example:8443", True),
        ("https://*.a.example:8443", "https://b.a.example", False),
        ("*", "https://any.test", True),
        ("same", "https://example.com", True),
        ("same", "http://EXAMPLE.com", True),
        ("same", "http://example.com:80", True),
        ("same", "http://example.com:8080", False),
        ("same", "https://example.com.evil.test", False),
        ("same", "https://sub.example.com", False),
        ("same", "example.com", False),
        ("same", "null", False),
    ],
)
def test_lists(origins, origin, admitted):
    assert admits(origins, f"Origin: {origin}") == admitted
    assert admits(origins, f"Origin: {origin}", head=handshake) == admitted


@pytest.mark.parametrize(
    ("host", "origin", "admitted"),
    [
        ("a.test:8080", "http://a.test:8080", True),
        ("a.test:443", "https://a.test", True),
        ("a.test:80", "https://a.test", False),
        ("[::1]:3000", "http://[::1]:3000", True),
    ],
)
def test_the_same_host(host, origin, admitted):
    head = get("/", f"Origin: {origin}").replace(b"example.com", host.encode())
    assert admits_origin(OriginPolicy(Model(("same",))), head) == admitted


def test_two_origins_are_none():
    assert not admits("* https://a.example", "Origin: https://a.example", "Origin: https://a.example")


def test_a_request_without_an_origin():
    assert admits("https://a.example")
    assert admits("https://a.example", is_required=True)
    assert admits("https://a.example", head=handshake)
    assert not admits("https://a.example", head=handshake, is_required=True)


@pytest.mark.parametrize(("site", "admitted"), [("cross-site", False), ("same-site", False), ("same-origin", True)])
def test_a_script_of_another_page_that_polls(site, admitted):
    line = f"Sec-Fetch-Site: {site}"
    assert admits("https://a.example", line, is_engine_io=True) == admitted
    assert admits("https://a.example", line)
    assert admits("*", line, is_engine_io=True)
