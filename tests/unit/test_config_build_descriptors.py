"""What tells requests apart whose rate is limited: buckets of descriptors, and what makes descriptors of requests."""

from typing import Any

import pytest

from fastproxy.config.build_affinity import Levels
from fastproxy.config.build_limits import LimitFilters
from fastproxy.model import DescriptorLimit, LocalRateLimit, TokenBucket
from fastproxy.model_descriptors import ActionKind, DescriptorAction, DescriptorRule
from fastproxy.model_matching import HeaderMatcher, QueryParameterMatcher, StringMatch, StringMatcher
from tests.unit.config_files import V3_MANAGER_PATH, errors, v3_file, v3_manager, v3_route, view, warnings
from tests.unit.test_config_build_limits import ROUTER, rate

FILTER = f"{V3_MANAGER_PATH}.http_filters[0].typed_config"
HOST = f"{V3_MANAGER_PATH}.route_config.virtual_hosts[0]"
ROUTE = f"{HOST}.routes[0].route"
HEADER_INPUT = {"@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput", "header_name": "a"}
BUCKET = {"max_tokens": 2, "fill_interval": "1s"}


def descriptor(*entries, **fields):
    pairs = [{"key": key, "value": value} if value else {"key": key} for key, value in entries]
    return {"entries": pairs, "token_bucket": BUCKET, **fields}


def generic(value, **fields):
    return {"actions": [{"generic_key": {"descriptor_value": value}}], **fields}


def fixed(value, key="generic_key"):
    return DescriptorAction(ActionKind.FIXED, key, value)


def made(*values):
    return tuple(DescriptorRule((fixed(value),)) for value in values)


def built(*, host=None, route=None, action=None, **fields):
    """What holds for the route and for the manager, and the report."""
    document = v3_file()
    given = rate(**{"descriptors": [descriptor(("generic_key", "x"))]} | fields)
    v3_manager(document)["http_filters"] = [{"name": "limit", "typed_config": given}, ROUTER]
    v3_manager(document)["route_config"]["virtual_hosts"][0].update(host or {})
    v3_route(document).update(route or {})
    v3_route(document)["route"].update(action or {})
    bootstrap, report = view(document)
    listener = bootstrap.child("static_resources").items("listeners")[0]
    manager = listener.items("filter_chains")[0].items("filters")[0].child("typed_config")
    config = manager.child("route_config")
    virtual_host = config.items("virtual_hosts")[0]
    limits = LimitFilters(manager, report)
    levels = Levels(manager, report)
    own = levels.at(virtual_host.items("routes")[0], levels.at(virtual_host, levels.at(config, levels.listener)))
    found = limits.at((virtual_host.items("routes")[0], virtual_host, config), own) or limits.listener
    return found.local_rate_limit, limits.listener.local_rate_limit, report


def test_buckets_of_descriptors():
    descriptors = [descriptor(("a", "b"), ("c", "")), descriptor(("a", "b"), shadow_mode=True)]
    limit, _, report = built(
        descriptors=descriptors,
        always_consume_default_token_bucket=False,
        local_rate_limit_per_downstream_connection=True,
    )
    assert isinstance(limit, LocalRateLimit)
    assert limit.descriptors == (
        DescriptorLimit((("a", "b"), ("c", "")), TokenBucket(2, 1, 1.0)),
        DescriptorLimit((("a", "b"),), TokenBucket(2, 1, 1.0), True),
    )
    assert (limit.always_takes_default, limit.per_connection) == (False, True)
    assert errors(report) == warnings(report) == []


def test_without_a_bucket_for_all_requests_those_of_descriptors_hold():
    limit, _, report = built(token_bucket=None)
    assert limit is not None
    assert limit.bucket is None
    assert errors(report) == warnings(report) == []


HEADERS = [{"name": "X-K", "string_match": {"exact": "1"}}]
PARAMETERS = [{"name": "q", "present_match": True}]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"source_cluster": {}}, DescriptorAction(ActionKind.SOURCE_CLUSTER, "source_cluster")),
        ({"destination_cluster": {}}, DescriptorAction(ActionKind.DESTINATION_CLUSTER, "destination_cluster")),
        ({"remote_address": {}}, DescriptorAction(ActionKind.REMOTE_ADDRESS, "remote_address")),
        (
            {"masked_remote_address": {"v4_prefix_mask_len": 24}},
            DescriptorAction(ActionKind.MASKED_REMOTE_ADDRESS, "masked_remote_address", ipv4_bits=24),
        ),
        (
            {"request_headers": {"header_name": "X-A", "descriptor_key": "k", "skip_if_absent": True}},
            DescriptorAction(ActionKind.REQUEST_HEADER, "k", name="x-a", skip_if_absent=True),
        ),
        (
            {"query_parameters": {"query_parameter_name": "Q", "descriptor_key": "k"}},
            DescriptorAction(ActionKind.QUERY_PARAMETER, "k", name="Q"),
        ),
        ({"generic_key": {"descriptor_value": "v", "descriptor_key": "k"}}, fixed("v", "k")),
        (
            {"header_value_match": {"descriptor_value": "v", "headers": HEADERS, "expect_match": False}},
            DescriptorAction(
                ActionKind.HEADER_MATCH, "header_match", "v",
                headers=(HeaderMatcher("x-k", StringMatcher(StringMatch.EXACT, "1")),), expects_match=False,
            ),
        ),
        (
            {"query_parameter_value_match": {"descriptor_value": "v", "query_parameters": PARAMETERS}},
            DescriptorAction(
                ActionKind.QUERY_MATCH, "query_match", "v", query_parameters=(QueryParameterMatcher("q"),)
            ),
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)  # fmt: skip
def test_actions(action, expected):
    limit, _, report = built(action={"rate_limits": [{"actions": [action]}]})
    assert errors(report) == warnings(report) == []
    assert limit is not None
    assert limit.rules == (DescriptorRule((expected,)),)


METADATA = {"metadata": {"filter_metadata": {"ours": {"tier": {"name": "gold"}, "number": 7}}}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [fixed("gold", "m")]),
        ({"metadata_key": {"key": "ours", "path": [{"key": "number"}]}}, None),
        ({"metadata_key": {"key": "ours", "path": [{"key": "number"}]}, "skip_if_absent": True}, []),
        ({"metadata_key": {"key": "theirs", "path": [{"key": "a"}]}, "default_value": "d"}, [fixed("d", "m")]),
        ({"source": "DYNAMIC"}, None),
    ],
    ids=["text", "no-text", "skipped", "default", "dynamic"],
)
def test_metadata_of_the_route(fields, expected):
    key = {"key": "ours", "path": [{"key": "tier"}, {"key": "name"}]}
    action = {"metadata": {"descriptor_key": "m", "metadata_key": key, "source": "ROUTE_ENTRY", **fields}}
    limit, _, report = built(route=METADATA, action={"rate_limits": [{"actions": [action]}]})
    assert errors(report) == warnings(report) == []
    assert limit is not None
    assert limit.rules == (() if expected is None else (DescriptorRule(tuple(expected)),))


def test_rules_at_another_stage_or_switched_off_do_not_count():
    rules = [generic("a", stage=2), generic("b"), generic("c", disable_key="off", stage=2)]
    limit, above, report = built(stage=2, action={"rate_limits": rules})
    assert limit is not None
    assert limit.rules == made("a")
    assert above is not None
    assert above.rules == ()
    assert errors(report) == warnings(report) == []


@pytest.mark.parametrize(
    ("option", "of_route", "of_action", "expected"),
    [
        ("OVERRIDE", ["r"], {}, ["r"]),
        ("OVERRIDE", [], {}, ["h"]),
        ("OVERRIDE", ["r"], {"include_vh_rate_limits": True}, ["r", "h"]),
        ("INCLUDE", ["r"], {}, ["r", "h"]),
        ("IGNORE", [], {}, []),
    ],
)
def test_rules_of_the_virtual_host(option, of_route, of_action, expected):
    rules = {"rate_limits": [generic(each) for each in of_route]} if of_route else {}
    limit, _, report = built(vh_rate_limits=option, host={"rate_limits": [generic("h")]}, action={**rules, **of_action})
    assert limit is not None
    assert limit.rules == made(*expected)
    assert errors(report) == []


def test_rules_of_the_filter_count_in_the_place_of_all_others():
    own = [generic("own", hits_addend={"number": 3}, x_ratelimit_option="OFF")]
    limit, above, report = built(rate_limits=own, action={"rate_limits": [generic("r")]})
    assert limit == above
    assert limit is not None
    assert limit.rules == (DescriptorRule((fixed("own"),), 3, False),)
    assert warnings(report) == [(f"{ROUTE}.rate_limits", "has no effect here: the filter has its own")]


@pytest.mark.parametrize(
    ("addend", "expected"),
    [
        ({"number": 2, "is_negative_hits": True}, {"hits": 2, "gives_back": True}),
        ({"number": 2, "isNegativeHits": False}, {"hits": 2}),
        ({"format": "%REQ(x-n)%"}, {"hits_format": "%REQ(x-n)%"}),
        (
            {"format": "%REQ(x-n?x-m):3%", "is_negative_hits": True},
            {"hits_format": "%REQ(x-n?x-m):3%", "gives_back": True},
        ),
    ],
    ids=["back", "not-back", "format", "format-back"],
)
def test_hits(addend, expected):
    limit, _, report = built(rate_limits=[generic("own", hits_addend=addend)])
    assert errors(report) == warnings(report) == []
    assert limit is not None
    assert limit.rules == (DescriptorRule((fixed("own"),), **expected),)


def test_what_is_of_no_use_is_told():
    unread = "has no effect here: no local_ratelimit filter with descriptors holds for this route"
    idle: list[dict[str, Any]] = [
        {"descriptors": []},
        {"token_bucket": None, "descriptors": [], "filter_enabled": None},
    ]
    for fields in idle:
        limit, _, report = built(action={"rate_limits": [generic("r")]}, **fields)
        assert limit is None or limit.rules == ()
        assert (f"{ROUTE}.rate_limits", unread) in warnings(report)
    report = built(action={"rate_limits": [generic("r", hits_addend={"number": 2}, apply_on_stream_done=True)]})[2]
    assert [path.rpartition(".")[2] for path, _ in warnings(report)] == ["hits_addend", "apply_on_stream_done"]
    limit, _, report = built(rate_limits=[generic("x", apply_on_stream_done=True)])
    assert limit is not None
    assert limit.rules == ()
    assert "never counted" in warnings(report)[0][1]


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"descriptors": [descriptor(("a", "b"))] * 2}, "descriptors[1]", "this descriptor has a bucket already"),
        (
            {"descriptors": [{**descriptor(("a", "b")), "token_bucket": {**BUCKET, "fill_interval": "0.01s"}}]},
            "descriptors[0].token_bucket.fill_interval",
            "has to be at least 0.05s, as in Envoy",
        ),
        (
            {"rate_limits": [generic("x", stage=1)]},
            "rate_limits[0].stage",
            "is not taken among the rate_limits of a filter, as in Envoy",
        ),
        (
            {"rate_limits": [generic("x", hits_addend={"number": 0})]},
            "rate_limits[0].hits_addend.number",
            "has to be from 1 on, as in Envoy: with 0 no request would pass",
        ),
        (
            {"rate_limits": [generic("x", hits_addend={"format": "%BYTES_RECEIVED%"})]},
            "rate_limits[0].hits_addend.format",
            "only REQ and DOWNSTREAM_REMOTE_ADDRESS are known when the rate is limited",
        ),
        (
            {"rate_limits": [generic("x", hits_addend={"format": "%REQ(a)%%REQ(b)%"})]},
            "rate_limits[0].hits_addend.format",
            'has to be one operator that tells of a header, such as "%REQ(x-cost)%"',
        ),
        (
            {"rate_limits": [generic("x", hits_addend={"is_negative_hits": True})]},
            "rate_limits[0].hits_addend",
            "a number or a format has to say how many there are, as in Envoy; write one of them",
        ),
        (
            {"rate_limits": [generic("x", hits_addend={"format": "%REQ(a)%", "number": 2})]},
            "rate_limits[0].hits_addend",
            "a number or a format has to say how many there are, as in Envoy; write one of them",
        ),
        (
            {"rate_limits": [generic("x", hits_addend={"number": 2, "is_negative_hits": 1})]},
            "rate_limits[0].hits_addend.is_negative_hits",
            "expected true or false, not the number 1",
        ),
        (
            {"rate_limits": [{"actions": [{"extension": {"name": "e", "typed_config": HEADER_INPUT}}]}]},
            "rate_limits[0].actions[0].extension",
            "actions of extensions are not supported; write request_headers, or one of the others",
        ),
    ],
)
def test_mistakes(fields, path, message):
    assert errors(built(**fields)[2]) == [(f"{FILTER}.{path}", message)]
