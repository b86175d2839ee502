"""Active health checks of a cluster, from the v3 message to the model. Reports what cannot be checked like that."""

import re
from collections.abc import Iterator

from fastproxy.config.addresses import is_ip
from fastproxy.config.build_affinity import TYPED_STRUCT
from fastproxy.config.build_headers import build_header_values
from fastproxy.config.build_matchers import build_string_matcher
from fastproxy.config.own_values import whole
from fastproxy.config.tree import Node, Report, did_you_mean, shorten, words
from fastproxy.config.v3 import View
from fastproxy.log_format import compile_format
from fastproxy.model import Address, EngineIoProbe, HealthCheck, HostCheck, HttpProbe, Probe, TcpProbe
from fastproxy.model_health import StatusRange

ENGINE_IO = "fastproxy.v1.EngineIoHealthCheck"
FILE_SINK = "envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink"
NO_TRAFFIC_S = 60.0
MAX_ANSWER_BYTES = 64 * 1024

_ENGINE_IO_KEYS = words("path host protocol")
_TARGET = re.compile(r"[!-~]+")
_HEXADECIMAL = re.compile(r"([0-9A-Fa-f]{2})*")
_WITH_BODY = words("POST PUT PATCH OPTIONS")


def build_health_check(cluster: View, report: Report) -> HealthCheck | None:
    """The check of a cluster; None where it has none."""
    views = cluster.items("health_checks")
    if len(views) > 1:
        report.error(views[1].node, "a cluster has one health check at most; remove the others")
    return _check(views[0], report) if views else None


def _check(view: View, report: Report) -> HealthCheck:
    interval_s = view.seconds("interval", 1.0) or 0.0
    unhealthy_s = view.seconds("unhealthy_interval", interval_s) or 0.0
    no_traffic_s = view.seconds("no_traffic_interval", NO_TRAFFIC_S) or 0.0
    return HealthCheck(
        probe=_probe(view, report),
        timeout_s=view.seconds("timeout", 1.0) or 0.0,
        interval_s=interval_s,
        unhealthy_threshold=_threshold(view, "unhealthy_threshold", report),
        healthy_threshold=_threshold(view, "healthy_threshold", report),
        no_traffic_interval_s=no_traffic_s,
        no_traffic_healthy_interval_s=view.seconds("no_traffic_healthy_interval", no_traffic_s) or 0.0,
        unhealthy_interval_s=unhealthy_s,
        unhealthy_edge_interval_s=view.seconds("unhealthy_edge_interval", unhealthy_s) or 0.0,
        healthy_edge_interval_s=view.seconds("healthy_edge_interval", interval_s) or 0.0,
        initial_jitter_s=view.seconds("initial_jitter", 0.0) or 0.0,
        interval_jitter_s=view.seconds("interval_jitter", 0.0) or 0.0,
        interval_jitter_percent=view.value("interval_jitter_percent"),
        reuse_connection=view.wrapped("reuse_connection", True),
        alt_port=_alt_port(view, report),
        event_log_path=_event_log_path(view, report),
        always_log_failures=view.value("always_log_health_check_failures"),
        always_log_successes=view.value("always_log_health_check_success"),
    )


def _threshold(view: View, field: str, report: Report) -> int:
    threshold: int = view.wrapped(field, 1)
    if threshold == 0 and not view.node.damaged:
        report.error(view.node_of(field), "has to be at least 1")
    return threshold


def _alt_port(view: View, report: Report) -> int:
    port: int = view.wrapped("alt_port", 0)
    if port > 65535:
        report.error(view.node_of("alt_port"), "a port is at most 65535")
    return port


def _event_log_path(view: View, report: Report) -> str:
    path: str = view.value("event_log_path")
    for sink in view.items("event_logger"):
        config = sink.child("typed_config")
        if config.type_name == FILE_SINK:
            path = config.value("event_log_path")
        elif not config.node.damaged:
            report.error(config.node, f"events are written to files only; use {FILE_SINK.rpartition('.')[2]}")
    return path


def _probe(view: View, report: Report) -> Probe:
    kind = view.message.WhichOneof("health_checker")
    if kind == "http_health_check":
        return _http(view.child(kind), report)
    if kind == "tcp_health_check":
        return TcpProbe(*_payloads(view.child(kind), report))
    if kind == "custom_health_check":
        return _custom(view.child(kind), report)
    if kind is not None:
        report.error(view.node_of(kind), "gRPC is not spoken to hosts; use http_health_check or tcp_health_check")
    return TcpProbe()


def _http(view: View, report: Report) -> HttpProbe:
    send, receive = _payloads(view, report)
    if view.enum_name("codec_client_type") not in ("", "HTTP1"):
        report.error(view.node_of("codec_client_type"), "only HTTP/1.1 is spoken to hosts; write HTTP1")
    headers = build_header_values(view, "request_headers_to_add", report)
    if any(operator.kind != "literal" for each in headers for operator in compile_format(each.value)):
        said = "a check belongs to no request: its headers can have no operators but %%"
        report.error(view.node_of("request_headers_to_add"), said)
    method = view.enum_name("method")
    if method == "CONNECT":
        report.error(view.node_of("method"), "CONNECT cannot check a host; use GET or HEAD")
    if view.has("send") and method not in _WITH_BODY and method != "CONNECT":
        said = "only POST, PUT, PATCH and OPTIONS have a body, as in Envoy; set one of them as method"
        report.error(view.node_of("send"), said)
    matcher = view.child("service_name_matcher") if view.has("service_name_matcher") else None
    return HttpProbe(
        path=_target(view, "path", report),
        host=_target(view, "host", report),
        method="GET" if method in ("", "METHOD_UNSPECIFIED") else method,
        headers=headers,
        removed_headers=tuple(_removed(view, report)),
        expected_statuses=_statuses(view, "expected_statuses", report) or ((200, 201),),
        retriable_statuses=_statuses(view, "retriable_statuses", report),
        service_name=build_string_matcher(matcher, report) if matcher else None,
        send=send,
        receive=receive,
        response_buffer_bytes=view.wrapped("response_buffer_size", 1024) or MAX_ANSWER_BYTES,
    )


def _removed(view: View, report: Report) -> Iterator[str]:
    """The headers that a check leaves out."""
    nodes = view.node_of("request_headers_to_remove").items()
    for name, node in zip(view.value("request_headers_to_remove"), nodes, strict=True):
        if name.lower() == "host" or name.startswith(":"):
            report.error(node, "a check cannot do without it, as in Envoy")
        yield name.lower()


def _target(view: View, field: str, report: Report) -> str:
    """A path or a host: it stands in the head of a request as it is."""
    text: str = view.value(field)
    if text and not _TARGET.fullmatch(text):
        report.error(view.node_of(field), f'"{shorten(text)}" has characters that may not stand in a request')
    return text


def _statuses(view: View, field: str, report: Report) -> tuple[StatusRange, ...]:
    found = []
    for each in view.items(field):
        start, end = each.value("start"), each.value("end")
        if not 100 <= start < end <= 600:
            report.error(each.node, f"{start} to {end} is no range of statuses; the end, at most 600, is not in it")
        found.append((start, end))
    return tuple(found)


def _payloads(view: View, report: Report) -> tuple[bytes, tuple[bytes, ...]]:
    """What is sent, and the pieces that have to come."""
    send = _payload(view.child("send"), report) if view.has("send") else b""
    return send, tuple(_payload(each, report) for each in view.items("receive"))


def _payload(view: View, report: Report) -> bytes:
    if view.message.WhichOneof("payload") == "binary":
        return bytes(view.value("binary"))
    text: str = view.value("text")
    if _HEXADECIMAL.fullmatch(text):
        return bytes.fromhex(text)
    report.error(view.node_of("text"), f'"{shorten(text)}" is no hexadecimal text such as "50494E47"')
    return b""


# --- our own: a handshake of Engine.IO --------------------------------------------------------------------------------


def _custom(view: View, report: Report) -> Probe:
    config = view.child("typed_config")
    if config.type_name != TYPED_STRUCT or config.value("type_url").rpartition("/")[2] != ENGINE_IO:
        if not config.node.damaged:
            report.error(view.node, f"of custom checks only a TypedStruct of {ENGINE_IO} is supported")
        return TcpProbe()
    return _engine_io(config.node_of("value"), report)


def _engine_io(node: Node, report: Report) -> EngineIoProbe:
    default = EngineIoProbe()
    for key, member in node.members().items():
        if key not in _ENGINE_IO_KEYS:
            report.error(member, f"there is no such key{did_you_mean(key, _ENGINE_IO_KEYS)}", at_key=True)
    protocol = node.get("protocol")
    number = default.protocol if protocol is None else whole(protocol, 3, 4, "of Engine.IO", report)
    return EngineIoProbe(
        _text(node, "path", default.path, report), _text(node, "host", "", report), number or default.protocol
    )


def _text(node: Node, key: str, default: str, report: Report) -> str:
    member = node.get(key)
    if member is None:
        return default
    if not isinstance(member.value, str) or not _TARGET.fullmatch(member.value):
        report.error(member, "expected a text without blanks that can stand in a request")
        return default
    return member.value


# --- one host ---------------------------------------------------------------------------------------------------------


def build_host_check(endpoint: View, report: Report) -> HostCheck:
    """What an endpoint says about its own checks."""
    view = endpoint.child("health_check_config")
    socket = view.child("address").child("socket_address")
    host: str = socket.value("address")
    if view.has("address") and not is_ip(host):
        report.error(view.node_of("address"), "a host is checked at an IP address; write a socket_address with one")
        return HostCheck()
    if view.has("address") and view.value("port_value"):
        report.error(view.node_of("port_value"), "the address has a port already; remove one of the two")
    return HostCheck(
        view.value("port_value"),
        view.value("hostname"),
        Address(host, socket.value("port_value")) if view.has("address") else None,
        view.value("disable_active_health_check"),
    )
