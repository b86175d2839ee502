"""The HTTP connection manager of a listener, from the v3 message to the model; routes and filters have modules of
their own."""

from fastproxy.config.addresses import is_ip
from fastproxy.config.build_filter_state import build_filter_state
from fastproxy.config.build_filters import ROUTER, build_access_logs, build_our_filter
from fastproxy.config.build_limits import LimitFilters
from fastproxy.config.build_local_replies import build_local_replies
from fastproxy.config.build_normalization import build_normalization
from fastproxy.config.build_routes import build_routes
from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View
from fastproxy.model import (
    MAX_ACCESS_LOGS,
    MAX_REQUEST_HEADERS,
    AccessLog,
    HeaderKeyFormat,
    HeadersWithUnderscoresAction,
    HttpConnectionManager,
    IpDetection,
    RouteConfiguration,
    ServerHeaderTransformation,
)

MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_DETECTION = "envoy.extensions.http.original_ip_detection."
_XFF_DETECTION = f"{_DETECTION}xff.v3.XffConfig"
_HEADER_DETECTION = f"{_DETECTION}custom_header.v3.CustomHeaderConfig"
_PRESERVE_CASE = "envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig"
_PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.1/32", "fd00::/8", "::1/128")

_MANAGER = HttpConnectionManager("", RouteConfiguration(()))


def build_manager(view: View, node: View, clusters: frozenset[str], report: Report) -> HttpConnectionManager:
    """The manager that `view` describes; `node` is that of the bootstrap, `clusters` are the names that there are."""
    if view.enum_name("codec_type") not in ("AUTO", "HTTP1"):
        report.error(view.node_of("codec_type"), "only HTTP/1 is spoken to clients yet; use AUTO or HTTP1")
    common = view.child("common_http_protocol_options")
    http1 = view.child("http_protocol_options")
    _check_addresses(view, report)
    ours = build_our_filter(view, report)
    limits = LimitFilters(view, report)
    return HttpConnectionManager(
        stat_prefix=view.value("stat_prefix"),
        route_config=build_routes(view, clusters, limits, report),
        access_logs=_manager_logs(view, report),
        server_name=view.value("server_name") or _MANAGER.server_name,
        service_cluster=node.value("cluster"),
        service_node=node.value("id"),
        add_user_agent=view.wrapped("add_user_agent", False),
        use_remote_address=view.wrapped("use_remote_address", False),
        skip_xff_append=view.value("skip_xff_append"),
        xff_num_trusted_hops=view.value("xff_num_trusted_hops"),
        internal_addresses=_internal_addresses(view, report),
        original_ip_detection=_original_ip_detection(view, report),
        append_x_forwarded_port=view.value("append_x_forwarded_port"),
        scheme_to_overwrite=_scheme(view, report),
        via=view.value("via"),
        preserve_external_request_id=view.value("preserve_external_request_id"),
        always_set_request_id_in_response=view.value("always_set_request_id_in_response"),
        forward_client_cert=view.enum_name("forward_client_cert_details") == "ALWAYS_FORWARD_ONLY",
        server_header_transformation=ServerHeaderTransformation[view.enum_name("server_header_transformation")],
        headers_with_underscores_action=HeadersWithUnderscoresAction[
            common.enum_name("headers_with_underscores_action")
        ],
        header_key_format=_header_key_format(http1, report),
        suppress_envoy_headers=_router(view, "suppress_envoy_headers"),
        stream_error_on_invalid_http_message=_stream_error(view, http1),
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
        proxy_100_continue=view.value("proxy_100_continue"),
        accept_http_10=http1.value("accept_http_10"),
        default_host_for_http_10=http1.value("default_host_for_http_10"),
        allow_absolute_url=http1.wrapped("allow_absolute_url", True),
        normalization=build_normalization(view, report),
        departures=ours.departures,
        affinity=ours.affinity,
        local_replies=build_local_replies(view, report),
        filter_state=build_filter_state(view, report),
        limits=limits.listener,
        max_connections_per_address=ours.max_connections_per_address,
    )


def _check_addresses(view: View, report: Report) -> None:
    """Envoy's own rules of what may not stand together."""
    if not view.has("original_ip_detection_extensions"):
        return
    for other in ("use_remote_address", "xff_num_trusted_hops"):
        if view.has(other) and (other != "use_remote_address" or view.wrapped(other, False)):
            message = f"original_ip_detection_extensions and {other} may not stand together; remove one of them"
            report.error(view.node_of(other), message, at_key=True)


def _internal_addresses(view: View, report: Report) -> tuple[str, ...]:
    """CIDR ranges; without internal_address_config nobody is internal, with an empty one private networks are."""
    config = view.child("internal_address_config")
    if not view.has("internal_address_config"):
        return ()
    if config.value("unix_sockets"):
        report.error(config.node_of("unix_sockets"), "no client counts as internal for its Unix socket; remove it")
    ranges = config.items("cidr_ranges")
    found = []
    for each in ranges:
        prefix, length = each.value("address_prefix"), each.wrapped("prefix_len", 0)
        if not is_ip(prefix):
            report.error(each.node_of("address_prefix"), f'"{shorten(prefix)}" is no IP address')
        elif length > (128 if ":" in prefix else 32):
            report.error(each.node_of("prefix_len"), f"{length} is longer than the address; use at most 32, or 128")
        else:
            found.append(f"{prefix}/{length}")
    return tuple(found) if ranges else _PRIVATE_NETWORKS


def _original_ip_detection(view: View, report: Report) -> tuple[IpDetection, ...]:
    found = []
    for extension in view.items("original_ip_detection_extensions"):
        config = extension.child("typed_config")
        if config.type_name == _XFF_DETECTION:
            found.append(IpDetection(xff_num_trusted_hops=config.value("xff_num_trusted_hops")))
        elif config.type_name == _HEADER_DETECTION:
            is_trusted = config.value("allow_extension_to_set_address_as_trusted")
            found.append(IpDetection(config.value("header_name"), is_trusted=is_trusted))
        elif not extension.node.damaged:
            name = shorten(extension.value("name"))
            report.error(extension.node, f'the detection "{name}" is not supported; use xff or custom_header')
    return tuple(found)


def _scheme(view: View, report: Report) -> str:
    transformation = view.child("scheme_header_transformation")
    scheme = str(transformation.value("scheme_to_overwrite"))
    if scheme not in ("", "http", "https"):
        report.error(transformation.node_of("scheme_to_overwrite"), f'"{shorten(scheme)}" is neither http nor https')
    return scheme


def _header_key_format(http1: View, report: Report) -> HeaderKeyFormat:
    config = http1.child("header_key_format")
    if config.has("proper_case_words"):
        return HeaderKeyFormat.PROPER_CASE_WORDS
    if not config.has("stateful_formatter"):
        return HeaderKeyFormat.LOWER_CASE
    formatter = config.child("stateful_formatter").child("typed_config")
    if formatter.type_name != _PRESERVE_CASE:
        report.error(config.node_of("stateful_formatter"), f"this formatter is not supported; use {_PRESERVE_CASE}")
    return HeaderKeyFormat.PRESERVE_CASE


def _router(view: View, field: str) -> bool:
    """A setting of the router among the HTTP filters."""
    routers = (each.child("typed_config") for each in view.items("http_filters"))
    return any(router.type_name == ROUTER and router.value(field) for router in routers)


def _stream_error(view: View, http1: View) -> bool:
    common: bool = view.wrapped("stream_error_on_invalid_http_message", False)
    return bool(http1.wrapped("override_stream_error_on_invalid_http_message", common))


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
