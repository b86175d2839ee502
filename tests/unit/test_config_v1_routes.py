"""Routes of v1 that contradict themselves; what they mean is in test_v1_pairs.py."""

import json

import pytest

from fastproxy.config import v1
from tests.unit.config_files import ROUTE_PATH, errors, tree, v1_route, warnings
from tests.unit.config_files import v1 as v1_file


def complaints(change):
    document = v1_file()
    change(document)
    root, report = tree(json.dumps(document, indent=1))
    v1.translate(root, report)
    return errors(report) + warnings(report)


WEIGHTS = [{"name": "nodes", "weight": 60}, {"name": "nodes", "weight": 30}]


@pytest.mark.parametrize(
    ("route", "key", "message"),
    [
        ({"host_redirect": "h"}, "", 'a route has "host_redirect" or "cluster", not both; remove one'),
        ({"cluster_header": "h"}, "", "a route has one of cluster, cluster_header, weighted_clusters, not 2"),
        (
            {"cluster": None, "path_redirect": "/p", "use_websocket": True},
            ".use_websocket",
            "a redirect is no way for a WebSocket; remove it here",
        ),
        (
            {"host_rewrite": "h", "auto_host_rewrite": True},
            ".auto_host_rewrite",
            'a route has "host_rewrite" or "auto_host_rewrite", not both; remove one',
        ),
        (
            {"cluster": None, "weighted_clusters": {"clusters": WEIGHTS}},
            ".weighted_clusters.clusters",
            "the weights have to add up to 100, not 90",
        ),
        (
            {"query_parameters": []},
            ".query_parameters",
            "Envoy has it since 1.6, in its v2 API; write the file for v3 to use it",
        ),
        ({"runtime": {"key": "k"}}, ".runtime", 'the required key "default" is missing'),
        ({"priority": "hihg"}, ".priority", '"hihg" is not possible here; did you mean "high"?'),
    ],
)
def test_mistakes(route, key, message):
    assert complaints(lambda d: v1_route(d).update(route)) == [(f"{ROUTE_PATH}{key}", message)]


def test_a_weight_that_is_missing_is_told_once():
    clusters = {"clusters": [{"name": "nodes"}]}
    [(path, message)] = complaints(lambda d: v1_route(d).update(cluster=None, weighted_clusters=clusters))
    assert path == f"{ROUTE_PATH}.weighted_clusters.clusters[0]"
    assert message == 'the required key "weight" is missing'
