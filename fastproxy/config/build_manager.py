"""The HTTP connection manager of a listener, from the v3 message to the model; routes and filters have modules of
their own."""

from fastproxy.config.build_filters import build_access_logs, build_departures
from fastproxy.config.build_local_replies import build_local_replies
from fastproxy.config.build_routes import build_routes
from fastproxy.config.tree import Report
from fastproxy.config.v3 import View
from fastproxy.model import (
    MAX_ACCESS_LOGS,
    MAX_REQUEST_HEADERS,
    AccessLog,
    HttpConnectionManager,
    RouteConfiguration,
)

MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"

_MANAGER = HttpConnectionManager("", RouteConfiguration(()))


def build_manager(view: View, node: View, clusters: frozenset[str], report: Report) -> HttpConnectionManager:
    """The manager that `view` describes; `node` is that of the bootstrap, `clusters` are the names that there are."""
    if view.enum_name("codec_type") not in ("AUTO", "HTTP1"):
        report.error(view.node_of("codec_type"), "only HTTP/1 is spoken to clients yet; use AUTO or HTTP1")
    common = view.child("common_http_protocol_options")
    http1 = view.child("http_protocol_options")
    return HttpConnectionManager(
        stat_prefix=view.value("stat_prefix"),
        route_config=build_routes(view, clusters, report),
        access_logs=_manager_logs(view, report),
        server_name=view.value("server_name") or _MANAGER.server_name,
        service_cluster=node.value("cluster"),
        service_node=node.value("id"),
        add_user_agent=view.wrapped("add_user_agent", False),
        use_remote_address=view.wrapped("use_remote_address", False),
        skip_xff_append=view.value("skip_xff_append"),
        generate_request_id=view.wrapped("generate_request_id", True),
        idle_timeout_s=common.seconds("idle_timeout", _MANAGER.idle_timeout_s) or None,
        stream_idle_timeout_s=view.seconds("stream_idle_timeout", _MANAGER.stream_idle_timeout_s) or None,
        request_timeout_s=view.seconds("request_timeout", None) or None,
        request_headers_timeout_s=view.seconds("request_headers_timeout", None) or None,
        drain_timeout_s=view.seconds("drain_timeout", _MANAGER.drain_timeout_s) or 0.0,
        delayed_close_timeout_s=view.seconds("delayed_close_timeout", _MANAGER.delayed_close_timeout_s) or 0.0,
        max_connection_duration_s=common.seconds("max_connection_duration", None) or None,
        max_stream_duration_s=common.seconds("max_stream_duration", None) or None,
        max_requests_per_connection=common.wrapped("max_requests_per_connection", 0),
        max_request_headers_kb=view.wrapped("max_request_headers_kb", _MANAGER.max_request_headers_kb),
        max_headers_count=_max_headers_count(common, report),
        accept_http_10=http1.value("accept_http_10"),
        default_host_for_http_10=http1.value("default_host_for_http_10"),
        allow_absolute_url=http1.wrapped("allow_absolute_url", True),
        departures=build_departures(view, report),
        local_replies=build_local_replies(view, report),
    )


def _manager_logs(view: View, report: Report) -> tuple[AccessLog, ...]:
    logs = build_access_logs(view, report)
    if len(logs) > MAX_ACCESS_LOGS:
        report.error(
            view.node_of("access_log"), f"at most {MAX_ACCESS_LOGS} access logs are written; remove the others"
        )
    return logs


def _max_headers_count(common: View, report: Report) -> int:
    count: int = common.wrapped("max_headers_count", _MANAGER.max_headers_count)
    if count > MAX_REQUEST_HEADERS:
        message = f"at most {MAX_REQUEST_HEADERS} headers are taken; a request with more gets 431"
        report.warning(common.node_of("max_headers_count"), message)
    return min(count, MAX_REQUEST_HEADERS)
