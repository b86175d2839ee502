"""What becomes of local replies, from the v3 message to the model."""

import json

from google.protobuf import json_format

from fastproxy.config.build_filters import format_problem
from fastproxy.config.build_headers import build_header_values
from fastproxy.config.build_log_filters import build_log_filter
from fastproxy.config.tree import Report
from fastproxy.config.v3 import View
from fastproxy.log_format import compile_format
from fastproxy.model import HeaderValue, LocalReplies, ReplyBody, ReplyMapper

OWN_BODY = "%LOCAL_REPLY_BODY%"


def build_local_replies(view: View, report: Report) -> LocalReplies | None:
    """The `local_reply_config` of a connection manager; None when the file has none."""
    if not view.has("local_reply_config"):
        return None
    config = view.child("local_reply_config")
    mappers = tuple(_mapper(each, report) for each in config.items("mappers"))
    return LocalReplies(mappers, _format(config, "body_format", report))


def _mapper(view: View, report: Report) -> ReplyMapper:
    return ReplyMapper(
        filter=build_log_filter(view.child("filter"), report),
        status=view.wrapped("status_code", 0),
        body=_body(view, report),
        format=_format(view, "body_format_override", report),
        headers=_headers(view, report),
    )


def _body(view: View, report: Report) -> bytes | None:
    if not view.has("body"):
        return None
    source = view.child("body")
    if source.has("inline_bytes"):
        return bytes(source.value("inline_bytes"))
    if not source.has("inline_string"):
        report.error(source.node, "the text of a local reply stands in the file itself; use inline_string")
    return str(source.value("inline_string")).encode()


def _headers(view: View, report: Report) -> tuple[HeaderValue, ...]:
    found = build_header_values(view, "headers_to_add", report)
    for header, node in zip(found, view.node_of("headers_to_add").items(), strict=True):
        if any(operator.kind == "request" for operator in compile_format(header.value)):
            report.error(node, "the headers of a local reply cannot name headers of the request here")
    return found


def _format(view: View, field: str, report: Report) -> ReplyBody | None:
    if not view.has(field):
        return None
    config = view.child(field)
    content_type = config.value("content_type")
    if config.has("json_format"):
        template = json_format.MessageToDict(config.value("json_format"))
        for text in _texts(template):
            _check(text, config, "json_format", report)
        return ReplyBody(json.dumps(template, sort_keys=True), True, content_type or "application/json")
    text, name = config.value("text_format"), "text_format"
    if config.has("text_format_source"):
        source = config.child("text_format_source")
        text, name = source.value("inline_string"), "text_format_source"
        if not source.has("inline_string"):
            report.error(source.node, "the format of local replies stands in the file itself; use inline_string")
    _check(text, config, name, report)
    return ReplyBody(text, False, content_type or "text/plain")


def _check(text: str, view: View, field: str, report: Report) -> None:
    for part in text.split(OWN_BODY):
        problem = format_problem(part)
        if problem:
            report.error(view.node_of(field), problem)


def _texts(value: object) -> list[str]:
    """Every text inside a JSON value."""
    if isinstance(value, str):
        return [value]
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in below for text in _texts(each)]
