"""Ids of sessions wherever messages carry them, and what is none."""

import pytest

from fastproxy.issued_ids import in_event, in_json, in_query, in_set_cookie, in_sockjs_path

ID = b"0123456789abcdef"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"SID=abc", b"abc"),
        (b"SID=abc; Path=/; HttpOnly; SameSite=Lax; Secure", b"abc"),
        (b' SID = "abc" ; Max-Age=3600; Expires=Wed, 01 Jan 2031 00:00:00 GMT', b"abc"),
        (b"SID=A1B2!-1234!987.node1", b"A1B2!-1234!987.node1"),
        (b"SID=s%3Aabc.d%2Fe", b"s%3Aabc.d%2Fe"),
        (b"SID=a=b=", b"a=b="),
        (b"SID=; Path=/", b""),
        (b'SID=""', b""),
        (b"SID=abc; max-age=0", b""),
        (b"SID=abc; Max-Age=-1; Path=/", b""),
        (b"SID=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0", b""),
        (b"SID=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT", b""),
        (b"sid=abc", None),
        (b"SIDE=abc", None),
        (b"SID", None),
        (b"a=1; SID=abc", None),
        (b"SID=a b", None),
        (b"SID=a,b", None),
        (b"SID=a\xe9", None),
        (b"SID=" + b"a" * 1024, b"a" * 1024),
        (b"SID=" + b"a" * 1025, None),
        (b"", None),
    ],
)
def test_a_cookie_that_is_set(line, expected):
    assert in_set_cookie(b"SID", line) == expected


def test_of_several_cookies_the_last_of_the_name_counts():
    assert in_set_cookie(b"SID", b"a=b", b"SID=1", b"SID=2; Path=/x", b"c=d") == b"2"
    assert in_set_cookie(b"SID", b"SID=1", b"SID=; Max-Age=0") == b""
    assert in_set_cookie(b"SID") is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"token":"abc"}', b"abc"),
        (b'\r\n { "x": {"token": "inner"}, "token" : "abc", "y"', b"abc"),
        (b'{"token":"a\\u002db\\/c"}', b"a-b/c"),
        (b'{"token":12345}', b"12345"),
        (b'{"token":-1 ', b"-1"),
        (b'{"token":12345', "incomplete"),
        (b'{"token":"ab', "incomplete"),
        (b'{"tok', "incomplete"),
        (b"", "incomplete"),
        (b" ", "incomplete"),
        (b'{"x":{"token":"a"}}', None),
        (b'{"x":["token","a"]}', None),
        (b'{"x":"token\\":\\"a"}', None),
        (b'{"token":null}', None),
        (b'{"token":true}', None),
        (b'{"token":{"a":1}}', None),
        (b'{"token":""}', None),
        (b'{"token":"a b"}', None),
        (b'{"token":"\\u00e9"}', None),
        (b'{"token":"' + b"a" * 1025 + b'"}', None),
        (b'[{"token":"a"}]', None),
        (b"<html>", None),
        (b"{}", None),
    ],
)
def test_a_member_of_a_json_answer(body, expected):
    assert in_json(b"token", body) == expected


# The first bytes of streams of the SDKs for Python and TypeScript.
PYTHON_STREAM = b"event: endpoint\r\ndata: /messages/?session_id=" + ID + b"\r\n\r\n"
TYPESCRIPT_STREAM = b"event: endpoint\ndata: /messages?sessionId=" + ID + b"\n\n"


@pytest.mark.parametrize(
    ("name", "stream"),
    [
        (b"session_id", PYTHON_STREAM),
        (b"sessionId", TYPESCRIPT_STREAM),
        (b"sessionId", b": ping\n\nretry: 3000\nid: 7\n" + TYPESCRIPT_STREAM),
        (b"sessionId", b"data:http://x/messages?a=b&sessionId=" + ID + b"#top\revent:endpoint\r\r:"),
    ],
)
def test_the_url_that_the_first_event_tells(name, stream):
    assert in_event(name, stream) == ID
    found = [in_event(name, stream[:cut]) for cut in range(len(stream))]
    assert set(found) <= {"incomplete", ID}
    assert found == sorted(found, key=lambda each: each != "incomplete")


@pytest.mark.parametrize(
    "stream",
    [
        b"event: message\ndata: /messages?sessionId=a\n\n",
        b"data: /messages?sessionId=a\n\n",
        b'event: endpoint\ndata: {"a":1}\n\n',
        b"event: endpoint\ndata: /messages?xsessionId=a\n\n",
        b"event: endpoint\ndata: /messages#?sessionId=a\n\n",
        b"event: endpoint\ndata: /messages?sessionId=a%20b\n\n",
        b"event: message\ndata: x\n\n" + TYPESCRIPT_STREAM,
    ],
)
def test_other_events_issue_nothing(stream):
    assert in_event(b"sessionId", stream) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (b"/app?id=abc", b"abc"),
        (b"https://example.com/app?x=1&id=a%2Bb%3d%3D&y", b"a+b=="),
        (b"/app?id=a+b", b"a+b"),
        (b"/app?id=abc#id=x", b"abc"),
        (b"/app?id=", None),
        (b"/app?id", None),
        (b"/app?id=%", None),
        (b"/app?id=%4", None),
        (b"/app?id=%zz", None),
        (b"/app?id=%00", None),
        (b"/app?id=%22", None),
        (b"/app?id=" + b"%61" * 1024, b"a" * 1024),
        (b"/app?id=" + b"%61" * 1025, None),
        (b"/app", None),
        (b"", None),
    ],
)
def test_a_parameter(url, expected):
    assert in_query(b"id", url) == expected


@pytest.mark.parametrize(
    "transport",
    ["xhr", "xhr_send", "xhr_streaming", "eventsource", "htmlfile", "jsonp", "jsonp_send", "websocket"],
)
def test_a_path_of_sockjs(transport):
    assert in_sockjs_path(f"/echo/000/abc_123/{transport}?c=cb/x".encode()) == b"abc_123"


@pytest.mark.parametrize(
    "path",
    [
        b"/echo/info",
        b"/echo/websocket",
        b"/echo/0.0/abc/xhr",
        b"/echo/000/a.b/xhr",
        b"/echo/000//xhr",
        b"/echo//abc/xhr",
        b"/echo/000/abc/xhr/",
        b"/echo/000/abc/XHR",
        b"/echo/000/abc/xhr_sent",
        b"/abc/xhr",
        b"abc/xhr",
        b"xhr",
        b"",
    ],
)
def test_other_paths(path):
    assert in_sockjs_path(path) is None
