"""What hangs on a connection manager besides its routes: HTTP filters, among them our own, and access logs."""

import re
from dataclasses import dataclass, field, fields, replace

from fastproxy.config import codes
from fastproxy.config.build_affinity import (
    KEYS,
    SESSION_TABLE_SLOTS,
    is_ours,
    listener_settings,
    table_slots,
)
from fastproxy.config.build_log_filters import build_log_filter
from fastproxy.config.build_own_limits import MAX_CONNECTIONS_PER_ADDRESS, connections_per_address
from fastproxy.config.own_values import flag
from fastproxy.config.reasons import filter_reason, is_guard
from fastproxy.config.tree import Node, Report, did_you_mean, shorten
from fastproxy.config.v3 import View
from fastproxy.log_format import SIMPLE, compile_format
from fastproxy.model import DEFAULT_ACCESS_LOG_FORMAT, DEFAULT_AFFINITY, AccessLog, Departures, SessionAffinity

ROUTER = "envoy.extensions.filters.http.router.v3.Router"
CORS = "envoy.extensions.filters.http.cors.v3.Cors"  # what it does stands in the routes
LOCAL_RATE_LIMIT = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"  # see build_limits
BUFFER = "envoy.extensions.filters.http.buffer.v3.Buffer"
SET_FILTER_STATE = "envoy.extensions.filters.http.set_filter_state.v3.Config"  # see build_filter_state
_ELSEWHERE = (CORS, SET_FILTER_STATE, LOCAL_RATE_LIMIT, BUFFER)

_UNKNOWN_OPERATOR = re.compile(r"%([A-Z_0-9]+)[^%]*%: unknown operator")
_OPERATORS = frozenset(SIMPLE) | {"REQ", "RESP", "START_TIME", "START_TIME_LOCAL", "HOSTNAME", "ENVIRONMENT"}
_LOGGERS = "envoy.extensions.access_loggers."
_STREAMS = {
    f"{_LOGGERS}stream.v3.StdoutAccessLog": "/dev/stdout",
    f"{_LOGGERS}stream.v3.StderrAccessLog": "/dev/stderr",
}
_FILE = f"{_LOGGERS}file.v3.FileAccessLog"


@dataclass(frozen=True, slots=True)
class OurFilter:
    """What the entries of our own filter say."""

    departures: Departures = field(default_factory=Departures)
    affinity: SessionAffinity = DEFAULT_AFFINITY
    max_connections_per_address: int = 0


def build_our_filter(manager: View, report: Report) -> OurFilter:
    """The settings of our own filter; every other filter but the router, which comes last, is reported."""
    ours = OurFilter(affinity=listener_settings(manager, report).affinity())
    views = manager.items("http_filters")
    for place, view in enumerate(views):
        config = view.child("typed_config")
        is_last = place == len(views) - 1
        if config.type_name == ROUTER:
            if not is_last or view.value("disabled"):
                report.error(view.node, "the router has to be the last filter, and enabled")
        elif config.type_name in _ELSEWHERE:
            if is_last:
                report.error(view.node, "the router has to follow as the last filter")
        elif is_ours(config):
            if is_last:
                report.error(view.node, "the router has to follow as the last filter")
            ours = _settings(config, ours, report)
        else:
            _refuse(view, config, report)
    if not views:
        report.warning(manager.node, "there is no router among the http_filters: requests are routed all the same")
    return ours


def _refuse(view: View, config: View, report: Report) -> None:
    name = shorten(view.value("name"))
    if view.node.damaged:
        return
    if not view.has("typed_config") and not view.has("config_discovery"):
        report.error(view.node, f'"typed_config" is missing: it says which filter "{name}" is')
    elif view.value("disabled") or (view.value("is_optional") and not is_guard(config.type_name)):
        message = f'has no effect here: the filter "{name}" is not supported'
        report.warning(view.node, message, code=codes.NO_EFFECT)
    else:
        reason = filter_reason(config.type_name)
        words = f": {reason}" if reason else f"; use {ROUTER}, or remove it"
        message = f'the filter "{name}" ({config.type_name}) is not supported{words}'
        report.error(view.node, message, code=codes.UNSUPPORTED)


def _settings(config: View, ours: OurFilter, report: Report) -> OurFilter:
    """What the entry says besides KEYS, which `build_affinity` reads."""
    departures = {each.name for each in fields(Departures)}
    known = {*KEYS, *departures, SESSION_TABLE_SLOTS, MAX_CONNECTIONS_PER_ADDRESS}
    for key, member in config.node_of("value").members().items():
        if key not in known:
            report.error(member, f"there is no such key in the fastproxy filter{did_you_mean(key, known)}", at_key=True)
        elif key == SESSION_TABLE_SLOTS:
            table_slots(member, report)
        elif key == MAX_CONNECTIONS_PER_ADDRESS:
            ours = replace(ours, max_connections_per_address=connections_per_address(member, report))
        elif key in departures and (value := flag(member, report)) is not None:
            ours = replace(ours, departures=replace(ours.departures, **{key: value}))
    return ours


def build_access_logs(view: View, report: Report) -> tuple[AccessLog, ...]:
    """The access logs of a connection manager or of admin that are written to a file or a standard stream."""
    logs = (_access_log(log, report) for log in view.items("access_log"))
    return tuple(log for log in logs if log is not None)


def _access_log(view: View, report: Report) -> AccessLog | None:
    config = view.child("typed_config")
    if config.type_name not in (_FILE, *_STREAMS):
        if not view.node.damaged:
            report.error(view.node, f'the access log "{shorten(view.value("name"))}" is not supported; use {_FILE}')
        return None
    if config.type_name == _FILE and (config.has("json_format") or config.has("typed_json_format")):
        _warn_of_json(config, report)
        return None
    path = config.value("path") if config.type_name == _FILE else _STREAMS[config.type_name]
    text, node = config.value("format") if config.type_name == _FILE else "", config.node_of("log_format")
    if text:
        node = config.node_of("format")
    elif config.has("log_format"):
        log_format = config.child("log_format")
        if log_format.has("json_format"):
            _warn_of_json(config, report)
            return None
        text, node = text_of(log_format)
    problem = format_problem(text)
    if problem:
        report.error(node, problem)
    log_filter = build_log_filter(view.child("filter"), report) if view.has("filter") else None
    return AccessLog(path, text or DEFAULT_ACCESS_LOG_FORMAT, log_filter)


def format_problem(text: str) -> str:
    """What is wrong with a format; "" when it can be used. Envoy dies of an operator that it does not know."""
    try:
        compile_format(text)
    except ValueError as error:
        unknown = _UNKNOWN_OPERATOR.search(str(error))
        return f"{error}{did_you_mean(unknown[1], _OPERATORS) if unknown else ''}"
    return ""


def _warn_of_json(config: View, report: Report) -> None:
    report.warning(config.node, "has no effect here: access logs in JSON are not written yet")


def text_of(log_format: View) -> tuple[str, Node]:
    """The format string of a SubstitutionFormatString and where it stands."""
    if log_format.has("text_format"):
        return log_format.value("text_format"), log_format.node_of("text_format")
    source = log_format.child("text_format_source")
    return source.value("inline_string"), source.node_of("inline_string")
