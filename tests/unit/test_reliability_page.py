"""Every configuration in docs/reliability.md that is about the health of nodes loads, without a mistake or advice."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.unit import config_files as files

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reliability.md").read_text()
SECTION = PAGE.partition("\n## Health of nodes\n")[2].partition("\n## ")[0]
PARTS = re.findall(r"```yaml\n(.*?)```", SECTION, re.S)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_of_a_cluster(tmp_path, part):
    document = files.v3_file()
    fields = yaml.safe_load(part)
    files.v3_cluster(document).update(fields)
    found = files.load(tmp_path, json.dumps(document))
    assert found.warnings == ()
    (cluster,) = found.configuration.clusters
    assert (cluster.health_check is not None, cluster.outlier_detection is not None) == (
        "health_checks" in fields,
        "outlier_detection" in fields,
    )


def test_there_are_some():
    assert len(PARTS) == 3
