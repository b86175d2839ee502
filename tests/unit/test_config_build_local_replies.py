"""local_reply_config in the model."""

import json

import pytest

from fastproxy.config.build import build
from fastproxy.model import HeaderValue, LocalReplies, LogCondition, LogFilter, LogOperator, ReplyBody, ReplyMapper
from tests.unit.config_files import V3_MANAGER_PATH, errors, v3_file, v3_manager, view

PATH = f"{V3_MANAGER_PATH}.local_reply_config"


def built(change):
    document = v3_file()
    change(document)
    bootstrap, report = view(document)
    return build(bootstrap, report), report


def status(value):
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": {"default_value": value, "runtime_key": "x"}}}}


def replies(config):
    configuration, report = built(lambda d: v3_manager(d).update(local_reply_config=config))
    assert errors(report) == []
    return configuration.listeners[0].manager.local_replies


def test_none():
    configuration, _ = built(lambda d: None)
    assert configuration.listeners[0].manager.local_replies is None


def test_a_mapper():
    mapper = {
        "filter": status(404),
        "status_code": 499,
        "body": {"inline_string": "gone"},
        "headers_to_add": [{"header": {"key": "X-A", "value": "b"}}],
        "body_format_override": {
            "text_format_source": {"inline_string": "<%LOCAL_REPLY_BODY%>"},
            "content_type": "a/b",
        },
    }
    expected = ReplyMapper(
        LogFilter(LogCondition.STATUS, LogOperator.EQ, 404),
        499,
        b"gone",
        ReplyBody("<%LOCAL_REPLY_BODY%>", False, "a/b"),
        (HeaderValue("x-a", "b"),),
    )
    assert replies({"mappers": [mapper]}) == LocalReplies((expected,))


def test_json():
    template = {"b": "%RESPONSE_CODE%", "a": [1, {"c": "%LOCAL_REPLY_BODY%"}]}
    found = replies({"body_format": {"json_format": template}})
    assert (found.format.is_json, found.format.content_type) == (True, "application/json")
    assert json.loads(found.format.template) == template


@pytest.mark.parametrize(
    ("config", "path", "words"),
    [
        (
            {"body_format": {"json_format": {"a": ["%NONSENSE%"]}}},
            f"{PATH}.body_format.json_format",
            "unknown operator",
        ),
        (
            {"body_format": {"text_format_source": {"inline_string": "%LOCAL_REPLY_BODY% %X%"}}},
            f"{PATH}.body_format.text_format_source",
            "unknown operator",
        ),
        (
            {"mappers": [{"filter": status(1), "headers_to_add": [{"header": {"key": "a", "value": "%REQ(b)%"}}]}]},
            f"{PATH}.mappers[0].headers_to_add[0]",
            "cannot name headers of the request",
        ),
    ],
)
def test_mistakes(config, path, words):
    _, report = built(lambda d: v3_manager(d).update(local_reply_config=config))
    [(found, message)] = errors(report)
    assert found == path
    assert words in message
