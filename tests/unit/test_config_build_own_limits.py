"""Limits that only our own filter has: for a listener, for routes, and what is wrong with them."""

import pytest

from fastproxy.config import build
from fastproxy.model import ConcurrentTunnels, Rate, TrafficLimits, TunnelLimits
from fastproxy.model_affinity import IdPlace, IdSource
from tests.unit.config_files import V3_ROUTE_PATH, errors, load, v1, v1_manager, v3_file, view
from tests.unit.test_config_build_affinity import VALUE, at_listener, at_route, ours

ROUTE_VALUE = f"{V3_ROUTE_PATH}.typed_per_filter_config.fastproxy.value"


def built(*changes):
    document = v3_file()
    for change in changes:
        change(document)
    bootstrap, report = view(document)
    configuration = build.build(bootstrap, report)
    manager = configuration.listeners[0].manager
    return manager, manager.route_config.virtual_hosts[0].routes[0].limits, report


def limits_of(**value):
    manager, route, report = built(at_listener(value))
    assert errors(report) == []
    assert route is None
    return manager.limits


def test_handshakes():
    assert limits_of(handshake_rate={"per_second": 50}) == TrafficLimits(
        handshakes=Rate(f"{VALUE}.handshake_rate", 50.0, 50)
    )
    assert limits_of(handshake_rate_per_address={"per_second": 0.5, "burst": 7}) == TrafficLimits(
        handshakes_per_address=Rate(f"{VALUE}.handshake_rate_per_address", 0.5, 7)
    )
    assert limits_of(handshake_rate={"per_second": 0.5}).handshakes == Rate(f"{VALUE}.handshake_rate", 0.5, 1)


def test_tunnels():
    found = limits_of(
        tunnel_limits={
            "messages_per_second": 10, "message_burst": 20, "bytes_per_second": 1000, "max_message_bytes": 5,
            "when_exceeded": "close", "max_concurrent": 3, "concurrent_per": "header:X-User",
        }
    )  # fmt: skip
    assert found.tunnels == TunnelLimits(10, 20, 1000, 1000, 5, True)
    assert found.concurrent_tunnels == ConcurrentTunnels(
        f"{VALUE}.tunnel_limits", 3, IdPlace(IdSource.HEADER, "x-user")
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, None), ({"concurrent_per": "address"}, None), ({"concurrent_per": "query:u"}, IdPlace(IdSource.QUERY, "u")),
     ({"concurrent_per": "cookie:U"}, IdPlace(IdSource.COOKIE, "U"))],
)  # fmt: skip
def test_keys_of_tunnels(given, expected):
    found = limits_of(tunnel_limits={"max_concurrent": 3, **given})
    assert found.tunnels is None
    assert found.concurrent_tunnels is not None
    assert found.concurrent_tunnels.key == expected


def test_urls_and_connections():
    assert limits_of(max_url_bytes=2000) == TrafficLimits(max_url_bytes=2000)
    manager, _, report = built(at_listener({"max_connections_per_address": 20}))
    assert (manager.max_connections_per_address, errors(report)) == (20, [])


def test_a_route_says_more_and_inherits_the_rest():
    _, route, report = built(at_listener({"max_url_bytes": 9}), at_route(ours(handshake_rate={"per_second": 2})))
    assert errors(report) == []
    assert route == TrafficLimits(max_url_bytes=9, handshakes=Rate(f"{ROUTE_VALUE}.handshake_rate", 2.0, 2))


def test_v1_has_them_too(tmp_path):
    document = v1()
    ours_in_v1 = {"name": "fastproxy", "config": {"max_url_bytes": 9, "max_connections_per_address": 3}}
    v1_manager(document)["filters"] = [ours_in_v1, {"name": "router", "config": {}}]
    manager = load(tmp_path, document).configuration.listeners[0].manager
    assert (manager.limits, manager.max_connections_per_address) == (TrafficLimits(max_url_bytes=9), 3)


@pytest.mark.parametrize(
    ("value", "path", "message"),
    [
        ({"handshake_rate": 5}, "handshake_rate", "expected an object"),
        ({"handshake_rate": {}}, "handshake_rate", '"per_second" is missing'),
        ({"handshake_rate": {"per_second": 0}}, "handshake_rate.per_second", "expected a number from 0.01"),
        ({"handshake_rate": {"per_second": 1, "burst": 0}}, "handshake_rate.burst", "expected a whole number from 1"),
        ({"handshake_rate": {"per_secnd": 1}}, "handshake_rate.per_secnd", 'did you mean "per_second"?'),
        ({"tunnel_limits": []}, "tunnel_limits", "expected an object"),
        ({"tunnel_limits": {"byte_burst": 5}}, "tunnel_limits.byte_burst", 'no effect without "bytes_per_second"'),
        ({"tunnel_limits": {"when_exceeded": "kill"}}, "tunnel_limits.when_exceeded", "expected pause or close"),
        ({"tunnel_limits": {"concurrent_per": "address"}}, "tunnel_limits.concurrent_per", '"max_concurrent"'),
        (
            {"tunnel_limits": {"max_concurrent": 1, "concurrent_per": "path"}},
            "tunnel_limits.concurrent_per",
            "expected address, header:NAME",
        ),
        ({"max_url_bytes": 0}, "max_url_bytes", "expected a whole number from 1"),
        ({"max_connections_per_address": "2"}, "max_connections_per_address", "expected a whole number from 1"),
    ],
)
def test_mistakes(value, path, message):
    found = errors(built(at_listener(value))[2])
    assert any(where == f"{VALUE}.{path}" and message in words for where, words in found), found


def test_connections_are_counted_for_a_whole_listener():
    found = errors(built(at_route(ours(max_connections_per_address=2)))[2])
    message = "counts for a whole listener; write it to the entry in http_filters"
    assert found == [(f"{ROUTE_VALUE}.max_connections_per_address", message)]
