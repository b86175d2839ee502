"""One feature after the other in the words of v1 and in those of v3: both mean the same.

A pair says what is changed in a small file of each dialect, place by place; null removes a key.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from fastproxy.config import v1 as translation
from fastproxy.config import v3
from fastproxy.config.build import build
from fastproxy.config.tree import Report
from tests.unit import config_files as files
from tests.unit.config_files import errors, tree

DATA = Path(__file__).resolve().parents[1] / "data" / "config" / "v1-v3-pairs.json"
PAIRS = json.loads(DATA.read_text())


def v1_places(document: Any) -> dict[str, Any]:
    routes = files.v1_manager(document)["route_config"]
    return {
        "listener": document["listeners"][0],
        "manager": files.v1_manager(document),
        "route_config": routes,
        "virtual_host": routes["virtual_hosts"][0],
        "route": files.v1_route(document),
        "cluster": files.v1_cluster(document),
    }


def v3_places(document: Any) -> dict[str, Any]:
    routes = files.v3_manager(document)["route_config"]
    return {
        "listener": files.v3_listener(document),
        "manager": files.v3_manager(document),
        "route_config": routes,
        "virtual_host": routes["virtual_hosts"][0],
        "route": files.v3_route(document),
        "match": files.v3_route(document)["match"],
        "action": files.v3_route(document)["route"],
        "cluster": files.v3_cluster(document),
    }


def changed(places: dict[str, Any], changes: dict[str, Any]) -> None:
    for place, members in changes.items():
        for key, value in members.items():
            if value is None:
                del places[place][key]
            else:
                places[place][key] = value


def explicit() -> Any:
    """The small v3 file with what a v1 file means without saying it."""
    document = files.v3_file()
    document["admin"]["access_log"] = [
        {
            "name": "file",
            "typed_config": {"@type": f"{files.EXTENSIONS}access_loggers.file.v3.FileAccessLog", "path": "/dev/null"},
        }
    ]
    files.v3_manager(document).update(
        codec_type="AUTO",
        stat_prefix=files.v1_manager(files.V1)["stat_prefix"],
        stream_idle_timeout="0s",
        common_http_protocol_options={"idle_timeout": "0s"},
        http_protocol_options={"allow_absolute_url": False, "accept_http_10": True},
        internal_address_config={},
    )
    files.v3_listener(document)["filter_chains"][0]["filters"][0]["name"] = "http_connection_manager"
    listener = files.V1["listeners"][0]
    if "name" not in listener:
        del files.v3_listener(document)["name"]
    files.v3_cluster(document).update(
        dns_lookup_family="V4_ONLY", ring_hash_lb_config={"hash_function": "MURMUR_HASH_2"}
    )
    return document


def bootstraps(pair: Any) -> tuple[tuple[v3.View, Report], tuple[v3.View, Report]]:
    """What both files are to `build`."""
    old, new = files.v1(), explicit()
    changed(v1_places(old), pair["v1"])
    changed(v3_places(new), pair["v3"])
    root, report = tree(json.dumps(old, indent=1))
    old_view = v3.parse(translation.translate(root, report), report)
    return (old_view, report), files.view(new)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["feature"])
def test_both_mean_the_same(pair):
    (old, old_report), (new, new_report) = bootstraps(pair)
    assert errors(old_report) == []
    assert errors(new_report) == []
    assert old.message == new.message
    assert build(old, old_report) == build(new, new_report)


def test_features_have_names_of_their_own():
    names = [pair["feature"] for pair in PAIRS]
    assert len(set(names)) == len(names)
