"""The entries of `learn`: presets, sessions that the file describes itself, and every mistake with its place."""

import json

import pytest

from fastproxy.config.build_session_protocols import MAX_PROTOCOLS, build_protocols
from fastproxy.model_affinity import (
    MCP,
    SOCKJS,
    IdPlace,
    IdSource,
    SessionProtocol,
    cookie,
    header,
    json_field,
    query,
)
from tests.unit.config_files import errors, tree


def built(*entries):
    node, report = tree(json.dumps(list(entries)))
    return build_protocols(node, report), report


def mistakes(*entries):
    return errors(built(*entries)[1])


def custom(**more):
    return {"issued": ["json:connectionToken"], "returned": ["query:id"], **more}


@pytest.mark.parametrize(
    ("preset", "protocol"),
    [
        ("mcp", MCP),
        ("sockjs", SOCKJS),
        ("cookie:JSESSIONID", cookie("JSESSIONID")),
        ("header:X-Session", header("X-Session")),
        ("query:token", query("token")),
        ("json:connectionId", json_field("connectionId")),
    ],
)
def test_presets(preset, protocol):
    found, report = built(preset)
    assert (found, errors(report)) == ((protocol,), [])


def test_several_in_their_order():
    assert built("sockjs", "cookie:a", "cookie:b", "mcp")[0] == (SOCKJS, cookie("a"), cookie("b"), MCP)
    assert built()[0] == ()


def test_one_that_the_file_describes():
    [found] = built(custom(name="signalr", lifetime=60))[0]
    issued, returned = IdPlace(IdSource.JSON, "connectionToken"), IdPlace(IdSource.QUERY, "id")
    assert found == SessionProtocol("signalr", (issued,), (returned,), 60)


def test_what_it_leaves_out():
    [found] = built({"issued": ["header:X-A", "event:id", "cookie:b", "query:c"], "returned": ["header:X-A"]})[0]
    assert (found.name, found.lifetime_s, found.lost) == ("header:x-a event:id cookie:b query:c", 3600, None)
    assert found.returned == (IdPlace(IdSource.HEADER, "x-a"),)


@pytest.mark.parametrize(
    ("entry", "path", "message"),
    [
        ("sokjs", "[0]", 'there is no preset "sokjs"; did you mean "sockjs"?'),
        ("cookies:a", "[0]", 'there is no preset "cookies:a"; did you mean "cookie:a"?'),
        (
            "x",
            "[0]",
            'there is no preset "x"; use one of cookie:NAME, header:NAME, json:NAME, mcp, query:NAME, sockjs',
        ),
        ("cookie", "[0]", 'there is no preset "cookie"; write "cookie:" and a name behind it'),
        ("cookie:", "[0]", 'the name of the cookie is missing behind "cookie:"'),
        ("header:a b", "[0]", '"a b" cannot be the name of a header'),
        ("query:a=b", "[0]", '"a=b" cannot be the name of a query parameter'),
        ('json:a"b', "[0]", '"a"b" cannot be the name of a JSON member'),
        (
            "engine.io",
            "[0]",
            'there is no preset "engine.io"; those sessions are learned as long as sid_affinity is true',
        ),
        (5, "[0]", "expected a preset such as mcp or cookie:JSESSIONID, or an object, not the number 5"),
        (
            {"returned": ["query:a"]},
            "[0]",
            'the required key "issued" is missing: it says where the id of a session stands',
        ),
        (custom(issued=[]), "[0].issued", "expected a list of 1 to 8 places such as header:x-session"),
        (custom(issued="json:a"), "[0].issued", "expected a list of 1 to 8 places such as header:x-session"),
        (
            custom(returned=["json:a"]),
            "[0].returned[0]",
            'no id can stand in "json:a" here; use one of query:NAME, header:NAME, cookie:NAME',
        ),
        (
            custom(issued=["heder:a"]),
            "[0].issued[0]",
            'no id can stand in "heder:a" here; did you mean "header:a"?',
        ),
        (custom(issued=["event:"]), "[0].issued[0]", 'the name of the query parameter is missing behind "event:"'),
        (custom(issued=[7]), "[0].issued[0]", "expected a place such as header:x-session, not the number 7"),
        (
            custom(lifetime=0),
            "[0].lifetime",
            "expected a whole number of seconds from 1 to 432000, not the number 0",
        ),
        (
            custom(lifetime=True),
            "[0].lifetime",
            "expected a whole number of seconds from 1 to 432000, not true",
        ),
        (custom(name=""), "[0].name", 'expected a name of 1 to 60 characters, not the text ""'),
        (
            custom(name="engine.io"),
            "[0]",
            '"engine.io" is the name of what sid_affinity stands for; take another one',
        ),
        (
            custom(lifetme=5),
            "[0].lifetme",
            'there is no such key in an entry of learn; did you mean "lifetime"?',
        ),
    ],
)
def test_mistakes(entry, path, message):
    assert (path, message) in mistakes(entry)


def test_one_mistake_does_not_hide_the_next():
    assert [path for path, _ in mistakes("sokjs", "cookie:", custom(lifetime="long"))] == ["[0]", "[1]", "[2].lifetime"]


def test_names_are_taken_once():
    assert mistakes("mcp", "mcp") == [("[1]", '"mcp" stands in this list twice')]
    assert mistakes("cookie:a", custom(name="cookie:a")) == [("[1]", '"cookie:a" stands in this list twice')]


def test_no_list():
    node, report = tree('"mcp"')
    assert build_protocols(node, report) == ()
    assert errors(report) == [("", 'expected a list such as [mcp, cookie:JSESSIONID], not the text "mcp"')]


def test_their_number_is_bounded():
    names = [f"cookie:c{i}" for i in range(MAX_PROTOCOLS + 1)]
    assert mistakes(*names[:-1]) == []
    assert mistakes(*names) == [("", "at most 16 kinds of sessions are learned; remove the others")]
