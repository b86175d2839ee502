"""Metadata for load balancing."""

from typing import Any

import pytest
from envoy.config.core.v3.base_pb2 import Metadata
from google.protobuf.json_format import ParseDict

from fastproxy.config.build_metadata import balancing_metadata, host_labels_of, labels_of


def fields(**found: Any) -> dict[str, Any]:
    return balancing_metadata(ParseDict({"filter_metadata": {"envoy.lb": found, "other": {"a": 1}}}, Metadata()))


def test_nothing_is_said() -> None:
    assert balancing_metadata(Metadata()) == {}
    assert balancing_metadata(ParseDict({"filter_metadata": {"other": {"a": 1}}}, Metadata())) == {}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("prod", '"prod"'),
        (True, "true"),
        (None, "null"),
        (1, "1.0"),
        (1.5, "1.5"),
        (-0.0, "0.0"),
        ({"b": 1, "a": [True]}, '{"a":[true],"b":1.0}'),
    ],
)
def test_values(value: object, text: str) -> None:
    assert labels_of(fields(x=value)) == (("x", text),)
    assert host_labels_of(fields(x=value)) == (("x", (text,)),)


def test_a_list_of_a_host_stands_for_any_of_its_members() -> None:
    found = fields(b=["x", 2], a=[])
    assert host_labels_of(found) == (("a", ()), ("b", ('"x"', "2.0")))
    assert labels_of(found) == (("a", "[]"), ("b", '["x",2.0]'))
