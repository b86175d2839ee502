"""A configuration as the rules look at it."""

import json

import pytest

from fastproxy.config import v1 as translation
from fastproxy.config import v3
from fastproxy.config.build import build
from fastproxy.config.lint import addresses
from fastproxy.config.lint.scene import Scene, hashes, hosts, positive_seconds
from tests.unit import config_files as files


def scene(document):
    view, report = files.view(document)
    return Scene(view, build(view, report))


def test_who_is_who():
    found = scene(files.v3_file())
    [manager], [route] = found.managers, found.routes
    assert route.manager is manager
    assert (manager.address, manager.port, manager.is_v1) == ("127.0.0.1", 9002, False)
    assert route.path == "/"
    assert found.hashing_clusters == {"nodes"}
    assert len(hosts(found.clusters["nodes"])) == 2


def test_the_default_filter_chain_counts():
    document = files.v3_file()
    listener = files.v3_listener(document)
    listener["default_filter_chain"] = listener["filter_chains"].pop()
    found = scene(document)
    assert [route.manager.port for route in found.routes] == [9002]


def test_a_v1_file_is_known():
    root, report = files.tree(json.dumps(files.v1()))
    view = v3.parse(translation.translate(root, report), report)
    assert Scene(view, build(view, report)).managers[0].is_v1


@pytest.mark.parametrize(
    ("name", "expected"), [("ring_hash.v3.RingHash", True), ("maglev.v3.Maglev", True), ("random.v3.Random", False)]
)
def test_balancers_that_hash(name, expected):
    document = files.v3_file()
    typed = {"@type": f"{files.EXTENSIONS}load_balancing_policies.{name}"}
    policy = {"typed_extension_config": {"name": "p", "typed_config": typed}}
    files.v3_cluster(document)["load_balancing_policy"] = {"policies": [policy]}
    assert hashes(scene(document).clusters["nodes"]) is expected


@pytest.mark.parametrize(("text", "expected"), [("0s", None), ("1.5s", 1.5), (None, None)])
def test_durations_that_end(text, expected):
    document = files.v3_file()
    if text is not None:
        files.v3_route(document)["route"]["idle_timeout"] = text
    assert positive_seconds(scene(document).routes[0].action, "idle_timeout") == expected


def test_paths_of_no_kind():
    document = files.v3_file()
    files.v3_route(document)["match"] = {"safe_regex": {"regex": "/socket.io/.*"}}
    [route] = scene(document).routes
    assert route.path is None
    assert not route.is_for_engine_io
    assert not route.may_carry_polls


@pytest.mark.parametrize(
    ("host", "is_open"), [("0.0.0.0", True), ("::", True), ("1.1.1.1", True), ("10.0.0.1", False), ("name", False)]
)
def test_open_addresses(host, is_open):
    assert addresses.is_open(host) is is_open
