"""The bootstrap message and the file side by side."""

import pytest

from fastproxy.config import v3
from tests.unit.config_files import (
    V3_CLUSTER_PATH,
    V3_MANAGER_PATH,
    errors,
    tree,
    v3_cluster,
    v3_file,
    v3_manager,
    view,
)


def first_cluster(document):
    bootstrap, report = view(document)
    return bootstrap.child("static_resources").items("clusters")[0], report


def manager(document):
    bootstrap, _ = view(document)
    listener = bootstrap.child("static_resources").items("listeners")[0]
    return listener.items("filter_chains")[0].items("filters")[0].child("typed_config")


def test_a_view_knows_message_and_place():
    cluster, report = first_cluster(v3_file())
    assert errors(report) == []
    assert cluster.value("name") == "nodes"
    assert cluster.node.path == V3_CLUSTER_PATH
    assert cluster.node_of("name").value == "nodes"
    assert cluster.node_of("name").line > cluster.node.line
    assert cluster.seconds("connect_timeout", 5.0) == 0.25
    assert cluster.seconds("dns_refresh_rate", 5.0) == 5.0
    assert cluster.wrapped("per_connection_buffer_limit_bytes", 7) == 7
    assert not cluster.has("max_requests_per_connection")
    assert cluster.has("load_assignment")


def test_what_is_absent_has_a_path_and_an_empty_message():
    cluster, _ = first_cluster(v3_file())
    absent = cluster.child("circuit_breakers")
    assert absent.node.path == f"{V3_CLUSTER_PATH}.circuit_breakers"
    assert absent.items("thresholds") == []


def test_camel_case_is_found_in_the_file():
    document = v3_file()
    cluster = v3_cluster(document)
    cluster["connectTimeout"] = cluster.pop("connect_timeout")
    found, _ = first_cluster(document)
    assert found.node_of("connect_timeout").path == f"{V3_CLUSTER_PATH}.connectTimeout"


def test_typed_config_is_unpacked():
    found = manager(v3_file())
    assert found.type_name.endswith(".HttpConnectionManager")
    assert found.value("stat_prefix") == "front"
    assert found.node.path == V3_MANAGER_PATH


def test_entries_of_a_map():
    document = v3_file()
    name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    v3_cluster(document)["typed_extension_protocol_options"] = {
        name: {"@type": f"type.googleapis.com/{name}", "explicit_http_config": {"http_protocol_options": {}}}
    }
    cluster, _ = first_cluster(document)
    [(key, options)] = cluster.entries("typed_extension_protocol_options").items()
    assert key == options.type_name == name
    assert options.node.path == f'{V3_CLUSTER_PATH}.typed_extension_protocol_options["{name}"]'


def test_walk_reaches_into_typed_configs_but_not_into_structs():
    document = v3_file()
    ours = {
        "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
        "type_url": "type.googleapis.com/fastproxy.v1.HttpFilter",
        "value": {"deep": {"er": 1}},
    }
    v3_manager(document)["http_filters"].insert(0, {"name": "fastproxy", "typed_config": ours})
    bootstrap, report = view(document)
    names = [below.type_name for below in bootstrap.walk()]
    assert errors(report) == []
    assert "envoy.extensions.filters.http.router.v3.Router" in names
    assert "google.protobuf.Struct" in names
    assert "google.protobuf.Value" not in names


def test_what_does_not_fit_is_left_out_and_the_rest_kept():
    document = v3_file()
    v3_cluster(document)["connect_timeout"] = "soon"
    v3_cluster(document)["max_requests_per_connection"] = {"value": 3}
    cluster, report = first_cluster(document)
    assert [path for path, _ in errors(report)] == [f"{V3_CLUSTER_PATH}.connect_timeout"]
    assert cluster.node.damaged
    assert not cluster.has("connect_timeout")
    assert cluster.wrapped("max_requests_per_connection", 0) == 3
    assert len(cluster.child("load_assignment").items("endpoints")[0].items("lb_endpoints")) == 2


def test_a_message_nested_too_deep_is_one_mistake():
    text = '{"node": {"metadata": ' + '{"a":' * 98 + "1" + "}" * 98 + "}}"
    root, report = tree(text)
    bootstrap = v3.parse(root, report)
    assert not bootstrap.has("node")
    [(path, message)] = errors(report)
    assert path == ""
    assert message.startswith("does not fit Envoy's schema: ")


@pytest.mark.parametrize("url", [["x"], {}, 7, True])
def test_a_type_url_that_is_no_text(url):
    document = v3_file()
    v3_manager(document)["@type"] = url
    _, report = view(document)
    [(path, message)] = errors(report)
    assert path == V3_MANAGER_PATH
    assert message == 'expected an object with "@type", the type URL of what it configures'


def test_a_well_known_type_that_lacks_its_value():
    document = v3_file()
    v3_manager(document)["http_filters"][0]["typed_config"] = {"@type": "type.googleapis.com/google.protobuf.Struct"}
    _, report = view(document)
    assert errors(report) == [("", "does not fit Envoy's schema: a typed_config lacks its 'value'")]
