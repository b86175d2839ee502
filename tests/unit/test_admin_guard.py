"""What the admin refuses: mutations that no POST of its own pages asks for, and browsers that were led to it."""

import socket

import pytest

from fastproxy.admin.guard import is_private, refusal

BROWSER = {"User-Agent": "Mozilla/5.0"}


def status(method="GET", mutates=False, **headers):
    """The status of the refusal, None without one. Names are written with _ for -."""
    named = {"Host": "127.0.0.1:9901", **{name.replace("_", "-"): value for name, value in headers.items()}}
    found = refusal(method, named, mutates)
    return None if found is None else int(found.status)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "post"])
def test_only_a_post_changes_something(method):
    assert status(method, True) == 405
    assert status(method) is None


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, None),
        ({"Origin": "http://127.0.0.1:9901"}, None),
        ({"Origin": "http://127.0.0.1:9902"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "https://127.0.0.1:9901"}, 403),
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": ""}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "same-origin"}, None),
        ({"Sec_Fetch_Site": "none"}, None),
        ({"Host": "localhost:80", "Origin": "http://localhost"}, None),
    ],
)
def test_pages_of_other_sites_change_nothing(headers, refused):
    """What they only read they cannot see: no answer allows other origins."""
    assert status("POST", True, **headers) == refused
    assert status("POST", **headers) is None


@pytest.mark.parametrize("mark", ["Origin", "Referer", "Sec_Fetch_Site", "Sec_Fetch_Mode", "Accept_Language"])
def test_a_name_that_leads_a_browser_here(mark):
    """DNS rebinding: the page's own name resolves to the admin."""
    assert status(Host="evil.example:9901", **{mark: ""}) == 403
    assert status(Host="evil.example:9901", User_Agent="Mozilla/5.0") == 403
    assert status(Host="127.0.0.1:9901", **{mark: ""}) is None


def test_programs_may_use_any_name():
    assert status(Host="proxy.company.example:9901", User_Agent="Prometheus/2.50") is None
    assert status("POST", True, Host="proxy.company.example:9901", User_Agent="curl/8.5") is None


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.1.2.3:9901", "[::1]:9901", "localhost:9901", "LOCALHOST.", "proxy", "admin.internal", "a.b.svc",
     "proxy.ns.svc.cluster.local:9901", "box.home.arpa"],
)  # fmt: skip
def test_private(host):
    assert is_private(host)


@pytest.mark.parametrize(
    "host",
    ["", ":9901", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "1.ip6.arpa", "[::1", "a@b",
     "evil.example:9901:9901", "evil.example/", "[evil.example]", "local.evil.example",
     "evil.example#.local", "evil.example?.test"],
)  # fmt: skip
def test_not_private(host):
    assert not is_private(host)


def test_the_name_of_this_machine(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "Edge1.company.example")
    assert is_private("edge1.company.example:9901")
    assert not is_private("edge2.company.example:9901")
