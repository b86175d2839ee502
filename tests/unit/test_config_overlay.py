"""`--config-yaml` over a file: messages merge, lists append, the rest is overridden."""

import json

import pytest
from envoy.config.bootstrap.v3.bootstrap_pb2 import Bootstrap

from fastproxy import config
from fastproxy.config import overlay
from fastproxy.config.tree import plain
from fastproxy.errors import ConfigError
from tests.unit.config_files import V3, tree, v1


def merged(base, over):
    roots = [tree(json.dumps(each))[0] for each in (base, over)]
    return plain(overlay.merged(roots[0], overlay.marked(roots[1], "over"), Bootstrap.DESCRIPTOR))


@pytest.mark.parametrize(
    ("base", "over", "expected"),
    [
        ({"node": {"id": "a", "cluster": "b"}}, {"node": {"id": "c"}}, {"node": {"id": "c", "cluster": "b"}}),
        (
            {"static_resources": {"clusters": [{"name": "a"}]}},
            {"staticResources": {"clusters": [{"name": "b"}]}},
            {"static_resources": {"clusters": [{"name": "a"}, {"name": "b"}]}},
        ),
        ({"node": {"id": "a"}}, {"node": {"id": ""}}, {"node": {"id": ""}}),
        ({"stats_flush_interval": "5s"}, {"stats_flush_interval": "1s"}, {"stats_flush_interval": "1s"}),
        (
            {"admin": {"address": {"pipe": {"path": "x"}}}},
            {"admin": {"address": {"socket_address": {"address": "::1"}}}},
            {"admin": {"address": {"socket_address": {"address": "::1"}}}},
        ),
        ({"node": {"metadata": {"a": 1, "b": 1}}}, {"node": {"metadata": {"b": 2}}}, {"node": {"metadata": {"b": 2}}}),
        (
            {"node": {"dynamic_parameters": {"a": {"params": {}}}}},
            {"node": {"dynamic_parameters": {"b": {"params": {}}}}},
            {"node": {"dynamic_parameters": {"a": {"params": {}}, "b": {"params": {}}}}},
        ),
        ({"node": {"id": "a"}}, {"typo": 1}, {"node": {"id": "a"}, "typo": 1}),
        ({"node": "wrong"}, {"node": {"id": "a"}}, {"node": {"id": "a"}}),
        ({}, {"node": {"id": "a"}}, {"node": {"id": "a"}}),
    ],
)
def test_merging(base, over, expected):
    assert merged(base, over) == expected


def loaded(tmp_path, document, text):
    path = tmp_path / "proxy.json"
    path.write_text(json.dumps(document, indent=1))
    return config.load(str(path), text)


def test_over_a_file(tmp_path):
    text = "admin: {address: {socket_address: {port_value: 9999}}}"
    admin = loaded(tmp_path, V3, text).configuration.admin
    assert admin is not None
    assert (admin.address.host, admin.address.port) == ("127.0.0.1", 9999)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("admin:\n  adress: 1\n", "--config-yaml:2:3: admin.adress: there is no such key in Admin"),
        ("admin: [", "--config-yaml:2:1: not YAML"),
        ("node: {id: a, id: b}", "--config-yaml:1:15: node.id: this key stands twice, first on line 1"),
        (" ", "--config-yaml:1:1: the file is empty"),
        (
            "static_resources: {clusters: [{name: nodes}]}",
            '--config-yaml:1:38: static_resources.clusters[0].name: there is already a cluster "nodes"',
        ),
    ],
)
def test_mistakes_have_their_place(tmp_path, text, said):
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, V3, text)
    assert str(caught.value).startswith(said)


def test_mistakes_of_the_file_come_first(tmp_path):
    document = {**json.loads(json.dumps(V3)), "typo": 1}
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, document, "tpyo: 1")
    assert [problem.file == config.CONFIG_YAML for problem in caught.value.problems] == [False, True]


def test_a_v1_file_has_nothing_to_merge_with(tmp_path):
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, v1(), "admin: {}")
    assert "can be put over a v3 file only, and this file is v1" in str(caught.value)
