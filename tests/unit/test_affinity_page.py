"""Every configuration in docs/affinity.md loads, without a mistake or advice, and has sessions stay as it says."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from fastproxy import config
from fastproxy.model_affinity import ENGINE_IO
from tests.unit import config_files as files

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "affinity.md").read_text()
WHOLE, *PARTS = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
PRESET = re.compile(r"\b(?:mcp|sockjs|(?:cookie|header|query|json):[\w-]+)")
V1S = re.findall(r"```json\n(.*?)```", PAGE, re.S)


def places(document: Any) -> dict[str, Any]:
    """What an example may begin its parts with, as `# in the cluster`."""
    manager = files.v3_manager(document)
    return {
        "the connection manager": manager,
        "the fastproxy filter": manager["http_filters"][0]["typed_config"]["value"],
        "the virtual host": manager["route_config"]["virtual_hosts"][0],
        "the route action": files.v3_route(document)["route"],
        "the cluster": files.v3_cluster(document),
    }


def changed(parts: str) -> Any:
    """The page's whole file with the parts of an example put in their places."""
    document = copy.deepcopy(yaml.safe_load(WHOLE))
    where = places(document)
    for part in re.split(r"^# in ", parts, flags=re.M)[1:]:
        place, _, text = part.partition("\n")
        where[place].update(yaml.safe_load(text))
    return document


def loaded(folder: Path, document: Any) -> config.Loaded:
    found = files.load(folder, json.dumps(document))
    assert found.warnings == ()
    return found


def learned(found: config.Loaded) -> set[str]:
    """The names of what stays on its node, on any route."""
    manager = found.configuration.listeners[0].manager
    routes = [route for host in manager.route_config.virtual_hosts for route in host.routes]
    affinities = [manager.affinity, *(route.affinity for route in routes if route.affinity is not None)]
    return {protocol.name for affinity in affinities for protocol in affinity.protocols}


def test_the_whole_file(tmp_path):
    found = files.load(tmp_path, WHOLE, "a.yaml")
    assert found.warnings == ()
    assert learned(found) == {ENGINE_IO.name}


@pytest.mark.parametrize("parts", PARTS)
def test_each_change_of_it(tmp_path, parts):
    assert parts.startswith("# in ")
    found = learned(loaded(tmp_path, changed(parts)))
    named = set(
        re.findall(r"\b(?:mcp|sockjs|(?:cookie|header|query|json):[\w-]+)", "".join(re.findall("learn: .*", parts)))
    )
    assert named <= found
    assert (ENGINE_IO.name in found) is ("sid_affinity: false" not in parts)


def test_there_is_one_for_each_preset():
    text = "".join(PARTS)
    assert all(f"learn: [{preset}" in text for preset in ("mcp", "sockjs", "cookie:", "header:", "query:", "json:"))
    assert "issued: [" in text


@pytest.mark.parametrize("text", V1S)
def test_those_of_v1(tmp_path, text):
    found = files.load(tmp_path, text)
    assert found.warnings == ()
    assert learned(found) == {ENGINE_IO.name, "mcp", "cookie:JSESSIONID"}


def test_there_is_one_of_v1():
    assert len(V1S) == 1
