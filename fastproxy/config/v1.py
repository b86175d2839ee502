"""A v1 file (the JSON of Envoy 1.5) to the shape of the v3 bootstrap, every value keeping its place and path.

What v1 meant and v3 would read otherwise is written out: no idle timeouts, no absolute URLs, IPv4 only, and the
hash of libstdc++ (reference: translation in `source/common/config/*_json.cc` of Envoy 1.5.0).
"""

from dataclasses import replace
from typing import Any

from fastproxy.config.addresses import parse_url
from fastproxy.config.tree import Node, Report, did_you_mean, plain, shorten, wrap
from fastproxy.config.v1_schema import MANAGER, ROUTER, TOP

_TYPES = "type.googleapis.com/envoy.extensions."
_MANAGER_NAME = "http_connection_manager"
_V1_CLUSTER_TYPES = ("static", "strict_dns", "logical_dns")
_MATCHES = ("prefix", "path", "regex")
_NOWHERE = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
"""Stands in for an address that was reported, so that the rest of the file can still be read."""


def translate(root: Node, report: Report) -> Node:
    """The tree of a v1 file as that of a v3 file; what does not fit v1 is reported."""
    checked = TOP.checked(root, report) or root.with_value({})
    manager = checked.get("cluster_manager")
    clusters = manager.get("clusters") if manager else None
    listeners = checked.get("listeners")
    return wrap(
        root,
        {
            "admin": _admin(checked.get("admin"), report),
            "static_resources": {
                "listeners": listeners and listeners.with_value([_listener(x, report) for x in listeners.items()]),
                "clusters": clusters and clusters.with_value([_cluster(x, report) for x in clusters.items()]),
            },
        },
    )


def _admin(node: Node | None, report: Report) -> Node | None:
    if node is None:
        return None
    return wrap(node, {"address": _address(node, "address", report), "access_log": _admin_log(node)})


def _admin_log(node: Node) -> Any:
    path = node.get("access_log_path")
    return path and [{"name": "file", "typed_config": _file_log(path, None)}]


def _address(node: Node, key: str, report: Report) -> Node:
    """The address that a key of this object holds."""
    url = node.get(key)
    found = None if url is None else parse_url(url, report)
    if url is None or found is None:
        return wrap(replace(url or node, damaged=True), _NOWHERE)
    return wrap(url, {"socket_address": {"address": found[0], "port_value": found[1]}})


def _duration(node: Node | None, per_second: int = 1000) -> Node | None:
    """A number of milliseconds (or of `1 / per_second` s) as v3's text in seconds."""
    if node is None or not isinstance(node.value, int):
        return None
    whole, rest = divmod(node.value, per_second)
    return node.with_value(f"{whole}.{rest:03d}s" if rest else f"{whole}s")


def _upper(node: Node | None) -> Node | None:
    return node.with_value(str(node.value).upper()) if node else None


def _listener(node: Node, report: Report) -> Node:
    filters = node.get("filters")
    return wrap(
        node,
        {
            "name": node.get("name"),
            "address": _address(node, "address", report),
            "filter_chains": filters
            and filters.with_value([wrap(filters, {"filters": filters.with_value(_network_filters(filters, report))})]),
            "bind_to_port": node.get("bind_to_port"),
            "per_connection_buffer_limit_bytes": node.get("per_connection_buffer_limit_bytes"),
        },
    )


def _network_filters(filters: Node, report: Report) -> list[Node]:
    if len(filters.items()) != 1:
        report.error(filters, f'a listener has one filter here, "{_MANAGER_NAME}"')
    return [_network_filter(item, report) for item in filters.items()[:1]]


def _network_filter(node: Node, report: Report) -> Node:
    name, config = node.get("name"), node.get("config")
    if name is not None and name.value != _MANAGER_NAME:
        report.error(name, f'the filter "{shorten(str(name.value))}" is not supported; use "{_MANAGER_NAME}"')
        config = None
    checked = MANAGER.checked(config, report) if config else None
    return wrap(node, {"name": name, "typed_config": _manager(checked or node.with_value({}), report)})


def _manager(node: Node, report: Report) -> Node:
    http1 = node.get("http1_settings")
    routes = node.get("route_config")
    if node.members() and routes is None and not node.damaged:
        report.error(node, 'the required key "route_config" is missing')
    logs = node.get("access_log")
    return wrap(
        node,
        {
            "@type": f"{_TYPES}filters.network.{_MANAGER_NAME}.v3.HttpConnectionManager",
            "codec_type": _upper(node.get("codec_type")),
            "stat_prefix": node.get("stat_prefix") or "missing",
            "route_config": _route_config(routes, report) if routes else {},
            "http_filters": _http_filters(node.get("filters"), report),
            "add_user_agent": node.get("add_user_agent"),
            "use_remote_address": node.get("use_remote_address"),
            "server_name": node.get("server_name"),
            "generate_request_id": node.get("generate_request_id"),
            "common_http_protocol_options": {"idle_timeout": _duration(node.get("idle_timeout_s"), 1) or "0s"},
            "stream_idle_timeout": "0s",
            "drain_timeout": _duration(node.get("drain_timeout_ms")),
            "http_protocol_options": {
                "allow_absolute_url": (http1.get("allow_absolute_url") if http1 else None) or False,
                "accept_http_10": True,
            },
            "access_log": logs and logs.with_value([_access_log(log) for log in logs.items()]),
        },
    )


def _access_log(node: Node) -> Node:
    path = node.get("path") or node.with_value("/dev/null")
    return wrap(node, {"name": "file", "typed_config": _file_log(path, node.get("format"))})


def _file_log(path: Node, text: Node | None) -> dict[str, Any]:
    log_format = {"text_format_source": {"inline_string": text}} if text and text.value else None
    return {"@type": f"{_TYPES}access_loggers.file.v3.FileAccessLog", "path": path, "log_format": log_format}


def _http_filters(filters: Node | None, report: Report) -> Any:
    found = [_http_filter(item, report) for item in filters.items()] if filters else []
    return filters and filters.with_value([item for item in found if item is not None])


def _http_filter(node: Node, report: Report) -> Node | None:
    name, config = node.get("name"), node.get("config")
    if name is None:
        return None
    if name.value == "router":
        if config is not None:
            ROUTER.checked(config, report)
        return wrap(node, {"name": name, "typed_config": {"@type": f"{_TYPES}filters.http.router.v3.Router"}})
    if name.value == "fastproxy":
        ours: dict[str, Any] = {
            "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
            "type_url": "type.googleapis.com/fastproxy.v1.HttpFilter",
            "value": config or {},
        }
        return wrap(node, {"name": name, "typed_config": ours})
    hint = did_you_mean(str(name.value), ("router", "fastproxy"))
    report.error(name, f'the filter "{shorten(str(name.value))}" is not supported{hint}')
    return None


def _route_config(node: Node, report: Report) -> Node:
    hosts = node.get("virtual_hosts")
    return wrap(node, {"virtual_hosts": hosts and hosts.with_value([_virtual_host(x, report) for x in hosts.items()])})


def _virtual_host(node: Node, report: Report) -> Node:
    routes = node.get("routes")
    return wrap(
        node,
        {
            "name": node.get("name") or "missing",
            "domains": node.get("domains") or ["missing"],
            "routes": routes and routes.with_value([_route(route, report) for route in routes.items()]),
        },
    )


def _route(node: Node, report: Report) -> Node:
    policy = node.get("hash_policy")
    header = policy.get("header_name") if policy else None
    websocket = node.get("use_websocket")
    if node.get("cluster") is None and not node.damaged:
        report.error(node, 'the required key "cluster" is missing: it says where this route leads')
    return wrap(
        node,
        {
            "match": _match(node, report),
            "route": {
                "cluster": node.get("cluster"),
                "timeout": _duration(node.get("timeout_ms")),
                "prefix_rewrite": node.get("prefix_rewrite"),
                "host_rewrite_literal": node.get("host_rewrite"),
                "hash_policy": header and [wrap(policy or node, {"header": {"header_name": header}})],
                "upgrade_configs": websocket and [wrap(websocket, {"upgrade_type": "websocket", "enabled": websocket})],
            },
        },
    )


def _match(node: Node, report: Report) -> dict[str, Any]:
    matches = [key for key in _MATCHES if node.get(key) is not None]
    if len(matches) != 1 and not node.damaged:
        report.error(node, f"a route has exactly one of {', '.join(_MATCHES)}, not {len(matches)}")
    regex = node.get("regex")
    return {
        "prefix": node.get("prefix") or ("/" if not matches else None),
        "path": node.get("path"),
        "safe_regex": regex and wrap(regex, {"regex": regex}),
        "case_sensitive": node.get("case_sensitive"),
    }


def _cluster(node: Node, report: Report) -> Node:
    kind = node.get("type")
    if kind is not None and kind.value not in _V1_CLUSTER_TYPES:
        report.error(
            kind, f'clusters of type "{kind.value}" are not supported yet; use static, strict_dns, logical_dns'
        )
        kind = None
    balancer = node.get("lb_type")
    if balancer is not None and balancer.value == "original_dst_lb":
        report.error(balancer, "original_dst_lb is not supported yet; use ring_hash or another balancer")
        balancer = None
    return wrap(
        node,
        {
            "name": node.get("name") or "missing",
            "type": _upper(kind),
            "connect_timeout": _duration(node.get("connect_timeout_ms")),
            "lb_policy": _upper(balancer),
            "load_assignment": _load_assignment(node, report),
            "ring_hash_lb_config": _ring_hash(node, balancer),
            "circuit_breakers": _circuit_breakers(node),
            "per_connection_buffer_limit_bytes": node.get("per_connection_buffer_limit_bytes"),
            "max_requests_per_connection": node.get("max_requests_per_connection"),
            "dns_refresh_rate": _duration(node.get("dns_refresh_rate_ms")),
            "dns_lookup_family": _upper(node.get("dns_lookup_family")) or "V4_ONLY",
        },
    )


def _load_assignment(node: Node, report: Report) -> Node:
    hosts = node.get("hosts")
    if hosts is None:
        if not node.damaged:
            report.error(node, 'this cluster has no hosts; add "hosts": [{"url": "tcp://127.0.0.1:8002"}]')
        hosts = node.with_value([])
    urls = _unique_hosts(hosts, report)
    kind = node.get("type")
    if kind is not None and kind.value == "logical_dns" and len(urls) > 1:
        report.warning(urls[1], "has no effect here: a logical_dns cluster uses its first host only")
        urls = urls[:1]
    endpoints = [wrap(host, {"endpoint": {"address": _address(host, "url", report)}}) for host in urls]
    return wrap(
        hosts,
        {
            "cluster_name": node.get("name") or "missing",
            "endpoints": hosts.with_value([wrap(hosts, {"lb_endpoints": endpoints})]),
        },
    )


def _unique_hosts(hosts: Node, report: Report) -> list[Node]:
    found: dict[str, Node] = {}
    for host in hosts.items():
        first = found.setdefault(str(plain(host)), host)
        if first is not host:
            report.error(host, f"this host stands already at {first.path}; remove one")
    return list(found.values())


def _ring_hash(node: Node, balancer: Node | None) -> Node | None:
    config = node.get("ring_hash_lb_config")
    if config is None and (balancer is None or balancer.value != "ring_hash"):
        return None
    use_std_hash = config.get("use_std_hash") if config else None
    murmur = use_std_hash is None or use_std_hash.value is not False
    return wrap(
        config or node,
        {
            "minimum_ring_size": config.get("minimum_ring_size") if config else None,
            "hash_function": "MURMUR_HASH_2" if murmur else "XX_HASH",
        },
    )


def _circuit_breakers(node: Node) -> Node | None:
    breakers = node.get("circuit_breakers")
    limits = breakers.get("default") if breakers else None
    return limits and wrap(limits, {"thresholds": limits.with_value([limits])})
