"""Headers to add and remove, from the v3 messages of any level to the model."""

import re

from fastproxy.config.build_filters import format_problem
from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View
from fastproxy.log_format import compile_format
from fastproxy.model import MAX_HEADER_RULES, AppendAction, HeaderRules, HeaderValue

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FRAMING = frozenset(
    ("connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
)


def build_header_rules(view: View, report: Report) -> HeaderRules | None:
    """What a weighted cluster, a route, a virtual host or a route configuration adds and removes; None for nothing."""
    rules = HeaderRules(
        request_add=build_header_values(view, "request_headers_to_add", report),
        request_remove=_removals(view, "request_headers_to_remove", report),
        response_add=build_header_values(view, "response_headers_to_add", report),
        response_remove=_removals(view, "response_headers_to_remove", report),
    )
    return None if rules == HeaderRules() else rules


def build_header_values(view: View, field: str, report: Report) -> tuple[HeaderValue, ...]:
    """The headers that a list of HeaderValueOption adds."""
    found = tuple(_addition(item, report) for item in view.items(field))
    named = sum(operator.kind in ("request", "response") for each in found for operator in compile_format(each.value))
    if max(len(found), named) > MAX_HEADER_RULES:
        message = f"at most {MAX_HEADER_RULES} headers are added, and as many named by their values, at one level"
        report.error(view.node_of(field), message)
    return found


def _addition(view: View, report: Report) -> HeaderValue:
    header = view.child("header")
    key = header.value("key").lower()
    problem = _problem(key, "modified")
    if problem:
        report.error(header.node_of("key"), problem)
    return HeaderValue(key, _value(header, report), _action(view, report), view.value("keep_empty_value"))


def _removals(view: View, field: str, report: Report) -> tuple[str, ...]:
    names = [name.lower() for name in view.value(field)]
    for name, node in zip(names, view.node_of(field).items(), strict=True):
        problem = _problem(name, "removed")
        if problem:
            report.error(node, problem)
    return tuple(names)


def _problem(name: str, verb: str) -> str:
    """Why a header of that name cannot be touched; "" when it can."""
    if name.startswith(":") or name == "host":
        return f"headers that begin with a colon, and host, may not be {verb}; use the rewrites of a route"
    if name in _FRAMING:
        return f'"{name}" says how a message is framed: it is written by the proxy itself and may not be {verb}'
    if not _TOKEN.fullmatch(name):
        return f'"{shorten(name)}" is no header name'
    return ""


def _action(view: View, report: Report) -> AppendAction:
    action = AppendAction[view.enum_name("append_action") or "APPEND_IF_EXISTS_OR_ADD"]
    if not view.has("append"):
        return action
    if view.has("append_action"):
        report.error(view.node_of("append"), "append_action says it already; remove one of the two")
    if view.wrapped("append", True):
        return AppendAction.APPEND_IF_EXISTS_OR_ADD
    return AppendAction.OVERWRITE_IF_EXISTS_OR_ADD


def _value(header: View, report: Report) -> str:
    """The format of a value; "" with the mistake reported when it is none."""
    field = "value" if header.has("value") or not header.has("raw_value") else "raw_value"
    value = header.value(field)
    node = header.node_of(field)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    problem = format_problem(value)
    if not problem and re.search(r"[\x00-\x08\x0a-\x1f\x7f\ufffd]", value):
        problem = "a value may hold neither control characters nor what is no UTF-8"
    if problem:
        report.error(node, problem)
    return "" if problem else value
