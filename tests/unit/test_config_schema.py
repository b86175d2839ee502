"""Every place where a tree does not fit its message is found at once; what Envoy takes is mended."""

import json

import pytest
from envoy.config.bootstrap.v3.bootstrap_pb2 import Bootstrap

from fastproxy.config.schema import mend
from fastproxy.config.tree import plain
from tests.unit.config_files import (
    EXTENSIONS,
    V3_MANAGER_PATH,
    errors,
    tree,
    v3_cluster,
    v3_file,
    v3_listener,
    v3_manager,
)


def mended(document):
    root, report = tree(json.dumps(document, indent=1))
    found = mend(root, Bootstrap.DESCRIPTOR, report)
    return (None if found is None else plain(found)), errors(report)


def test_a_good_tree_stays_as_it_is():
    assert mended(v3_file()) == (v3_file(), [])


def test_camel_case_becomes_snake_case():
    assert mended({"staticResources": {"clusters": [{"connectTimeout": "1s"}]}}) == (
        {"static_resources": {"clusters": [{"connect_timeout": "1s"}]}},
        [],
    )


def test_what_envoy_takes_and_protobuf_for_python_does_not():
    document = v3_file()
    v3_cluster(document)["lb_policy"] = "ring_hash"
    v3_cluster(document)["per_connection_buffer_limit_bytes"] = {"value": "1024"}
    v3_listener(document)["bind_to_port"] = "False"
    found, mistakes = mended(document)
    assert mistakes == []
    assert v3_cluster(found)["lb_policy"] == "RING_HASH"
    assert v3_cluster(found)["per_connection_buffer_limit_bytes"] == 1024
    assert v3_listener(found)["bind_to_port"] is False


def test_null_is_absent():
    assert mended({"admin": None}) == ({}, [])


@pytest.mark.parametrize(
    ("cluster", "path", "message"),
    [
        ({"nam": "x"}, "nam", 'there is no such key in Cluster; did you mean "name"?'),
        ({"zzzzzz": "x"}, "zzzzzz", "there is no such key in Cluster; remove it"),
        ({"name": 1}, "name", "expected text in quotes, not the number 1"),
        ({"name": []}, "name", "expected text in quotes, not a list"),
        ({"lb_policy": "RINGHASH"}, "lb_policy", 'there is no LbPolicy "RINGHASH"; did you mean "RING_HASH"?'),
        ({"lb_policy": 99}, "lb_policy", "expected the name of a LbPolicy such as ROUND_ROBIN, not the number 99"),
        ({"connect_timeout": 1}, "connect_timeout", 'expected a duration in seconds such as "0.25s", not the number 1'),
        (
            {"connect_timeout": "500ms"},
            "connect_timeout",
            'expected a duration in seconds such as "0.25s", not the text "500ms"',
        ),
        ({"load_assignment": []}, "load_assignment", "expected an object, not a list"),
        ({"health_checks": {}}, "health_checks", "expected a list, not an object"),
        ({"filters": [3]}, "filters[0]", "expected an object, not the number 3"),
        (
            {"typed_extension_protocol_options": []},
            "typed_extension_protocol_options",
            "expected an object, not a list",
        ),
        ({"respect_dns_ttl": "yes"}, "respect_dns_ttl", 'expected true or false, not the text "yes"'),
        (
            {"max_requests_per_connection": -1},
            "max_requests_per_connection",
            "expected a whole number from 0 to 4294967295, not the number -1",
        ),
        (
            {"max_requests_per_connection": 1.5},
            "max_requests_per_connection",
            "expected a whole number from 0 to 4294967295, not the number 1.5",
        ),
        (
            {"max_requests_per_connection": True},
            "max_requests_per_connection",
            "expected a whole number, not true",
        ),
        (
            {"max_requests_per_connection": 1e400},
            "max_requests_per_connection",
            "expected a whole number from 0 to 4294967295, not the number inf",
        ),
        (
            {"max_requests_per_connection": "many"},
            "max_requests_per_connection",
            'expected a whole number, not the text "many"',
        ),
        (
            {"transport_socket": {"name": "tls", "typed_config": {"sni": "x"}}},
            "transport_socket.typed_config",
            'expected an object with "@type", the type URL of what it configures',
        ),
        (
            {"type": "STATIC", "cluster_type": {"name": "x"}},
            "cluster_type",
            'only one of "type" and "cluster_type" may be set',
        ),
        ({"lbPolicy": "RANDOM", "lb_policy": "RANDOM"}, "lb_policy", '"lb_policy" is set twice, in two spellings'),
    ],
)
def test_misfits(cluster, path, message):
    text = json.dumps({"static_resources": {"clusters": [cluster]}}).replace("Infinity", "1e999")
    root, report = tree(text)
    mend(root, Bootstrap.DESCRIPTOR, report)
    assert errors(report) == [(f"static_resources.clusters[0].{path}", message)]


def test_a_misspelt_key_goes_on_under_the_name_that_was_meant():
    found, mistakes = mended({"static_resources": {"clusters": [{"nam": 5}]}})
    assert found == {"static_resources": {"clusters": [{}]}}
    assert [message for _, message in mistakes] == [
        'there is no such key in Cluster; did you mean "name"?',
        "expected text in quotes, not the number 5",
    ]


def test_inside_typed_config():
    document = v3_file()
    v3_manager(document)["stat_prefix"] = 1
    v3_manager(document)["http_filters"][0]["typed_config"]["@type"] = f"{EXTENSIONS}filters.http.router.v3.Ruoter"
    _, mistakes = mended(document)
    assert [path for path, _ in mistakes] == [
        f"{V3_MANAGER_PATH}.stat_prefix",
        f"{V3_MANAGER_PATH}.http_filters[0].typed_config.@type",
    ]


def test_bytes_have_to_be_base64():
    log = {"filename": None, "inline_bytes": "%%"}
    root, report = tree(json.dumps({"static_resources": {"secrets": [{"generic_secret": {"secret": log}}]}}))
    mend(root, Bootstrap.DESCRIPTOR, report)
    [(path, message)] = errors(report)
    assert path == "static_resources.secrets[0].generic_secret.secret.inline_bytes"
    assert message == 'expected base64, not the text "%%"'
