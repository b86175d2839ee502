"""Routes of a v1 file in the words of v3 (reference: `source/common/config/rds_json.cc` of Envoy 1.5.0)."""

from typing import Any

from fastproxy.config.tree import Node, Report, wrap
from fastproxy.config.v1_values import TYPES, duration, each, headers_to_add, is_true, upper

CORS = "envoy.filters.http.cors"

_CORS_POLICY = f"{TYPES}filters.http.cors.v3.CorsPolicy"
_MATCHES = ("prefix", "path", "regex")
_CLUSTERS = ("cluster", "cluster_header", "weighted_clusters")
_REDIRECTS = ("host_redirect", "path_redirect")
_WHOLE = 100  # what the weights of a v1 route add up to
_SSL = {"all": "ALL", "external_only": "EXTERNAL_ONLY"}


def route_config(node: Node, report: Report) -> Node:
    return wrap(
        node,
        {
            "virtual_hosts": each(node.get("virtual_hosts"), lambda host: _virtual_host(host, report)),
            "internal_only_headers": node.get("internal_only_headers"),
            "request_headers_to_add": headers_to_add(node.get("request_headers_to_add")),
            "response_headers_to_add": headers_to_add(node.get("response_headers_to_add")),
            "response_headers_to_remove": node.get("response_headers_to_remove"),
            "validate_clusters": node.get("validate_clusters"),
        },
    )


def _virtual_host(node: Node, report: Report) -> Node:
    ssl = node.get("require_ssl")
    return wrap(
        node,
        {
            "name": node.get("name") or "missing",
            "domains": node.get("domains") or ["missing"],
            "routes": each(node.get("routes"), lambda route: _route(route, report)),
            "require_tls": ssl and ssl.with_value(_SSL[str(ssl.value)]),
            "virtual_clusters": each(node.get("virtual_clusters"), _virtual_cluster),
            "request_headers_to_add": headers_to_add(node.get("request_headers_to_add")),
            "typed_per_filter_config": _cors(node.get("cors")),
        },
    )


def _virtual_cluster(node: Node) -> Node:
    method = node.get("method")
    headers: list[Any] = [{"name": ":path", "string_match": {"safe_regex": {"regex": node.get("pattern") or ".*"}}}]
    if method is not None:
        headers.append({"name": ":method", "string_match": {"exact": method}})
    return wrap(node, {"name": node.get("name"), "headers": headers})


def _route(node: Node, report: Report) -> Node:
    redirects = [key for key in _REDIRECTS if node.get(key) is not None]
    _check_action(node, redirects, report)
    action = {"redirect": _redirect(node, redirects, report)} if redirects else {"route": _action(node, report)}
    decorator = node.get("decorator")
    return wrap(
        node,
        {
            "match": _match(node, report),
            **action,
            "decorator": decorator and wrap(decorator, {"operation": decorator.get("operation")}),
            "metadata": _metadata(node.get("opaque_config")),
            "request_headers_to_add": headers_to_add(node.get("request_headers_to_add")),
            "typed_per_filter_config": _cors(node.get("cors")),
        },
    )


def _check_action(node: Node, redirects: list[str], report: Report) -> None:
    """A route leads to a cluster, found in one way, or it redirects."""
    found = [key for key in _CLUSTERS if node.get(key) is not None]
    if node.damaged:
        return
    if redirects and found:
        report.error(node, f'a route has "{redirects[0]}" or "{found[0]}", not both; remove one')
    elif not redirects and not found:
        report.error(node, 'the required key "cluster" is missing: it says where this route leads')
    elif len(found) > 1:
        report.error(node, f"a route has one of {', '.join(_CLUSTERS)}, not {len(found)}")


def _redirect(node: Node, keys: list[str], report: Report) -> Node:
    """A v1 redirect to a path loses the query, which v3 keeps unless it is told to strip it."""
    origin = node.get(keys[0]) or node
    websocket, path = node.get("use_websocket"), node.get("path_redirect")
    if websocket is not None and is_true(websocket):
        report.error(websocket, "a redirect is no way for a WebSocket; remove it here", at_key=True)
    strip = path and path.with_value(True)
    return wrap(origin, {"host_redirect": node.get("host_redirect"), "path_redirect": path, "strip_query": strip})


def _action(node: Node, report: Report) -> dict[str, Any]:
    host, auto = node.get("host_rewrite"), node.get("auto_host_rewrite")
    if host is not None and auto is not None and is_true(auto):
        report.error(auto, 'a route has "host_rewrite" or "auto_host_rewrite", not both; remove one', at_key=True)
        auto = None
    websocket = node.get("use_websocket")
    return {
        "cluster": node.get("cluster"),
        "cluster_header": node.get("cluster_header"),
        "weighted_clusters": _weighted_clusters(node.get("weighted_clusters"), report),
        "timeout": duration(node.get("timeout_ms")),
        "prefix_rewrite": node.get("prefix_rewrite"),
        "host_rewrite_literal": host,
        "auto_host_rewrite": auto if auto is not None and is_true(auto) else None,
        "retry_policy": _retry_policy(node.get("retry_policy")),
        "request_mirror_policies": _shadow(node.get("shadow")),
        "priority": upper(node.get("priority")),
        "hash_policy": _hash_policy(node.get("hash_policy")),
        "upgrade_configs": websocket and [wrap(websocket, {"upgrade_type": "websocket", "enabled": websocket})],
    }


def _hash_policy(node: Node | None) -> Node | list[Node] | None:
    """The one header of Envoy 1.5, or a list of policies, which stand there as in v3."""
    if node is not None and isinstance(node.value, list):
        return node
    header = node.get("header_name") if node else None
    return [wrap(node, {"header": {"header_name": header}})] if node and header else None


def _weighted_clusters(node: Node | None, report: Report) -> Node | None:
    clusters = node.get("clusters") if node else None
    if node is None or clusters is None:
        return None
    weights = [weight.value for weight in (item.get("weight") for item in clusters.items()) if weight is not None]
    total = sum(weight for weight in weights if isinstance(weight, int))
    if total != _WHOLE and not clusters.damaged and len(weights) == len(clusters.items()):
        report.error(clusters, f"the weights have to add up to {_WHOLE}, not {total}")
    return wrap(node, {"clusters": clusters, "runtime_key_prefix": node.get("runtime_key_prefix")})


def _retry_policy(node: Node | None) -> Node | None:
    return node and wrap(
        node,
        {
            "retry_on": node.get("retry_on"),
            "num_retries": node.get("num_retries"),
            "per_try_timeout": duration(node.get("per_try_timeout_ms")),
        },
    )


def _shadow(node: Node | None) -> list[Node] | None:
    """With a runtime key nothing is mirrored until the runtime says so, in ten thousandths."""
    if node is None:
        return None
    key = node.get("runtime_key")
    fraction = {"default_value": {"numerator": 0, "denominator": "TEN_THOUSAND"}, "runtime_key": key} if key else None
    return [wrap(node, {"cluster": node.get("cluster"), "runtime_fraction": fraction})]


def _metadata(node: Node | None) -> Node | None:
    return node and wrap(node, {"filter_metadata": {"envoy.router": node}})


def _cors(node: Node | None) -> Node | None:
    if node is None:
        return None
    enabled = node.get("enabled")
    percent = 0 if enabled is not None and not is_true(enabled) else 100
    policy = {
        "@type": _CORS_POLICY,
        "allow_origin_string_match": each(node.get("allow_origin"), lambda origin: wrap(origin, {"exact": origin})),
        **{key: node.get(key) for key in ("allow_methods", "allow_headers", "expose_headers", "max_age")},
        "allow_credentials": node.get("allow_credentials"),
        "filter_enabled": {"default_value": {"numerator": percent, "denominator": "HUNDRED"}},
    }
    return wrap(node, {CORS: policy})


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
        "headers": each(node.get("headers"), _header),
        "runtime_fraction": _runtime(node.get("runtime")),
    }


def _header(node: Node) -> Node:
    """Without a value, or with an empty one, it is enough that the header is there."""
    value = node.get("value")
    if value is None or not value.value:
        match: dict[str, Any] = {"present_match": True}
    elif is_true(node.get("regex")):
        match = {"string_match": {"safe_regex": {"regex": value}}}
    else:
        match = {"string_match": {"exact": value}}
    return wrap(node, {"name": node.get("name"), **match})


def _runtime(node: Node | None) -> Node | None:
    """v1 counts in hundredths."""
    fraction = {"numerator": node.get("default"), "denominator": "HUNDRED"} if node else None
    return node and wrap(node, {"default_value": fraction, "runtime_key": node.get("key")})
