"""Hash policies of a v3 file as the model has them, and what is wrong with one."""

import pytest

from fastproxy.model import (
    CookieHashPolicy,
    FilterStateHashPolicy,
    HeaderHashPolicy,
    QueryParameterHashPolicy,
    SourceIpHashPolicy,
)
from tests.unit.config_files import (
    V3_ROUTE_PATH,
    load,
    refused,
    said,
    v1,
    v1_route,
    v3_cluster,
    v3_file,
    v3_route,
)

PATH = f"{V3_ROUTE_PATH}.route.hash_policy[0]"


def with_policies(*policies):
    document = v3_file()
    v3_route(document)["route"]["hash_policy"] = list(policies)
    return document


def policies_of(folder, *policies):
    found = load(folder, with_policies(*policies)).configuration.listeners[0].manager.route_config
    return found.virtual_hosts[0].routes[0].hash_policies


@pytest.mark.parametrize(
    ("written", "built"),
    [
        ({"header": {"header_name": "X-User"}}, HeaderHashPolicy("x-user")),
        (
            {"header": {"header_name": "a", "regex_rewrite": {"pattern": {"regex": "b+"}, "substitution": "\\0c"}}},
            HeaderHashPolicy("a", regex="b+", substitution="\\0c"),
        ),
        ({"cookie": {"name": "sid"}, "terminal": True}, CookieHashPolicy("sid", True)),
        (
            {"cookie": {"name": "a b", "ttl": "1.5s", "path": "/p", "attributes": [{"name": "Secure"}]}},
            CookieHashPolicy("a b", ttl_s=1.5, path="/p", attributes=(("Secure", ""),)),
        ),
        ({"cookie": {"name": "sid", "ttl": "0s"}}, CookieHashPolicy("sid", ttl_s=0.0)),
        ({"query_parameter": {"name": "sid"}}, QueryParameterHashPolicy("sid")),
        ({"connection_properties": {"source_ip": True}, "terminal": True}, SourceIpHashPolicy(True)),
        ({"filter_state": {"key": "k"}}, FilterStateHashPolicy("k")),
    ],
)
def test_each_kind(tmp_path, written, built):
    assert policies_of(tmp_path, written) == (built,)


def test_order_and_what_hashes_nothing(tmp_path):
    off = {"connection_properties": {"source_ip": False}}
    written = [{"query_parameter": {"name": "b"}}, off, {"cookie": {"name": "a"}}]
    assert policies_of(tmp_path, *written) == (QueryParameterHashPolicy("b"), CookieHashPolicy("a"))


def test_filter_state_is_warned_of(tmp_path):
    warnings = load(tmp_path, with_policies({"filter_state": {"key": "k"}})).warnings
    message = 'has no effect here: no filter leaves anything to hash as "k" in the filter state'
    assert (f"{PATH}.filter_state", message) in said(warnings)


@pytest.mark.parametrize(
    ("rewrite", "path"),
    [
        ({"pattern": {"regex": "("}}, "pattern.regex"),
        ({"pattern": {"regex": "a(?=b)"}}, "pattern.regex"),
        ({"pattern": {"regex": "a"}, "substitution": "\\x"}, "substitution"),
    ],
)
def test_a_rewriting_that_is_none(tmp_path, rewrite, path):
    document = with_policies({"header": {"header_name": "a", "regex_rewrite": rewrite}})
    (problem,) = refused(tmp_path, document)
    assert problem.path == f"{PATH}.header.regex_rewrite.{path}"
    assert problem.line > 0
    assert problem.column > 0


def test_those_of_a_balancer(tmp_path):
    document = v3_file()
    cluster = v3_cluster(document)
    cluster.pop("lb_policy", None)
    policies = [{"query_parameter": {"name": "q"}, "terminal": True}]
    ring = {
        "@type": "type.googleapis.com/envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash",
        "consistent_hashing_lb_config": {"hash_policy": policies},
    }
    cluster["load_balancing_policy"] = {"policies": [{"typed_extension_config": {"name": "r", "typed_config": ring}}]}
    (built,) = load(tmp_path, document).configuration.clusters
    assert built.hash_policies == (QueryParameterHashPolicy("q", True),)


def test_a_v1_route_may_have_the_list_of_v3(tmp_path):
    document = v1()
    v1_route(document)["hash_policy"] = [
        {"cookie": {"name": "sid", "ttl": "0s", "path": "/"}, "terminal": True},
        {"header": {"header_name": "Referer"}},
    ]
    manager = load(tmp_path, document).configuration.listeners[0].manager
    found = manager.route_config.virtual_hosts[0].routes[0].hash_policies
    assert found == (CookieHashPolicy("sid", True, 0.0, "/"), HeaderHashPolicy("referer"))


@pytest.mark.parametrize(
    ("policies", "path", "words"),
    [
        ([], "hash_policy", "this list needs at least 1 element"),
        ([{"cooky": {"name": "a"}}], "hash_policy[0].cooky", 'did you mean "cookie"?'),
        ([{"cookie": {"name": "a", "ttl": 60}}], "hash_policy[0].cookie.ttl", "60"),
        (["referer"], "hash_policy[0]", "expected an object"),
        ("referer", "hash_policy", "expected an object"),
    ],
)
def test_what_is_wrong_in_a_v1_list_is_said_where_it_stands(tmp_path, policies, path, words):
    document = v1()
    v1_route(document)["hash_policy"] = policies
    problems = refused(tmp_path, document)
    assert [each for each in problems if each.path.endswith(path) and words in str(each) and each.line > 0], problems
