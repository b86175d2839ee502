"""The tcp_proxy filter in the model, its v1 routes, and what is wrong with them."""

import pytest

from fastproxy.config.build_listeners import build_listeners
from fastproxy.model import AccessLog, TcpCluster, TcpProxy, TcpRoute
from tests.unit.config_files import EXTENSIONS, errors, load, refused, v3_file, v3_listener, view
from tests.unit.yaml_lines import complaints

FILTERS = "static_resources.listeners[0].filter_chains[0].filters"
PATH = f"{FILTERS}[0].typed_config"


def document(*network_filters):
    found = v3_file()
    v3_listener(found)["filter_chains"] = [{"filters": list(network_filters)}]
    return found


def tcp(**fields):
    typed = {"@type": f"{EXTENSIONS}filters.network.tcp_proxy.v3.TcpProxy", "stat_prefix": "t", **fields}
    return {"name": "tcp", "typed_config": typed}


def routes(*found):
    typed = {"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "type_url": "fastproxy.v1.TcpRoutes"}
    return {"name": "fastproxy", "typed_config": {**typed, "value": {"routes": list(found)}}}


def built(*network_filters):
    bootstrap, report = view(document(*network_filters))
    assert errors(report) == []
    (listener,) = build_listeners(bootstrap, frozenset({"nodes"}), report)
    return listener.filter, report


def test_defaults():
    found, _ = built(tcp(cluster="nodes"))
    assert found == TcpProxy("t", (TcpCluster("nodes"),))
    assert (found.idle_timeout_s, found.max_connect_attempts) == (3600, 1)


def test_every_field(tmp_path):
    log = {
        "name": "f",
        "typed_config": {"@type": f"{EXTENSIONS}access_loggers.file.v3.FileAccessLog", "path": str(tmp_path / "log")},
    }
    found, report = built(
        tcp(
            weighted_clusters={"clusters": [{"name": "nodes", "weight": 3}, {"name": "nodes", "weight": 1}]},
            idle_timeout="0s",
            max_connect_attempts=4,
            hash_policy=[{"source_ip": {}}],
            max_downstream_connection_duration="1.5s",
            access_log=[log],
        )
    )
    assert errors(report) == []
    assert found == TcpProxy(
        "t",
        (TcpCluster("nodes", 3), TcpCluster("nodes", 1)),
        access_logs=(AccessLog(str(tmp_path / "log")),),
        hash_source_ip=True,
        idle_timeout_s=None,
        max_connect_attempts=4,
        max_downstream_connection_duration_s=1.5,
    )


def test_it_loads(tmp_path):
    assert load(tmp_path, document(tcp(cluster="nodes"))).warnings == ()


def test_routes_as_in_v1():
    first = {
        "cluster": "nodes",
        "destination_ip_list": ["10.0.0.0/8"],
        "destination_ports": "1-1024,2048",
        "source_ip_list": ["192.0.2.1"],
        "source_ports": "5",
    }
    found, report = built(routes(first, {"cluster": "nodes"}), tcp(cluster="nodes"))
    assert errors(report) == []
    assert found.routes == (
        TcpRoute("nodes", ("10.0.0.0/8",), ((1, 1024), (2048, 2048)), ("192.0.2.1",), ((5, 5),)),
        TcpRoute("nodes"),
    )


@pytest.mark.parametrize(
    ("network_filters", "path", "message"),
    [
        ([tcp(cluster="node")], f"{PATH}.cluster", 'there is no cluster "node"; did you mean "nodes"?'),
        (
            [tcp(weighted_clusters={"clusters": [{"name": "x", "weight": 1}]})],
            f"{PATH}.weighted_clusters.clusters[0].name",
            'there is no cluster "x"; use one of nodes',
        ),
        (
            [tcp(weighted_clusters={"clusters": [{"name": "nodes", "weight": 2**32 - 1}] * 2})],
            f"{PATH}.weighted_clusters",
            f"these weights sum up to over {2**32 - 1}",
        ),
        (
            [routes(), tcp(cluster="nodes")],
            f"{PATH}.value.routes",
            "there are no routes: every connection would be closed",
        ),
        (
            [routes({"cluster": "nodes", "destination_port": "1"}), tcp(cluster="nodes")],
            f"{PATH}.value.routes[0].destination_port",
            'there is no such key in a route of a tcp_proxy; did you mean "destination_ports"?',
        ),
        (
            [routes({"destination_ports": "1"}), tcp(cluster="nodes")],
            f"{PATH}.value.routes[0]",
            'a route needs the name of its "cluster"',
        ),
        (
            [routes({"cluster": "nodes", "source_ip_list": ["10.0.0.0/33"]}), tcp(cluster="nodes")],
            f"{PATH}.value.routes[0].source_ip_list[0]",
            'expected a range of IP addresses such as "10.0.0.0/8", not the text "10.0.0.0/33"',
        ),
        (
            [routes({"cluster": "nodes", "source_ports": "2-1"}), tcp(cluster="nodes")],
            f"{PATH}.value.routes[0].source_ports",
            'expected ports such as "80,8000-8999", not the text "2-1"',
        ),
    ],
)
def test_mistakes(network_filters, path, message):
    _, report = built(*network_filters)
    assert errors(report) == [(path, message)]


def test_what_changes_where_a_connection_goes_is_refused(tmp_path):
    (problem,) = refused(tmp_path, document(tcp(cluster="nodes", hash_policy=[{"filter_state": {"key": "k"}}])))
    assert problem.path == f"{PATH}.hash_policy[0].filter_state"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "          cluster: nodes",
            "cluster: node",
            '25:20: there is no cluster "node"; did you mean "nodes"?',
        ),
        (
            "          cluster: nodes",
            "weighted_clusters: {clusters: [{name: nodes, weight: 4294967295}, {name: nodes, weight: 1}]}",
            "25:30: these weights sum up to over 4294967295",
        ),
        (
            "          cluster: nodes",
            "weighted_clusters: {clusters: [{name: nodes, weight: 1}, {name: other, weight: 1}]}",
            '25:75: there is no cluster "other"; use one of nodes',
        ),
        (
            "          cluster: nodes",
            "weighted_clusters: {clusters: [{name: nodes}]}",
            '25:42: "weight" is required here',
        ),
        (
            "          {cluster: nodes}",
            "{cluster: node}]}}}",
            '20:21: there is no cluster "node"; did you mean "nodes"?',
        ),
        (
            "          {cluster: nodes}",
            "]}}}",
            "19:143: there are no routes: every connection would be closed",
        ),
        (
            "          {cluster: nodes}",
            '{destination_ports: "1"}]}}}',
            '20:11: a route needs the name of its "cluster"',
        ),
        (
            "          {cluster: nodes}",
            '{cluster: nodes, source_port: "1"}]}}}',
            '20:28: there is no such key in a route of a tcp_proxy; did you mean "source_ports"?',
        ),
        (
            "          {cluster: nodes}",
            "{cluster: nodes, source_ip_list: [10.0.0.0/8, 10.0.0.0/33]}]}}}",
            '20:57: expected a range of IP addresses such as "10.0.0.0/8", not the text "10.0.0.0/33"',
        ),
        (
            "          {cluster: nodes}",
            "{cluster: nodes, source_ports: 2-1}]}}}",
            '20:42: expected ports such as "80,8000-8999", not the text "2-1"',
        ),
        (
            "          {cluster: nodes}",
            '{cluster: nodes, destination_ports: "1,"}]}}}',
            '20:47: expected ports such as "80,8000-8999", not the text "1,"',
        ),
    ],
)
def test_mistakes_have_their_places(tmp_path, old, new, message):
    assert complaints(tmp_path, old, new) == [message]
