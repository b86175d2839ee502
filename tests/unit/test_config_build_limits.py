"""Envoy's filters that limit: what they say for a connection manager, and what routes say in their place."""

import pytest

from fastproxy.config.build_affinity import Levels
from fastproxy.config.build_limits import LimitFilters
from fastproxy.model import HeaderValue, LocalRateLimit, TokenBucket, TrafficLimits
from tests.unit.config_files import EXTENSIONS, V3_MANAGER_PATH, errors, v3_file, v3_manager, v3_route, view, warnings

HTTP = f"{EXTENSIONS}filters.http."
ROUTER = {"name": "router", "typed_config": {"@type": f"{HTTP}router.v3.Router"}}
DISABLED = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}
ALL = {"default_value": {"numerator": 100}}
BUCKET = {"max_tokens": 5, "fill_interval": "1s"}
PLACE = f"{V3_MANAGER_PATH}.http_filters[0].typed_config"


def rate(**fields):
    given = {"stat_prefix": "p", "token_bucket": BUCKET, "filter_enabled": ALL, "filter_enforced": ALL}
    return {"@type": f"{HTTP}local_ratelimit.v3.LocalRateLimit", **given, **fields}


def size(number):
    return {"@type": f"{HTTP}buffer.v3.Buffer", "max_request_bytes": number}


def size_for_route(**fields):
    return {"@type": f"{HTTP}buffer.v3.BufferPerRoute", **fields}


def built(*filters, route=None, host=None):
    """The limits of the manager and of its route, and the report."""
    document = v3_file()
    named = [{"name": f"limit{place}", "typed_config": each} for place, each in enumerate(filters)]
    v3_manager(document)["http_filters"] = [*named, ROUTER]
    if route is not None:
        v3_route(document)["typed_per_filter_config"] = route
    if host is not None:
        v3_manager(document)["route_config"]["virtual_hosts"][0]["typed_per_filter_config"] = host
    bootstrap, report = view(document)
    assert errors(report) == []
    listener = bootstrap.child("static_resources").items("listeners")[0]
    manager = listener.items("filter_chains")[0].items("filters")[0].child("typed_config")
    config = manager.child("route_config")
    virtual_host = config.items("virtual_hosts")[0]
    limits = LimitFilters(manager, report)
    levels = Levels(manager, report)
    own = levels.at(virtual_host.items("routes")[0], levels.at(virtual_host, levels.at(config, levels.listener)))
    return limits.listener, limits.at((virtual_host.items("routes")[0], virtual_host, config), own), report


def test_a_rate():
    limits, route, report = built(rate())
    expected = LocalRateLimit("p", PLACE, TokenBucket(5, 1, 1.0), 429, 1_000_000, 1_000_000)
    assert (limits, route) == (TrafficLimits(expected), None)
    assert warnings(report) == []


def test_all_that_a_rate_may_say():
    value = {"header": {"key": "X-A", "value": "b"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    limits, _, report = built(
        rate(
            status={"code": 503},
            token_bucket={"max_tokens": 5, "tokens_per_fill": 3, "fill_interval": "0.5s"},
            filter_enabled={"default_value": {"numerator": 50}},
            filter_enforced={"default_value": {"numerator": 1, "denominator": "TEN_THOUSAND"}},
            response_headers_to_add=[value],
            request_headers_to_add_when_not_enforced=[value],
            enable_x_ratelimit_headers="DRAFT_VERSION_03",
        )
    )
    found = limits.local_rate_limit
    assert found is not None
    assert (found.status, found.bucket) == (503, TokenBucket(5, 3, 0.5))
    assert (found.enabled, found.enforced, found.tells_clients) == (500_000, 100, True)
    (header,) = found.response_add
    assert (header.key, header.value, found.request_add) == ("x-a", "b", (header,))
    assert isinstance(header, HeaderValue)
    assert warnings(report) == []


@pytest.mark.parametrize("code", [200, 302])
def test_a_status_that_is_no_failure_becomes_429(code):
    found = built(rate(status={"code": code}))[0].local_rate_limit
    assert found is not None
    assert found.status == 429


def test_without_filter_enabled_nothing_is_limited_as_in_envoy():
    limits, _, report = built({**rate(), "filter_enabled": None})
    assert limits.local_rate_limit is not None
    assert limits.local_rate_limit.enabled == 0
    assert "filter_enabled" in warnings(report)[0][1]


def test_without_a_bucket_nothing_is_limited():
    limits, _, report = built(rate(token_bucket=None))
    assert limits == TrafficLimits()
    assert "token_bucket" in warnings(report)[0][1]


def test_a_route_that_limits_without_a_bucket_is_refused_as_by_envoy():
    report = built(rate(), route={"limit0": rate(token_bucket=None)})[2]
    message = '"token_bucket" is missing, which a route has to say itself, as in Envoy'
    assert [text for _, text in errors(report)] == [message]


def test_an_interval_below_that_of_envoy():
    report = built(rate(token_bucket={"max_tokens": 1, "fill_interval": "0.01s"}))[2]
    assert errors(report) == [(f"{PLACE}.token_bucket.fill_interval", "has to be at least 0.05s, as in Envoy")]


def test_a_route_says_it_in_place_of_the_filter():
    above = rate(stat_prefix="above")
    _, route, _ = built(rate(), size(7), route={"limit0": rate(stat_prefix="route")}, host={"limit0": above})
    assert route is not None
    assert route.local_rate_limit is not None
    assert (route.local_rate_limit.stat_prefix, route.max_request_bytes) == ("route", 7)
    _, route, _ = built(rate(), host={"limit0": above})
    assert route is not None
    assert route.local_rate_limit is not None
    assert route.local_rate_limit.stat_prefix == "above"


def test_a_route_without_the_limits_of_the_filters():
    _, route, _ = built(rate(), size(7), route={"limit0": DISABLED, "limit1": size_for_route(disabled=True)})
    assert route == TrafficLimits()


def test_a_size():
    limits, route, report = built(size(7), route={"limit0": size_for_route(buffer={"max_request_bytes": 9})})
    assert (limits.max_request_bytes, route) == (7, TrafficLimits(max_request_bytes=9))
    assert warnings(report) == errors(report) == []


def test_settings_of_a_filter_that_is_not_there_do_nothing():
    assert built(size(7), route={"other": rate()})[1] is None


def test_one_filter_of_each_type():
    limits, _, report = built(rate(), rate(stat_prefix="second"))
    assert limits.local_rate_limit is not None
    assert limits.local_rate_limit.stat_prefix == "p"
    message = "there is a filter of this type already; one of each counts"
    assert errors(report) == [(f"{V3_MANAGER_PATH}.http_filters[1]", message)]
