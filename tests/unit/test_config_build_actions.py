"""What routes do, in the model, and what is wrong with it."""

import pytest

from fastproxy.model_routes import (
    DirectResponse,
    HeaderRules,
    HeaderValue,
    MirrorPolicy,
    Redirect,
    RegexRewrite,
    WeightedCluster,
    WeightedClusters,
)
from tests.unit.built_routes import built, failed, hosts_of, only
from tests.unit.config_files import V3_ROUTE_PATH, errors, v3_manager, v3_route, warnings


def route_of(**fields):
    found, report = built(only(**fields))
    assert errors(report) == []
    return found.virtual_hosts[0].routes[0]


def forwarding(**fields):
    return route_of(route={"cluster": "nodes", **fields})


def test_weighted_clusters():
    added = [{"header": {"key": "X-A", "value": "1"}}]
    clusters = [
        {"name": "nodes", "weight": 20, "host_rewrite_literal": "h", "request_headers_to_add": added},
        {"cluster_header": "X-C", "weight": 0},
    ]
    found = route_of(route={"weighted_clusters": {"clusters": clusters, "header_name": "X-R"}})
    rules = HeaderRules(request_add=(HeaderValue("x-a", "1"),))
    assert found.weighted_clusters == WeightedClusters(
        (WeightedCluster(20, "nodes", "", "h", rules), WeightedCluster(0, "", "x-c")), "x-r"
    )
    assert found.cluster == ""


def test_a_cluster_that_a_header_names():
    found = route_of(route={"cluster_header": "X-Cluster", "cluster_not_found_response_code": "NOT_FOUND"})
    assert (found.cluster_header, found.missing_cluster_status) == ("x-cluster", 404)
    assert forwarding().missing_cluster_status == 503


def test_rewrites():
    rewrite = {"pattern": {"regex": "^/(.)"}, "substitution": r"\1"}
    model = RegexRewrite("^/(.)", r"\1")
    assert forwarding(regex_rewrite=rewrite).regex_rewrite == model
    assert forwarding(host_rewrite_path_regex=rewrite).host_rewrite_path_regex == model
    assert forwarding(host_rewrite_header="X-H").host_rewrite_header == "x-h"
    found = forwarding(auto_host_rewrite=True, append_x_forwarded_host=True)
    assert (found.auto_host_rewrite, found.append_x_forwarded_host) == (True, True)


def test_limits():
    found = forwarding(idle_timeout="0s", max_stream_duration={"max_stream_duration": "2s"})
    assert (found.idle_timeout_s, found.max_stream_duration_s) == (0.0, 2.0)
    assert (forwarding().idle_timeout_s, forwarding().max_stream_duration_s) == (None, None)


@pytest.mark.parametrize(
    ("fields", "redirect"),
    [
        ({}, Redirect()),
        ({"https_redirect": True, "port_redirect": 443}, Redirect(scheme="https", port=443)),
        ({"scheme_redirect": "ftp", "host_redirect": "h"}, Redirect(scheme="ftp", host="h")),
        ({"path_redirect": "/x", "strip_query": True}, Redirect(path="/x", strip_query=True)),
        ({"prefix_rewrite": "/x", "response_code": "PERMANENT_REDIRECT"}, Redirect(308, prefix_rewrite="/x")),
        (
            {"regex_rewrite": {"pattern": {"regex": "a"}, "substitution": "b"}},
            Redirect(regex_rewrite=RegexRewrite("a", "b")),
        ),
    ],
)
def test_redirects(fields, redirect):
    assert route_of(redirect=fields).redirect == redirect


def test_direct_responses(tmp_path, monkeypatch):
    file = tmp_path / "body"
    file.write_bytes(b"\xffx")
    monkeypatch.setenv("BODY", "env")
    sources = [
        None,
        {"inline_string": "é"},
        {"inline_bytes": "AP8="},
        {"filename": str(file)},
        {"environment_variable": "BODY"},
    ]
    bodies = [b"", "é".encode(), b"\x00\xff", b"\xffx", b"env"]
    for source, body in zip(sources, bodies, strict=True):
        assert route_of(direct_response={"status": 200, "body": source}).direct_response == DirectResponse(200, body)


def test_mirrors_of_the_nearest_level():
    policies = [{"cluster": "other", "runtime_fraction": {"default_value": {"numerator": 5}}}]
    assert forwarding(request_mirror_policies=policies).mirrors == (MirrorPolicy("other", 50_000),)

    def change(document):
        hosts_of(document)[0]["request_mirror_policies"] = [
            {"cluster": "nodes", "disable_shadow_host_suffix_append": True, "host_rewrite_literal": "h"}
        ]

    found, _ = built(change)
    assert found.virtual_hosts[0].routes[0].mirrors == (MirrorPolicy("nodes", 1_000_000, False, "h"),)


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        ({"route": {"cluster": "node"}}, "route.cluster", 'did you mean "nodes"?'),
        ({"route": {"weighted_clusters": {"clusters": [{"name": "node", "weight": 1}]}}},
         "route.weighted_clusters.clusters[0].name", 'did you mean "nodes"?'),
        ({"route": {"weighted_clusters": {"clusters": [{"name": "nodes", "weight": 0}]}}},
         "route.weighted_clusters.clusters", "the weights are all 0"),
        ({"route": {"weighted_clusters": {"clusters": [{"weight": 1}]}}},
         "route.weighted_clusters.clusters[0]", "either a name or a cluster_header"),
        ({"route": {"weighted_clusters": {"clusters": [{"name": "nodes", "weight": 2**32 - 1}] * 2}}},
         "route.weighted_clusters.clusters", "more than 4294967295"),
        ({"route": {"cluster": "nodes", "request_mirror_policies": [{"cluster": "x"}]}},
         "route.request_mirror_policies[0].cluster", 'there is no cluster "x"'),
        ({"route": {"cluster": "nodes", "prefix_rewrite": "/", "regex_rewrite": {"pattern": {"regex": "a"}}}},
         "route.regex_rewrite", "exclude each other"),
        ({"route": {"cluster": "nodes", "regex_rewrite": {"pattern": {"regex": "("}}}},
         "route.regex_rewrite.pattern.regex", "missing )"),
        ({"route": {"cluster": "nodes", "regex_rewrite": {"pattern": {"regex": "a"}, "substitution": "\\x"}}},
         "route.regex_rewrite.substitution", "a backslash stands before"),
        ({"direct_response": {"status": 200, "body": {"inline_string": "x" * 4097}}},
         "direct_response.body", "4097 bytes and may have 4096"),
        ({"direct_response": {"status": 200, "body": {"filename": "/nowhere/at/all"}}},
         "direct_response.body.filename", "No such file"),
        ({"direct_response": {"status": 200, "body": {"environment_variable": "NO_SUCH_VARIABLE"}}},
         "direct_response.body.environment_variable", "no environment variable"),
    ],
)  # fmt: skip
def test_mistakes_have_their_places(fields, path, words):
    where, message = failed(only(**fields))[0]
    assert where == f"{V3_ROUTE_PATH}.{path}"
    assert words in message


def test_a_larger_body_may_be_allowed():
    answer = only(direct_response={"status": 200, "body": {"inline_string": "x" * 5000}})
    assert failed(answer)

    def allowed(document):
        answer(document)
        v3_manager(document)["route_config"]["max_direct_response_body_size_bytes"] = 5000

    found, _ = built(allowed)
    assert found.virtual_hosts[0].routes[0].direct_response == DirectResponse(200, b"x" * 5000)


def test_a_group_that_is_not_there_is_warned_of():
    rewrite = {"pattern": {"regex": "a"}, "substitution": r"\1"}
    _, report = built(lambda d: v3_route(d)["route"].update(regex_rewrite=rewrite))
    [(path, _)] = warnings(report)
    assert path == f"{V3_ROUTE_PATH}.route.regex_rewrite.substitution"
