"""Connection managers of v1 that cannot be; what they mean is in test_v1_pairs.py."""

import json

import pytest

from fastproxy.config import v1
from tests.unit.config_files import MANAGER_PATH, errors, tree, v1_manager, warnings
from tests.unit.config_files import v1 as v1_file


def complaints(change):
    document = v1_file()
    change(document)
    root, report = tree(json.dumps(document, indent=1))
    v1.translate(root, report)
    return errors(report) + warnings(report)


def log(**log_filter):
    return {"access_log": [{"path": "/dev/null", "filter": log_filter}]}


@pytest.mark.parametrize(
    ("manager", "key", "message"),
    [
        (log(type="status_code", value=5), ".access_log[0].filter", 'the required key "op" is missing'),
        (log(type="duration", op="="), ".access_log[0].filter", 'the required key "value" is missing'),
        (
            log(type="logical_and", filters=[{"type": "runtime", "key": "k"}]),
            ".access_log[0].filter.filters",
            "this list needs at least 2 elements",
        ),
        (
            log(type="duration", op=">", value=1),
            ".access_log[0].filter.op",
            '">" is not possible here; use one of =, >=',
        ),
        (
            {"set_current_client_cert_details": ["Subjekt"]},
            ".set_current_client_cert_details[0]",
            '"Subjekt" is not possible here; did you mean "Subject"?',
        ),
        (
            {"filters": [{"name": "buffer", "config": {}}, {"name": "router", "config": {}}]},
            ".filters[0].config",
            'the required key "max_request_bytes" is missing',
        ),
        (
            {"filters": [{"name": "lua", "config": {}}, {"name": "router", "config": {}}]},
            ".filters[0].name",
            'the filter "lua" is not supported; use one of cors, fastproxy, router',
        ),
    ],
)
def test_mistakes(manager, key, message):
    assert (f"{MANAGER_PATH}{key}", message) in complaints(lambda d: v1_manager(d).update(manager))
