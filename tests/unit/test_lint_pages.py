"""Every piece of advice has a page: its bad example triggers that code and no other, its good example none."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from fastproxy import config
from fastproxy.config import codes, lint
from tests.unit import config_files as files

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "lint"
PAGES = sorted(FOLDER.glob("fp*.md"))
_BLOCK = re.compile(r"```yaml\n(.*?)```", re.S)


def places(document: Any) -> dict[str, dict[str, Any]]:
    """What an example may begin its parts with, as `# in the cluster`."""
    host = files.v3_manager(document)["route_config"]["virtual_hosts"][0]
    return {
        "admin": document["admin"],
        "the listener": files.v3_listener(document),
        "the connection manager": files.v3_manager(document),
        "the virtual host": host,
        "the match": files.v3_route(document)["match"],
        "the route action": files.v3_route(document)["route"],
        "the cluster": files.v3_cluster(document),
    }


def advice(folder: Path, example: str) -> set[str]:
    """The codes of advice that the small v3 file gets with the parts of an example put in their places."""
    document = files.v3_file()
    where = places(document)
    for part in re.split(r"^# in ", example, flags=re.M)[1:]:
        place, _, text = part.partition("\n")
        where[place].update(yaml.safe_load(text))
    path = folder / "example.json"
    path.write_text(json.dumps(document, indent=1))
    return {problem.code for problem in config.check(str(path)) if problem.code in lint.RULES}


def test_each_code_has_a_page():
    assert {page.stem.upper() for page in PAGES} == set(lint.RULES)
    assert len(lint.RULES) >= 15


def test_the_index_names_them_all():
    index = (FOLDER / "index.md").read_text()
    assert all(f"[{code}]({code.lower()}.md)" in index for code in lint.RULES)
    assert all(f"### {code}\n" in index for code in codes.TITLES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page(tmp_path, page):
    text = page.read_text()
    code = page.stem.upper()
    assert text.startswith(f"# {code}: ")
    bad, good = _BLOCK.findall(text)
    assert advice(tmp_path, bad) == {code}
    assert advice(tmp_path, good) == set()


def test_the_small_file_gets_none(tmp_path):
    assert advice(tmp_path, "") == set()
