"""The tcp_proxy filter of the bootstrap to the model, and the routes that only a v1 file gives it."""

import re
from typing import Any

from fastproxy.config.addresses import MAX_PORT, is_range
from fastproxy.config.build_affinity import TYPED_STRUCT
from fastproxy.config.build_filters import build_access_logs
from fastproxy.config.tree import Node, Report, describe, did_you_mean, shorten
from fastproxy.config.v3 import View
from fastproxy.model import MAX_ACCESS_LOGS, TcpCluster, TcpProxy, TcpRoute

TCP_PROXY = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
TCP_ROUTES = "fastproxy.v1.TcpRoutes"
"""Our own filter in front of a tcp_proxy: `routes` as in Envoy's v1 configuration."""
MAX_WEIGHT_SUM = 2**32 - 1

_DEFAULT = TcpProxy("")
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_LISTS = ("destination_ip_list", "source_ip_list")
_PORT_LISTS = ("destination_ports", "source_ports")


def build_tcp_proxy(view: View, routes: tuple[TcpRoute, ...], clusters: frozenset[str], report: Report) -> TcpProxy:
    """The proxy that `view` describes; `clusters` are the names that there are."""
    logs = build_access_logs(view, report)
    if len(logs) > MAX_ACCESS_LOGS:
        message = f"at most {MAX_ACCESS_LOGS} access logs are written; remove the others"
        report.error(view.node_of("access_log"), message)
    return TcpProxy(
        stat_prefix=view.value("stat_prefix"),
        clusters=_clusters(view, clusters, report),
        routes=routes,
        access_logs=logs,
        hash_source_ip=any(policy.has("source_ip") for policy in view.items("hash_policy")),
        idle_timeout_s=view.seconds("idle_timeout", _DEFAULT.idle_timeout_s) or None,
        max_connect_attempts=view.wrapped("max_connect_attempts", _DEFAULT.max_connect_attempts),
        max_downstream_connection_duration_s=view.seconds("max_downstream_connection_duration", None) or None,
    )


def _clusters(view: View, known: frozenset[str], report: Report) -> tuple[TcpCluster, ...]:
    weighted = view.child("weighted_clusters").items("clusters")
    if not weighted:
        _check_cluster(view.value("cluster"), view.node_of("cluster"), known, report)
        return (TcpCluster(view.value("cluster")),)
    for one in weighted:
        _check_cluster(one.value("name"), one.node_of("name"), known, report)
    if sum(one.value("weight") for one in weighted) > MAX_WEIGHT_SUM:
        report.error(view.node_of("weighted_clusters"), f"these weights sum up to over {MAX_WEIGHT_SUM}")
    return tuple(TcpCluster(one.value("name"), one.value("weight")) for one in weighted)


def _check_cluster(name: str, node: Node, known: frozenset[str], report: Report) -> None:
    if name and name not in known:
        hint = did_you_mean(name, known) or "; define it among the clusters"
        report.error(node, f'there is no cluster "{shorten(name)}"{hint}')


def is_tcp_routes(network_filter: View) -> bool:
    config = network_filter.child("typed_config")
    return config.type_name == TYPED_STRUCT and config.value("type_url").rpartition("/")[2] == TCP_ROUTES


def build_tcp_routes(network_filter: View, clusters: frozenset[str], report: Report) -> tuple[TcpRoute, ...]:
    """The routes of our own filter, in their order."""
    node = network_filter.child("typed_config").node_of("value").members().get("routes")
    routes = tuple(_route(route, clusters, report) for route in node.items()) if node else ()
    if not routes:
        report.error(node or network_filter.node, "there are no routes: every connection would be closed")
    return routes


def _route(node: Node, clusters: frozenset[str], report: Report) -> TcpRoute:
    members = node.members()
    known = ("cluster", *_LISTS, *_PORT_LISTS)
    for key in members.keys() - set(known):
        message = f"there is no such key in a route of a tcp_proxy{did_you_mean(key, known)}"
        report.error(members[key], message, at_key=True)
    cluster = members.get("cluster")
    if cluster is None or not isinstance(cluster.value, str):
        report.error(cluster or node, 'a route needs the name of its "cluster"')
        return TcpRoute("")
    _check_cluster(cluster.value, cluster, clusters, report)
    lists: dict[str, Any] = {key: _ranges(members.get(key), report) for key in _LISTS}
    ports: dict[str, Any] = {key: _ports(members.get(key), report) for key in _PORT_LISTS}
    return TcpRoute(cluster.value, **lists, **ports)


def _ranges(node: Node | None, report: Report) -> tuple[str, ...]:
    for item in node.items() if node else ():
        if not isinstance(item.value, str) or not is_range(item.value):
            report.error(item, f'expected a range of IP addresses such as "10.0.0.0/8", not {describe(item)}')
    return tuple(str(item.value) for item in node.items()) if node else ()


def _ports(node: Node | None, report: Report) -> tuple[tuple[int, int], ...]:
    """`"1-1024,2048"` as pairs of the first and the last port."""
    if node is None:
        return ()
    found = []
    for text in str(node.value).split(","):
        match = _PORTS.fullmatch(text.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not 0 <= first <= last <= MAX_PORT:
            report.error(node, f'expected ports such as "80,8000-8999", not {describe(node)}')
            return ()
        found.append((first, last))
    return tuple(found)
