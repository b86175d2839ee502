"""The table of limits in docs/reliability.md: its counters exist, and so do the tests that show its rows."""

import json
import re

import pytest
import yaml

from fastproxy.scopes import KINDS
from tests.support.source_tree import ROOT
from tests.unit import config_files

PAGE = ROOT / "docs" / "reliability.md"


def rows() -> list[list[str]]:
    section = PAGE.read_text().partition("## Limits and greedy clients\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


@pytest.mark.parametrize("row", rows(), ids=lambda row: str(row[0]))
def test_a_row(row):
    _, _, _, counters, _, test = row
    known = {name for names in KINDS.values() for name in names}
    for counter in re.findall(r"`([^`]+)`", counters):
        assert counter.rpartition(".")[2] in known
    path, _, name = test.partition(": ")
    assert f"def {name}(" in (ROOT / path).read_text()


def test_the_table_is_read():
    assert len(rows()) > 15


def test_the_example_of_descriptors_loads(tmp_path):
    section = PAGE.read_text().partition("### Rate limits by descriptor\n")[2].partition("\n### ")[0]
    (example,) = re.findall(r"```yaml\n(.*?)```", section, re.S)
    document = config_files.v3_file()
    filters = config_files.v3_manager(document)["http_filters"]
    filters[:0] = yaml.safe_load(example)
    found = config_files.load(tmp_path, json.dumps(document))
    assert found.warnings == ()
    limit = found.configuration.listeners[0].manager.limits.local_rate_limit
    assert limit is not None
    assert [each.is_wildcard for each in limit.descriptors] == [False, True]
