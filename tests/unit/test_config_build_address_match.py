"""Actions that match addresses: what they become, and mistakes with their places."""

from typing import Any

import pytest

from fastproxy.model_descriptors import ActionKind, DescriptorAction, DescriptorRule
from tests.unit.config_files import errors, warnings
from tests.unit.test_config_build_descriptors import ROUTE, built

HERE = f"{ROUTE}.rate_limits[0].actions[0].remote_address_match"
TEN: dict[str, Any] = {"ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}]}


def rules(action, name="remote_address_match"):
    limit, _, report = built(action={"rate_limits": [{"actions": [{name: action}]}]})
    assert limit is not None
    return limit.rules, report


def match(**fields):
    return DescriptorAction(ActionKind.REMOTE_ADDRESS_MATCH, **{"key": "remote_address_match", "value": "v"} | fields)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"descriptor_value": "v", "address_matcher": TEN}, match(ranges=("10.0.0.0/8",))),
        (
            {
                "descriptor_value": "%REQ(x)%", "descriptor_key": "k", "default_value": "d",
                "address_matcher": {
                    "ranges": [{"address_prefix": "2001:db8::", "prefix_len": 32}, {"address_prefix": "10.0.0.1"}],
                    "invert_match": True,
                },
            },
            match(
                key="k", value="%REQ(x)%", default_value="d", expects_match=False,
                ranges=("2001:db8::/32", "10.0.0.1/0"),
            ),
        ),
        ({"descriptor_value": "v", "address_matcher": {}}, match()),
        (
            {"descriptorValue": "v", "descriptorKey": None, "addressMatcher": {"ranges": [{"addressPrefix": "::1"}]}},
            match(ranges=("::1/0",)),
        ),
    ],
    ids=["plain", "whole", "no ranges", "camel case"],
)  # fmt: skip
def test_actions(action, expected):
    found, report = rules(action)
    assert errors(report) == warnings(report) == []
    assert found == (DescriptorRule((expected,)),)


def test_the_name_in_camel_case():
    found, report = rules({"descriptor_value": "v", "address_matcher": TEN}, "remoteAddressMatch")
    assert errors(report) == []
    assert found == (DescriptorRule((match(ranges=("10.0.0.0/8",)),)),)


@pytest.mark.parametrize(
    ("action", "path", "message"),
    [
        ({"address_matcher": TEN}, "", '"descriptor_value" is required here'),
        ({"descriptor_value": "v"}, "", '"address_matcher" is required here'),
        ({"descriptor_value": "", "address_matcher": TEN}, ".descriptor_value", "must not be empty"),
        ({"descriptor_value": 5, "address_matcher": TEN}, ".descriptor_value", "expected a text, not the number 5"),
        (
            {"descriptor_value": "v", "adress_matcher": {}, "address_matcher": TEN}, ".adress_matcher",
            'there is no field "adress_matcher" in remote_address_match; did you mean "address_matcher"?',
        ),
        ({"descriptor_value": "v", "address_matcher": []}, ".address_matcher", "expected an object, not a list"),
        (
            {"descriptor_value": "v", "address_matcher": {"ranges": {}}}, ".address_matcher.ranges",
            "expected a list, not an object",
        ),
        (
            {"descriptor_value": "v", "address_matcher": {"ranges": [{"address_prefix": "here", "prefix_len": 8}]}},
            ".address_matcher.ranges[0]",
            '"here/8" is no range of IP addresses; 10.0.0.0 with prefix_len 8 is one',
        ),
        (
            {"descriptor_value": "v", "address_matcher": {"ranges": [{"address_prefix": "::", "prefix_len": 129}]}},
            ".address_matcher.ranges[0].prefix_len",
            "expected a whole number from 0 to 128, not the number 129",
        ),
        (
            {"descriptor_value": "v", "address_matcher": {**TEN, "invert_match": 1}}, ".address_matcher.invert_match",
            "expected true or false, not the number 1",
        ),
        (
            {"descriptor_value": "%RESPONSE_CODE%", "address_matcher": TEN}, ".descriptor_value",
            "only REQ and DOWNSTREAM_REMOTE_ADDRESS are known when the rate is limited",
        ),
        (
            {"descriptor_value": "50%", "address_matcher": TEN}, ".descriptor_value",
            "character 3: no operator begins with '%'; write %% for a percent",
        ),
    ],
)  # fmt: skip
def test_mistakes(action, path, message):
    assert errors(rules(action)[1]) == [(f"{HERE}{path}", message)]
