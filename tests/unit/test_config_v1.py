"""What a v1 file means in the words of v3, and whose words its problems are told in."""

import json

import pytest

from fastproxy.config import v1
from fastproxy.config.tree import plain
from fastproxy.model import HttpConnectionManager, TcpCluster, TcpProxy, TcpRoute
from tests.unit.config_files import (
    CLUSTER_PATH,
    MANAGER_PATH,
    ROUTE_PATH,
    errors,
    load,
    refused,
    tree,
    v1_cluster,
    v1_manager,
    v1_route,
    v3_cluster,
    v3_listener,
    v3_manager,
    v3_route,
    warnings,
)
from tests.unit.config_files import v1 as v1_file


def translated(document):
    root, report = tree(json.dumps(document, indent=1))
    return v1.translate(root, report), report


def meaning(change):
    document = v1_file()
    change(document)
    root, report = translated(document)
    assert errors(report) == []
    return plain(root)


def complaints(change):
    document = v1_file()
    change(document)
    return errors(translated(document)[1])


def test_what_v1_meant_and_v3_would_read_otherwise():
    found = meaning(lambda d: None)
    manager = v3_manager(found)
    assert manager["common_http_protocol_options"] == {"idle_timeout": "0s"}
    assert manager["stream_idle_timeout"] == "0s"
    assert manager["http_protocol_options"] == {"allow_absolute_url": False, "accept_http_10": True}
    assert manager["internal_address_config"] == {}
    assert v3_cluster(found)["dns_lookup_family"] == "V4_ONLY"
    assert v3_cluster(found)["ring_hash_lb_config"] == {"hash_function": "MURMUR_HASH_2"}
    assert "upgrade_configs" not in manager
    assert "upgrade_configs" not in v3_route(found)["route"]
    assert "timeout" not in v3_route(found)["route"]


@pytest.mark.parametrize(
    ("change", "find", "expected"),
    [
        (
            lambda d: v1_route(d).update(use_websocket=True),
            lambda f: v3_route(f)["route"]["upgrade_configs"],
            [{"upgrade_type": "websocket", "enabled": True}],
        ),
        (lambda d: v1_route(d).update(timeout_ms=0), lambda f: v3_route(f)["route"]["timeout"], "0s"),
        (lambda d: v1_route(d).update(timeout_ms=1005), lambda f: v3_route(f)["route"]["timeout"], "1.005s"),
        (
            lambda d: v1_route(d).update(hash_policy={"header_name": "Referer"}),
            lambda f: v3_route(f)["route"]["hash_policy"],
            [{"header": {"header_name": "Referer"}}],
        ),
        (
            lambda d: v1_route(d).update(prefix_rewrite="/x", host_rewrite="h"),
            lambda f: v3_route(f)["route"],
            {"cluster": "nodes", "prefix_rewrite": "/x", "host_rewrite_literal": "h"},
        ),
        (
            lambda d: (v1_route(d).pop("prefix"), v1_route(d).update(regex="/a.*", case_sensitive=False)),
            lambda f: v3_route(f)["match"],
            {"safe_regex": {"regex": "/a.*"}, "case_sensitive": False},
        ),
        (
            lambda d: v1_manager(d).update(idle_timeout_s=840),
            lambda f: v3_manager(f)["common_http_protocol_options"],
            {"idle_timeout": "840s"},
        ),
        (lambda d: v1_manager(d).update(codec_type="http1"), lambda f: v3_manager(f)["codec_type"], "HTTP1"),
        (
            lambda d: v1_manager(d).update(http1_settings={"allow_absolute_url": True}),
            lambda f: v3_manager(f)["http_protocol_options"]["allow_absolute_url"],
            True,
        ),
        (
            lambda d: v1_cluster(d).update(ring_hash_lb_config={"minimum_ring_size": 7, "use_std_hash": False}),
            lambda f: v3_cluster(f)["ring_hash_lb_config"],
            {"minimum_ring_size": 7, "hash_function": "XX_HASH"},
        ),
        (
            lambda d: v1_cluster(d).update(circuit_breakers={"default": {"max_requests": 9}}),
            lambda f: v3_cluster(f)["circuit_breakers"],
            {"thresholds": [{"priority": "DEFAULT", "max_requests": 9}]},
        ),
        (
            lambda d: v1_cluster(d).update(dns_lookup_family="auto", dns_refresh_rate_ms=1500),
            lambda f: (v3_cluster(f)["dns_lookup_family"], v3_cluster(f)["dns_refresh_rate"]),
            ("AUTO", "1.500s"),
        ),
        (
            lambda d: d["listeners"][0].update(address="tcp://[::1]:7", bind_to_port=False),
            lambda f: (v3_listener(f)["address"], v3_listener(f)["bind_to_port"]),
            ({"socket_address": {"address": "::1", "port_value": 7}}, False),
        ),
    ],
)
def test_translation(change, find, expected):
    assert find(meaning(change)) == expected


def test_the_fastproxy_filter():
    ours = {"type": "decoder", "name": "fastproxy", "config": {"sid_affinity": False}}
    filters = v3_manager(meaning(lambda d: v1_manager(d)["filters"].insert(0, ours)))["http_filters"]
    assert filters[0]["typed_config"] == {
        "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
        "type_url": "type.googleapis.com/fastproxy.v1.HttpFilter",
        "value": {"sid_affinity": False},
    }


def test_places_and_paths_are_those_of_the_v1_file():
    root, report = translated(v1_file())
    cluster = root.members()["static_resources"].members()["clusters"].items()[0]
    assert errors(report) == []
    assert cluster.path == CLUSTER_PATH
    assert cluster.members()["connect_timeout"].path == f"{CLUSTER_PATH}.connect_timeout_ms"
    assert cluster.members()["connect_timeout"].line > cluster.line


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (lambda d: d.pop("admin"), "", 'the required key "admin" is missing'),
        (
            lambda d: v1_route(d).pop("cluster"),
            ROUTE_PATH,
            'the required key "cluster" is missing: it says where this route leads',
        ),
        (
            lambda d: v1_route(d).update(path="/"),
            ROUTE_PATH,
            "a route has exactly one of prefix, path, regex, not 2",
        ),
        (lambda d: v1_route(d).pop("prefix"), ROUTE_PATH, "a route has exactly one of prefix, path, regex, not 0"),
        (lambda d: v1_manager(d).pop("route_config"), MANAGER_PATH, 'the required key "route_config" is missing'),
        (lambda d: v1_manager(d).update(filters=[]), f"{MANAGER_PATH}.filters", "this list needs at least 1 element"),
        (
            lambda d: v1_manager(d)["filters"].insert(0, {"name": "buffr", "config": {}}),
            f"{MANAGER_PATH}.filters[0].name",
            'the filter "buffr" is not supported; use one of cors, fastproxy, router',
        ),
        (
            lambda d: d["listeners"][0]["filters"][0].update(name="echo"),
            "listeners[0].filters[0].name",
            'the filter "echo" is not supported; use "http_connection_manager" or "tcp_proxy"',
        ),
        (
            lambda d: d["listeners"][0].update(filters=[]),
            "listeners[0].filters",
            'a listener has one filter here, "http_connection_manager" or "tcp_proxy"',
        ),
        (
            lambda d: v1_cluster(d).pop("hosts"),
            CLUSTER_PATH,
            'this cluster has no hosts; add "hosts": [{"url": "tcp://127.0.0.1:8002"}]',
        ),
        (lambda d: v1_cluster(d).update(hosts=[]), f"{CLUSTER_PATH}.hosts", "this list needs at least 1 element"),
        (
            lambda d: v1_cluster(d)["hosts"].append({"url": "tcp://127.0.0.1:8002"}),
            f"{CLUSTER_PATH}.hosts[2]",
            f"this host stands already at {CLUSTER_PATH}.hosts[0]; remove one",
        ),
        (
            lambda d: v1_cluster(d)["hosts"][1].update(url="127.0.0.1:8003"),
            f"{CLUSTER_PATH}.hosts[1].url",
            '"127.0.0.1:8003" is no address; write it as "tcp://127.0.0.1:8002"',
        ),
        (
            lambda d: v1_cluster(d).update(type="sds"),
            f"{CLUSTER_PATH}.type",
            'clusters of type "sds" are not supported yet; use static, strict_dns, logical_dns',
        ),
        (
            lambda d: v1_cluster(d).update(lb_type="original_dst_lb"),
            f"{CLUSTER_PATH}.lb_type",
            "original_dst_lb is not supported yet; use ring_hash or another balancer",
        ),
    ],
)
def test_mistakes(change, path, message):
    assert complaints(change) == [(path, message)]


def test_logical_dns_uses_its_first_host():
    document = v1_file()
    v1_cluster(document)["type"] = "logical_dns"
    root, report = translated(document)
    assert len(v3_cluster(plain(root))["load_assignment"]["endpoints"][0]["lb_endpoints"]) == 1
    assert warnings(report) == [
        (f"{CLUSTER_PATH}.hosts[1]", "has no effect here: a logical_dns cluster uses its first host only")
    ]


def test_router_settings():
    document = v1_file()
    v1_manager(document)["filters"][0]["config"] = {"dynamic_stats": False, "start_child_span": False, "x": 1}
    _, report = translated(document)
    assert warnings(report) == [(f"{MANAGER_PATH}.filters[0].config.dynamic_stats", "has no effect here")]
    assert [path for path, _ in errors(report)] == [f"{MANAGER_PATH}.filters[0].config.x"]


def tcp(**route):
    config = {"stat_prefix": "t", "route_config": {"routes": [{"cluster": "nodes", **route}, {"cluster": "nodes"}]}}
    return lambda d: d["listeners"][0].update(filters=[{"name": "tcp_proxy", "config": config}])


TCP_PATH = "listeners[0].filters[0].config.route_config.routes"


@pytest.mark.parametrize(
    ("route", "key", "message"),
    [
        (
            {"source_ip_list": ["::/0", "10.0.0.0/33"], "destination_ports": "80"},
            "[0].source_ip_list[1]",
            'expected a range of IP addresses such as "10.0.0.0/8", not the text "10.0.0.0/33"',
        ),
        (
            {"destination_ports": "80,1024-1"},
            "[0].destination_ports",
            'expected ports such as "80,8000-8999", not the text "80,1024-1"',
        ),
        (
            {"cluster": "node", "source_ports": "1"},
            "[0].cluster",
            'there is no cluster "node"; did you mean "nodes"?',
        ),
    ],
)
def test_mistakes_in_tcp_routes(tmp_path, route, key, message):
    document = v1_file()
    tcp(**route)(document)
    (problem,) = refused(tmp_path, document)
    assert (problem.path, problem.message) == (f"{TCP_PATH}{key}", message)


def test_private_networks_are_internal_as_in_envoy_1_5(tmp_path):
    (listener,) = load(tmp_path, v1_file()).configuration.listeners
    assert isinstance(listener.filter, HttpConnectionManager)
    networks = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.1/32", "fd00::/8", "::1/128")
    assert listener.filter.internal_addresses == networks


def test_tcp_routes_keep_their_order(tmp_path):
    document = v1_file()
    tcp(destination_ports="22, 8000-8999", source_ip_list=["10.0.0.0/8"])(document)
    (listener,) = load(tmp_path, document).configuration.listeners
    first = TcpRoute("nodes", (), ((22, 22), (8000, 8999)), ("10.0.0.0/8",), ())
    assert isinstance(listener.filter, TcpProxy)
    assert listener.filter.routes == (first, TcpRoute("nodes"))
    assert listener.filter_chains == ()


def test_a_tcp_route_alone_that_takes_everything_is_the_cluster_of_the_proxy(tmp_path):
    document = v1_file()
    tcp(destination_ip_list=[])(document)
    del document["listeners"][0]["filters"][0]["config"]["route_config"]["routes"][1]
    (listener,) = load(tmp_path, document).configuration.listeners
    assert isinstance(listener.filter, TcpProxy)
    assert (listener.filter.clusters, listener.filter.routes) == ((TcpCluster("nodes"),), ())


def test_a_tcp_proxy_needs_routes():
    config = {"stat_prefix": "t", "route_config": {"routes": []}}
    assert complaints(lambda d: d["listeners"][0].update(filters=[{"name": "tcp_proxy", "config": config}])) == [
        (TCP_PATH, "a tcp_proxy needs a route; add one with a cluster")
    ]


def test_tcp_routes_behind_one_that_takes_everything():
    document = v1_file()
    tcp()(document)
    assert warnings(translated(document)[1]) == [
        (f"{TCP_PATH}[1]", "has no effect here: a route before this one takes every connection")
    ]


def test_what_v3_does_not_act_on_keeps_the_places_of_v1(tmp_path):
    document = v1_file()
    document["listeners"][0]["use_original_dst"] = True
    problems = refused(tmp_path, document)
    assert [problem.path for problem in problems] == ["listeners[0].use_original_dst"]
    assert '"use_original_dst"' in json.dumps(document, indent=1).splitlines()[problems[0].line - 1]
