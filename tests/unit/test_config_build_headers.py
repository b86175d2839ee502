"""Headers to add and remove in the model."""

import pytest

from fastproxy.config.build_headers import build_header_rules
from fastproxy.model import MAX_HEADER_RULES, AppendAction, HeaderRules, HeaderValue
from tests.unit.config_files import V3_MANAGER_PATH, errors, v3_file, v3_manager, view

PATH = f"{V3_MANAGER_PATH}.route_config"


def built(fields):
    document = v3_file()
    v3_manager(document)["route_config"].update(fields)
    bootstrap, report = view(document)
    chain = bootstrap.child("static_resources").items("listeners")[0].items("filter_chains")[0]
    manager = chain.items("filters")[0].child("typed_config")
    return build_header_rules(manager.child("route_config"), report), report


def rules(fields):
    found, report = built(fields)
    assert errors(report) == []
    return found


def adding(key="x", value="1", **fields):
    return {"request_headers_to_add": [{"header": {"key": key, "value": value}, **fields}]}


def test_no_rules():
    assert rules({}) is None


def test_both_directions():
    fields = {
        "request_headers_to_add": [{"header": {"key": "X-A", "value": "%REQ(b)%"}}],
        "request_headers_to_remove": ["X-B"],
        "response_headers_to_add": [{"header": {"key": "x-c", "value": "2"}, "keep_empty_value": True}],
        "response_headers_to_remove": ["x-d", "x-e"],
    }
    append = AppendAction.APPEND_IF_EXISTS_OR_ADD
    assert rules(fields) == HeaderRules(
        (HeaderValue("x-a", "%REQ(b)%"),), ("x-b",), (HeaderValue("x-c", "2", append, True),), ("x-d", "x-e")
    )


@pytest.mark.parametrize(
    ("fields", "action"),
    [
        ({}, "APPEND_IF_EXISTS_OR_ADD"),
        ({"append": True}, "APPEND_IF_EXISTS_OR_ADD"),
        ({"append": False}, "OVERWRITE_IF_EXISTS_OR_ADD"),
        *[({"append_action": each.name}, each.name) for each in AppendAction],
    ],
)
def test_append_action(fields, action):
    (added,) = rules(adding(**fields)).request_add
    assert added.append_action == AppendAction[action]


def test_a_raw_value():
    (added,) = rules({"response_headers_to_add": [{"header": {"key": "x", "raw_value": "aMOp"}}]}).response_add
    assert added.value == "hé"


ADDED = f"{PATH}.request_headers_to_add[0]"


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        (
            adding(":path"),
            f"{ADDED}.header.key",
            "headers that begin with a colon, and host, may not be modified; use the rewrites of a route",
        ),
        (
            adding("Host"),
            f"{ADDED}.header.key",
            "headers that begin with a colon, and host, may not be modified; use the rewrites of a route",
        ),
        (
            {"response_headers_to_remove": ["a", ":status"]},
            f"{PATH}.response_headers_to_remove[1]",
            "headers that begin with a colon, and host, may not be removed; use the rewrites of a route",
        ),
        (
            adding("Transfer-Encoding"),
            f"{ADDED}.header.key",
            '"transfer-encoding" says how a message is framed: '
            "it is written by the proxy itself and may not be modified",
        ),
        (adding("a b"), f"{ADDED}.header.key", '"a b" is no header name'),
        (
            adding(value="%REQUEST_DURATON%"),
            f"{ADDED}.header.value",
            'character 1: %REQUEST_DURATON%: unknown operator; did you mean "REQUEST_DURATION"?',
        ),
        (
            adding(value="100% sure"),
            f"{ADDED}.header.value",
            "character 4: no operator begins with '% sure'; write %% for a percent",
        ),
        (
            adding(value="a\tb\x07"),
            f"{ADDED}.header.value",
            "a value may hold neither control characters nor what is no UTF-8",
        ),
        (
            adding(append=True, append_action="ADD_IF_ABSENT"),
            f"{ADDED}.append",
            "append_action says it already; remove one of the two",
        ),
        (
            {"request_headers_to_add": [{"header": {"key": "x", "value": "%REQ(a)%" * (MAX_HEADER_RULES + 1)}}]},
            f"{PATH}.request_headers_to_add",
            "at most 64 headers are added, and as many named by their values, at one level",
        ),
    ],
)
def test_mistakes(fields, path, message):
    assert errors(built(fields)[1]) == [(path, message)]
