"""The connection manager of a v1 file, its HTTP filters and access logs, in the words of v3.

Reference: `source/common/config/filter_json.cc` of Envoy 1.5.0.
"""

from typing import Any

from fastproxy.config.tree import Node, Report, did_you_mean, shorten, wrap
from fastproxy.config.v1_routes import CORS, route_config
from fastproxy.config.v1_schema import BUFFER, HEALTH_CHECK_FILTER, MANAGER, ROUTER
from fastproxy.config.v1_values import TYPES, duration, each, upper

_OPERATORS = {">=": "GE", "=": "EQ"}
_UNSET = "unset"  # v3 wants a runtime key where v1 may have none
_CERT_DETAILS = {"Subject": "subject", "SAN": "uri"}


def manager(config: Node | None, node: Node, report: Report) -> Node:
    """The connection manager that a filter configures; `node` stands for it when it has no configuration."""
    checked = MANAGER.checked(config, report) if config else None
    return _manager(checked or node.with_value({}), report)


def _manager(node: Node, report: Report) -> Node:
    http1 = node.get("http1_settings")
    routes = node.get("route_config")
    if node.members() and routes is None and not node.damaged:
        report.error(node, 'the required key "route_config" is missing')
    filters, request_timeout = _http_filters(node.get("filters"), report)
    return wrap(
        node,
        {
            "@type": f"{TYPES}filters.network.http_connection_manager.v3.HttpConnectionManager",
            "codec_type": upper(node.get("codec_type")),
            "stat_prefix": node.get("stat_prefix") or "missing",
            "route_config": route_config(routes, report) if routes else {},
            "http_filters": filters,
            "request_timeout": request_timeout,
            "add_user_agent": node.get("add_user_agent"),
            "use_remote_address": node.get("use_remote_address"),
            "internal_address_config": {},  # private networks and loopback, as in Envoy 1.5
            "server_name": node.get("server_name"),
            "generate_request_id": node.get("generate_request_id"),
            "common_http_protocol_options": {"idle_timeout": duration(node.get("idle_timeout_s"), 1) or "0s"},
            "stream_idle_timeout": "0s",
            "drain_timeout": duration(node.get("drain_timeout_ms")),
            "http_protocol_options": {
                "allow_absolute_url": (http1.get("allow_absolute_url") if http1 else None) or False,
                "accept_http_10": True,
            },
            "forward_client_cert_details": upper(node.get("forward_client_cert")),
            "set_current_client_cert_details": _cert_details(node.get("set_current_client_cert_details")),
            "access_log": each(node.get("access_log"), lambda log: access_log(log, report)),
        },
    )


def _cert_details(node: Node | None) -> Node | None:
    return node and wrap(node, {_CERT_DETAILS[str(item.value)]: True for item in node.items()})


def _http_filters(filters: Node | None, report: Report) -> tuple[Any, Node | None]:
    """The filters, and the time that the buffer filter gives a request: v3 has it at the connection manager."""
    found: list[Node] = []
    request_timeout = None
    for item in filters.items() if filters else []:
        config = item.get("config")
        name = item.get("name")
        if name is not None and name.value == "buffer" and config is not None:
            request_timeout = duration(config.get("max_request_time_s"), 1)
        translated = None if name is None else _http_filter(item, name, config, report)
        found += [translated] if translated is not None else []
    return filters and filters.with_value(list(found)), request_timeout


def _http_filter(node: Node, name: Node, config: Node | None, report: Report) -> Node | None:
    if name.value == "router":
        if config is not None:
            ROUTER.checked(config, report)
        return wrap(node, {"name": name, "typed_config": {"@type": f"{TYPES}filters.http.router.v3.Router"}})
    if name.value == "fastproxy":
        return wrap(node, {"name": name, "typed_config": _ours(config)})
    if name.value == "cors":
        return wrap(node, {"name": CORS, "typed_config": {"@type": f"{TYPES}filters.http.cors.v3.Cors"}})
    if name.value == "buffer":
        checked = BUFFER.checked(config or node.with_value({}), report)
        size = checked.get("max_request_bytes") if checked else None
        typed = {"@type": f"{TYPES}filters.http.buffer.v3.Buffer", "max_request_bytes": size or 1}
        return wrap(node, {"name": name, "typed_config": typed})
    if name.value == "health_check":
        checked = HEALTH_CHECK_FILTER.checked(config or node.with_value({}), report)
        return wrap(node, {"name": name, "typed_config": _health_check(checked or node)})
    hint = did_you_mean(str(name.value), ("router", "fastproxy", "cors"))
    report.error(name, f'the filter "{shorten(str(name.value))}" is not supported{hint}')
    return None


def _ours(config: Node | None) -> dict[str, Any]:
    url = "type.googleapis.com/fastproxy.v1.HttpFilter"
    return {"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "type_url": url, "value": config or {}}


def _health_check(config: Node) -> dict[str, Any]:
    endpoint = config.get("endpoint")
    return {
        "@type": f"{TYPES}filters.http.health_check.v3.HealthCheck",
        "pass_through_mode": config.get("pass_through_mode"),
        "cache_time": duration(config.get("cache_time_ms")),
        "headers": endpoint and [{"name": ":path", "string_match": {"exact": endpoint}}],
    }


def access_log(node: Node, report: Report) -> Node:
    path = node.get("path") or node.with_value("/dev/null")
    log_filter = node.get("filter")
    return wrap(
        node,
        {
            "name": "file",
            "typed_config": file_log(path, node.get("format")),
            "filter": log_filter and _log_filter(log_filter, report),
        },
    )


def file_log(path: Node, text: Node | None) -> dict[str, Any]:
    log_format = {"text_format_source": {"inline_string": text}} if text and text.value else None
    return {"@type": f"{TYPES}access_loggers.file.v3.FileAccessLog", "path": path, "log_format": log_format}


def _log_filter(node: Node, report: Report) -> Node:
    kind = node.get("type")
    name = str(kind.value) if kind else ""
    if name in ("status_code", "duration"):
        return wrap(node, {f"{name}_filter": {"comparison": _comparison(node, report)}})
    if name in ("logical_and", "logical_or"):
        below: Any = each(node.get("filters"), lambda item: _log_filter(item, report)) or []
        return wrap(node, {f"{name.removeprefix('logical_')}_filter": {"filters": below}})
    if name == "runtime":
        return wrap(node, {"runtime_filter": {"runtime_key": node.get("key") or _UNSET}})
    if name == "traceable_request":
        return wrap(node, {"traceable_filter": {}})
    return wrap(node, {"not_health_check_filter": {}})


def _comparison(node: Node, report: Report) -> dict[str, Any]:
    operator, value = node.get("op"), node.get("value")
    for key, member in (("op", operator), ("value", value)):
        if member is None and not node.damaged:
            report.error(node, f'the required key "{key}" is missing')
    return {
        "op": _OPERATORS[str(operator.value)] if operator else "GE",
        "value": {"default_value": value or 0, "runtime_key": node.get("runtime_key") or _UNSET},
    }
