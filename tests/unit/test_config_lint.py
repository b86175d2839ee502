"""What is allowed and cannot be meant."""

import pytest

from fastproxy.config import lint
from fastproxy.config.build import build
from tests.unit.config_files import V3_ROUTE_PATH, errors, v3_cluster, v3_file, v3_route, view, warnings


def linted(change):
    document = v3_file()
    change(document)
    bootstrap, report = view(document)
    lint.check(bootstrap, build(bootstrap, report), report)
    assert errors(report) == []
    return warnings(report)


def hash_on(name):
    return lambda d: v3_route(d)["route"].update(hash_policy=[{"header": {"header_name": name}}])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("referrer", "referer"),
        ("Referrer", "referer"),
        ("refferer", "referer"),
        ("user_agent", "user-agent"),
        ("x-forwaded-for", "x-forwarded-for"),
        ("cookies", "cookie"),
        ("autorization", "authorization"),
        ("x-real-p", "x-real-ip"),
    ],
)
def test_misspelt_headers(name, meant):
    assert lint.misspelt(name) == meant


@pytest.mark.parametrize(
    "name", ["referer", "Referer", ":path", ":authority", "x-sid", "x-user", "x-key", "session", "sid"]
)
def test_headers_that_are_meant(name):
    assert lint.misspelt(name) is None


def test_the_warning_has_its_place():
    assert linted(hash_on("referrer")) == [
        (
            f"{V3_ROUTE_PATH}.route.hash_policy[0].header.header_name",
            'no client sends a header "referrer", so the ring would choose at random; write "referer"',
        )
    ]
    assert linted(hash_on("referer")) == []


def test_a_hash_that_nothing_asks_for():
    def change(document):
        hash_on("referer")(document)
        v3_cluster(document)["lb_policy"] = "ROUND_ROBIN"

    assert linted(change) == [
        (
            f"{V3_ROUTE_PATH}.route.hash_policy",
            'has no effect here: the balancer of the cluster "nodes" is not ring_hash',
        )
    ]
