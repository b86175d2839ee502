"""A v1 file (the JSON of Envoy 1.5) to the shape of the v3 bootstrap, every value keeping its place and path.

What v1 meant and v3 would read otherwise is written out: no idle timeouts, no absolute URLs, IPv4 only, and the
hash of libstdc++ (reference: translation in `source/common/config/*_json.cc` of Envoy 1.5.0). What cannot be said in
v3, or is not supported, is reported here or, in the words of v3 with the places of v1, by `coverage`.
"""

from typing import Any

from fastproxy.config.tree import Node, Report, shorten, wrap
from fastproxy.config.v1_clusters import cluster
from fastproxy.config.v1_manager import access_log, file_log, manager
from fastproxy.config.v1_schema import TCP_PROXY, TOP
from fastproxy.config.v1_values import TYPES, address, each, is_true, upper

_MANAGER_NAME = "http_connection_manager"
_TCP_NAME = "tcp_proxy"
_CONDITIONS = ("destination_ip_list", "destination_ports", "source_ip_list", "source_ports")


def translate(root: Node, report: Report) -> Node:
    """The tree of a v1 file as that of a v3 file; what does not fit v1 is reported."""
    checked = TOP.checked(root, report) or root.with_value({})
    clusters = checked.get("cluster_manager")
    ejections = clusters and clusters.get("outlier_detection")
    return wrap(
        root,
        {
            "admin": _admin(checked.get("admin"), report),
            "static_resources": {
                "listeners": each(checked.get("listeners"), lambda node: _listener(node, report)),
                "clusters": each(clusters and clusters.get("clusters"), lambda node: cluster(node, report)),
            },
            "cluster_manager": ejections and wrap(ejections, {"outlier_detection": ejections}),
        },
    )


def _admin(node: Node | None, report: Report) -> Node | None:
    if node is None:
        return None
    path = node.get("access_log_path")
    log = path and [{"name": "file", "typed_config": file_log(path, None)}]
    return wrap(node, {"address": address(node, "address", report), "access_log": log})


def _listener(node: Node, report: Report) -> Node:
    filters = node.get("filters")
    return wrap(
        node,
        {
            "name": node.get("name"),
            "address": address(node, "address", report),
            "filter_chains": filters and filters.with_value(_filter_chains(filters, report)),
            "listener_filters": _listener_filters(node),
            "bind_to_port": node.get("bind_to_port"),
            "drain_type": upper(node.get("drain_type")),
            "per_connection_buffer_limit_bytes": node.get("per_connection_buffer_limit_bytes"),
        },
    )


def _listener_filters(node: Node) -> Node | None:
    types = {
        "use_proxy_proto": f"{TYPES}filters.listener.proxy_protocol.v3.ProxyProtocol",
        "use_original_dst": f"{TYPES}filters.listener.original_dst.v3.OriginalDst",
    }
    asked = [(key, flag) for key, flag in ((key, node.get(key)) for key in types) if flag is not None and is_true(flag)]
    filters = [wrap(flag, {"name": key, "typed_config": {"@type": types[key]}}) for key, flag in asked]
    return asked[0][1].with_value(list(filters)) if asked else None


def _filter_chains(filters: Node, report: Report) -> list[Node]:
    """A listener's chains of filters: one, or none when there is nothing to put into it."""
    if len(filters.items()) != 1:
        report.error(filters, f'a listener has one filter here, "{_MANAGER_NAME}" or "{_TCP_NAME}"')
    if not filters.items():
        return [wrap(filters, {"filters": []})]
    node = filters.items()[0]
    name, config = node.get("name"), node.get("config")
    if name is not None and name.value == _TCP_NAME:
        return _tcp_chains(node, config, report)
    if name is not None and name.value != _MANAGER_NAME:
        instead = f'use "{_MANAGER_NAME}" or "{_TCP_NAME}"'
        report.error(name, f'the filter "{shorten(str(name.value))}" is not supported; {instead}')
        config = None
    return [_chain(node, manager(config, node, report))]


def _chain(node: Node, typed_config: Any) -> Node:
    return wrap(node, {"filters": [{"name": node.get("name"), "typed_config": typed_config}]})


def _tcp_chains(node: Node, config: Node | None, report: Report) -> list[Node]:
    """One chain. Its routes, of which the first that fits counts, v3 does not have: a filter of ours brings them."""
    checked = TCP_PROXY.checked(config, report) if config else None
    config = checked or node.with_value({})
    routes = config.get("route_config")
    routes = routes and routes.get("routes")
    if routes is None:
        return []
    if not routes.items():
        report.error(routes, "a tcp_proxy needs a route; add one with a cluster")
        return []
    first = routes.items()[0]
    proxy = {"name": node.get("name"), "typed_config": _tcp_proxy(config, first, report)}
    if len(routes.items()) == 1 and _takes_everything(first):
        return [wrap(node, {"filters": [proxy]})]
    _warn_of_idle_routes(routes, report)
    return [wrap(node, {"filters": [{"name": "fastproxy", "typed_config": _tcp_routes(routes)}, proxy]})]


def _tcp_proxy(config: Node, route: Node, report: Report) -> Node:
    return wrap(
        route,
        {
            "@type": f"{TYPES}filters.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": config.get("stat_prefix") or "missing",
            "cluster": route.get("cluster"),
            "access_log": each(config.get("access_log"), lambda log: access_log(log, report)),
        },
    )


def _tcp_routes(routes: Node) -> dict[str, Any]:
    url = "type.googleapis.com/fastproxy.v1.TcpRoutes"
    return {
        "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
        "type_url": url,
        "value": routes.with_value({"routes": routes}),
    }


def _takes_everything(route: Node) -> bool:
    conditions = [route.get(key) for key in _CONDITIONS]
    return not any(node is not None and node.value for node in conditions)


def _warn_of_idle_routes(routes: Node, report: Report) -> None:
    caught = False
    for route in routes.items():
        if caught:
            report.warning(route, "has no effect here: a route before this one takes every connection")
        caught = caught or _takes_everything(route)
