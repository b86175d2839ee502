"""Values of v1 in the form of v3."""

import pytest

from fastproxy.config import v1_values
from fastproxy.config.tree import plain
from tests.unit.config_files import errors, tree


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0, "0s"), (1, "0.001s"), (250, "0.250s"), (1000, "1s"), (61_005, "61.005s")]
)
def test_durations(milliseconds, text):
    node = v1_values.duration(tree(str(milliseconds))[0])
    assert node is not None
    assert node.value == text


def test_seconds():
    node = v1_values.duration(tree("840")[0], 1)
    assert node is not None
    assert node.value == "840s"


def test_no_duration():
    assert v1_values.duration(None) is None
    assert v1_values.duration(tree('"1"')[0]) is None


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("tcp://h:1", {"socket_address": {"address": "h", "port_value": 1}}),
        ("unix:///run/a", {"pipe": {"path": "/run/a"}}),
    ],
)
def test_addresses(url, address):
    root, report = tree(f'{{"url": "{url}"}}')
    assert plain(v1_values.address(root, "url", report, may_be_unix=True)) == address
    assert errors(report) == []


def test_an_address_that_is_missing_is_damaged():
    root, report = tree("{}")
    assert v1_values.address(root, "url", report).damaged


def test_flags_and_names():
    root, _ = tree('{"a": true, "b": false, "c": "v4_only"}')
    assert [v1_values.is_true(root.get(key)) for key in "abd"] == [True, False, False]
    name = v1_values.upper(root.get("c"))
    assert name is not None
    assert name.value == "V4_ONLY"
    assert v1_values.upper(None) is None


def test_headers():
    root, _ = tree('[{"key": "a", "value": "b"}]')
    added = v1_values.headers_to_add(root)
    assert added is not None
    assert plain(added) == [{"header": {"key": "a", "value": "b"}}]
    assert v1_values.headers_to_add(None) is None
