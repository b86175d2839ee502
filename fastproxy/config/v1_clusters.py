"""Clusters of a v1 file in the words of v3 (reference: `source/common/config/cds_json.cc` of Envoy 1.5.0)."""

import re
from typing import Any

from fastproxy.config.build_affinity import TYPED_STRUCT
from fastproxy.config.build_health_checks import ENGINE_IO
from fastproxy.config.tree import Node, Report, plain, shorten, wrap
from fastproxy.config.v1_values import TYPES, address, duration, each, upper

_TYPES_OF_CLUSTER = ("static", "strict_dns", "logical_dns")
_RESOLVER = f"{TYPES}network.dns_resolver.cares.v3.CaresDnsResolverConfig"
_RESOLVER_ADDRESS = re.compile(r"([0-9.]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_LIMITS = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
_EJECTIONS = (
    "consecutive_5xx",
    "consecutive_gateway_failure",
    "max_ejection_percent",
    "enforcing_consecutive_5xx",
    "enforcing_consecutive_gateway_failure",
    "enforcing_success_rate",
    "success_rate_minimum_hosts",
    "success_rate_request_volume",
    "success_rate_stdev_factor",
)


def cluster(node: Node, report: Report) -> Node:
    kind, balancer = _supported(node, report)
    health_check = node.get("health_check")
    return wrap(
        node,
        {
            "name": node.get("name") or "missing",
            "type": upper(kind),
            "connect_timeout": duration(node.get("connect_timeout_ms")),
            "lb_policy": upper(balancer),
            "load_assignment": _load_assignment(node, report),
            "ring_hash_lb_config": _ring_hash(node, balancer),
            "circuit_breakers": _circuit_breakers(node.get("circuit_breakers")),
            "per_connection_buffer_limit_bytes": node.get("per_connection_buffer_limit_bytes"),
            "max_requests_per_connection": node.get("max_requests_per_connection"),
            "dns_refresh_rate": duration(node.get("dns_refresh_rate_ms")),
            "dns_lookup_family": upper(node.get("dns_lookup_family")) or "V4_ONLY",
            "typed_dns_resolver_config": _resolvers(node.get("dns_resolvers"), report),
            "health_checks": health_check and health_check.with_value([_health_check(health_check, report)]),
            "outlier_detection": _outlier_detection(node.get("outlier_detection")),
            "cleanup_interval": duration(node.get("cleanup_interval_ms")),
        },
    )


def _supported(node: Node, report: Report) -> tuple[Node | None, Node | None]:
    """The type and the balancer of a cluster; None for one that is reported."""
    kind, balancer = node.get("type"), node.get("lb_type")
    if kind is not None and kind.value not in _TYPES_OF_CLUSTER:
        instead = ", ".join(_TYPES_OF_CLUSTER)
        report.error(kind, f'clusters of type "{kind.value}" are not supported yet; use {instead}')
        kind = None
    if balancer is not None and balancer.value == "original_dst_lb":
        report.error(balancer, "original_dst_lb is not supported yet; use ring_hash or another balancer")
        balancer = None
    return kind, balancer


def _load_assignment(node: Node, report: Report) -> Node:
    hosts = node.get("hosts")
    if hosts is None:
        if not node.damaged:
            report.error(node, 'this cluster has no hosts; add "hosts": [{"url": "tcp://127.0.0.1:8002"}]')
        hosts = node.with_value([])
    kind = node.get("type")
    is_static = kind is not None and kind.value == "static"
    urls = _unique_hosts(hosts, report)
    if kind is not None and kind.value == "logical_dns" and len(urls) > 1:
        report.warning(urls[1], "has no effect here: a logical_dns cluster uses its first host only")
        urls = urls[:1]
    endpoints = [
        wrap(host, {"endpoint": {"address": address(host, "url", report, may_be_unix=is_static)}}) for host in urls
    ]
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


def _circuit_breakers(node: Node | None) -> Node | None:
    if node is None:
        return None
    found = ((key, node.get(key)) for key in ("default", "high"))
    limits = [_thresholds(key, limit) for key, limit in found if limit is not None]
    return wrap(node, {"thresholds": node.with_value(limits)})


def _thresholds(priority: str, node: Node) -> Node:
    return wrap(node, {"priority": priority.upper(), **{key: node.get(key) for key in _LIMITS}})


def _resolvers(node: Node | None, report: Report) -> Node | None:
    resolvers = node and each(node, lambda item: _resolver(item, report))
    return node and wrap(node, {"name": "cares", "typed_config": {"@type": _RESOLVER, "resolvers": resolvers}})


def _resolver(node: Node, report: Report) -> Node:
    match = _RESOLVER_ADDRESS.fullmatch(str(node.value))
    if match is None:
        report.error(node, f'"{shorten(str(node.value))}" is no address of a resolver; write it as "10.0.0.1:53"')
    host, port = (match[1].strip("[]"), int(match[2])) if match else ("127.0.0.1", 53)
    return wrap(node, {"socket_address": {"address": host, "port_value": port}})


def _health_check(node: Node, report: Report) -> Node:
    return wrap(
        node,
        {
            "timeout": duration(node.get("timeout_ms")),
            "interval": duration(node.get("interval_ms")),
            "interval_jitter": duration(node.get("interval_jitter_ms")),
            "unhealthy_threshold": node.get("unhealthy_threshold"),
            "healthy_threshold": node.get("healthy_threshold"),
            "reuse_connection": node.get("reuse_connection"),
            **_probe(node, report),
        },
    )


def _probe(node: Node, report: Report) -> dict[str, Any]:
    kind, path, service = node.get("type"), node.get("path"), node.get("service_name")
    if kind is not None and kind.value == "tcp":
        return {"tcp_health_check": {"send": _sent(node.get("send")), "receive": each(node.get("receive"), _payload)}}
    if kind is not None and kind.value == "redis":
        report.error(kind, 'health checks of Redis are not supported; use "http" or "tcp"')
        return {"tcp_health_check": {}}
    if kind is not None and kind.value == "engine_io":
        return {"custom_health_check": {"name": "engine_io", "typed_config": _engine_io(node)}}
    if path is None and not node.damaged:
        report.error(node, 'the required key "path" is missing')
    matcher = service and {"prefix": service}
    return {"http_health_check": {"path": path or "/", "service_name_matcher": matcher}}


def _engine_io(node: Node) -> Node:
    """Our own check, which Envoy does not know."""
    value = {"path": node.get("path")}
    return wrap(node, {"@type": f"type.googleapis.com/{TYPED_STRUCT}", "type_url": ENGINE_IO, "value": value})


def _payload(node: Node) -> Node:
    return wrap(node, {"text": node.get("binary") or "00"})


def _sent(node: Node | None) -> Node | None:
    """v1 has a list of pieces that are sent as one."""
    pieces = [piece for piece in (item.get("binary") for item in (node.items() if node else [])) if piece]
    return wrap(node, {"text": "".join(str(piece.value) for piece in pieces)}) if node and pieces else None


def _outlier_detection(node: Node | None) -> Node | None:
    """Envoy 1.5 could always eject one host, whatever the percentage."""
    return node and wrap(
        node,
        {
            **{key: node.get(key) for key in _EJECTIONS},
            "interval": duration(node.get("interval_ms")),
            "base_ejection_time": duration(node.get("base_ejection_time_ms")),
            "always_eject_one_host": True,
        },
    )
