"""Normalization of paths and authorities, from the file to the model."""

import pytest

from fastproxy.config.build import build
from fastproxy.model import NO_NORMALIZATION, EscapedSlashesAction, Normalization, StripPort
from tests.unit.config_files import V3_MANAGER_PATH, errors, v3_file, v3_manager, view


def built(**fields):
    document = v3_file()
    v3_manager(document).update(fields)
    bootstrap, report = view(document)
    return build(bootstrap, report), errors(report)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, NO_NORMALIZATION),
        ({"normalize_path": False, "strip_any_host_port": False}, NO_NORMALIZATION),
        ({"path_with_escaped_slashes_action": "IMPLEMENTATION_SPECIFIC_DEFAULT"}, NO_NORMALIZATION),
        ({"normalize_path": True}, Normalization(normalize_path=True)),
        ({"merge_slashes": True}, Normalization(merge_slashes=True)),
        ({"strip_trailing_host_dot": True}, Normalization(strip_trailing_host_dot=True)),
        ({"strip_any_host_port": True}, Normalization(strip_port=StripPort.ANY)),
        ({"strip_matching_host_port": True}, Normalization(strip_port=StripPort.MATCHING)),
        (
            {"strip_matching_host_port": True, "strip_any_host_port": False},
            Normalization(strip_port=StripPort.MATCHING),
        ),
    ],
)
def test_fields(fields, expected):
    configuration, mistakes = built(**fields)
    assert (configuration.listeners[0].manager.normalization, mistakes) == (expected, [])


@pytest.mark.parametrize("action", EscapedSlashesAction)
def test_escaped_slashes(action):
    configuration, mistakes = built(path_with_escaped_slashes_action=action.name)
    assert (configuration.listeners[0].manager.normalization.escaped_slashes, mistakes) == (action, [])


def test_a_port_is_stripped_in_one_way():
    _, mistakes = built(strip_matching_host_port=True, strip_any_host_port=True)
    message = "strip_matching_host_port and strip_any_host_port may not stand together; remove one of them"
    assert mistakes == [(f"{V3_MANAGER_PATH}.strip_any_host_port", message)]
