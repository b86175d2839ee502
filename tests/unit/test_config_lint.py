"""Advice as a whole; each rule is tested with its module, and with its page."""

from pathlib import Path

import pytest

from fastproxy import config
from fastproxy.config import lint
from fastproxy.errors import Severity
from tests.unit.config_files import V3_ROUTE_PATH, load, v3_file, v3_route

ROOT = Path(__file__).resolve().parents[2]


def test_advice_has_its_place_and_its_code(tmp_path):
    document = v3_file()
    v3_route(document)["route"]["hash_policy"] = [{"header": {"header_name": "referrer"}}]
    [problem] = load(tmp_path, document).warnings
    assert (problem.line, problem.column, problem.severity) == (45, 34, Severity.WARNING)
    assert problem.describe().endswith(
        f": {V3_ROUTE_PATH}.route.hash_policy[0].header.header_name: warning: "
        'no client sends a header "referrer", so the ring would choose at random; write "referer" [FP101]'
    )


@pytest.mark.parametrize("name", ["envoy.json", "envoy2.json"])
def test_no_false_alarm(name):
    assert config.check(str(ROOT / name)) == ()


def test_codes_are_in_order():
    assert list(lint.RULES) == sorted(lint.RULES)
    assert all(code.startswith("FP1") and len(code) == 5 for code in lint.RULES)
