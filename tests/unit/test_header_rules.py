"""Headers that rules add and remove, in heads as the data plane reads them."""

import pytest

from fastproxy.header_rules import HeaderRules
from fastproxy.inspection import changed_heads
from fastproxy.model import MAX_HEADER_RULES, AppendAction, HeaderValue
from fastproxy.model import HeaderRules as Model

ANSWER = b"HTTP/1.1 200 OK\r\n\r\n"
Pairs = list[tuple[bytes, bytes]]


def get(*lines: str) -> bytes:
    return "\r\n".join(["GET /p?q=1 HTTP/1.1", "host: h", *lines, "", ""]).encode()


def request(lines: list[str], *levels: Model, room: int = 4096) -> Pairs | None:
    """The fields of a request with these lines after the rules, Host left out."""
    fields, _ = changed_heads([HeaderRules(level) for level in levels], get(*lines), ANSWER, room)
    return None if fields is None else [field for field in fields if field[0] != b"host"]


def response(lines: list[str], *levels: Model, asked: tuple[str, ...] = (), room: int = 4096) -> Pairs | None:
    answer = "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode()
    rules = [HeaderRules(level) for level in levels]
    return changed_heads(rules, get(*asked), answer, room, response_code=200, start_us=1_700_000_000_123_456)[1]


def adding(action: AppendAction, value: str = "new") -> Model:
    return Model(request_add=(HeaderValue("x", value, action),))


APPEND = AppendAction.APPEND_IF_EXISTS_OR_ADD
IF_ABSENT = AppendAction.ADD_IF_ABSENT
OVERWRITE = AppendAction.OVERWRITE_IF_EXISTS_OR_ADD
IF_EXISTS = AppendAction.OVERWRITE_IF_EXISTS


@pytest.mark.parametrize(
    ("action", "there", "expected"),
    [
        (APPEND, [], [(b"x", b"new")]),
        (APPEND, ["x: old"], [(b"x", b"old"), (b"x", b"new")]),
        (IF_ABSENT, [], [(b"x", b"new")]),
        (IF_ABSENT, ["x: old"], [(b"x", b"old")]),
        (IF_ABSENT, ["x:"], [(b"x", b"")]),
        (OVERWRITE, [], [(b"x", b"new")]),
        (OVERWRITE, ["x: old", "y: 1", "X: older"], [(b"y", b"1"), (b"x", b"new")]),
        (IF_EXISTS, [], []),
        (IF_EXISTS, ["x: old", "y: 1"], [(b"y", b"1"), (b"x", b"new")]),
    ],
)
def test_append_actions(action, there, expected):
    assert request(there, adding(action)) == expected


def test_removal_comes_before_addition_and_takes_every_line():
    rules = Model(request_add=(HeaderValue("X", "new", IF_ABSENT),), request_remove=("X", "not-there"))
    assert request(["x: 1", "y: 2", "x: 3"], rules) == [(b"y", b"2"), (b"x", b"new")]


def test_what_replaces_comes_before_what_is_added():
    rules = Model(request_add=(HeaderValue("a", "1"), HeaderValue("b", "2", OVERWRITE), HeaderValue("c", "3")))
    assert request([], rules) == [(b"b", b"2"), (b"a", b"1"), (b"c", b"3")]


def test_all_values_are_of_the_head_as_it_was_after_the_removals():
    rules = Model(
        request_add=(
            HeaderValue("a", "%REQ(x)%", OVERWRITE),
            HeaderValue("x", "2", OVERWRITE),
            HeaderValue("b", "%REQ(a)%"),
        )
    )
    assert request(["x: 1"], rules) == [(b"a", b"1"), (b"x", b"2")]


def test_levels_follow_one_another():
    levels = [Model(request_add=(HeaderValue("x", f"{i}", OVERWRITE),)) for i in range(3)]
    assert request(["x: old"], *levels) == [(b"x", b"2")]
    assert request([], Model(request_add=(HeaderValue("x", "1"),)), Model(request_remove=("x",))) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", b"plain"),
        ("100%%", b"100%"),
        ("%REQ(:METHOD)% %REQ(:PATH)% %REQ(:AUTHORITY)%", b"GET /p?q=1 h"),
        ("%REQ(x-none?y)%", b'say "hi" \\ \xe9'),
        ("%REQ(y):3%", b"say"),
        ("<%REQ(x-none)%>", b"<>"),
        ("<%UPSTREAM_HOST%%ROUTE_NAME%%TRACE_ID%%ENVIRONMENT(NOT_THERE)%>", b"<>"),
        ("%PROTOCOL%", b"HTTP/1.1"),
        ("a-%%-b", b"a-%-b"),
        ("-", b"-"),
        ("%REQ(:SCHEME)%", b"http"),
    ],
)
def test_values(value, expected):
    fields, _ = changed_heads(
        [HeaderRules(adding(APPEND, value))],
        b'GET /p?q=1 HTTP/1.1\r\nhost: h\r\ny: say "hi" \\ \xe9\r\n\r\n',
        ANSWER,
    )
    assert fields is not None
    assert fields[-1] == (b"x", expected)


@pytest.mark.parametrize(("proto", "scheme"), [("https", b"https"), ("ftp", b"http"), ("", b"http")])
def test_the_scheme_is_that_of_a_proxy_in_front(proto, scheme):
    fields = request([f"x-forwarded-proto: {proto}"], adding(APPEND, "%REQ(:scheme)%"))
    assert fields is not None
    assert fields[-1] == (b"x", scheme)


@pytest.mark.parametrize("keep", [False, True])
def test_an_empty_value(keep):
    rules = Model(request_add=(HeaderValue("x", "%REQ(none)%", APPEND, keep), HeaderValue("y", "", OVERWRITE, keep)))
    assert request(["y: 1"], rules) == ([(b"y", b""), (b"x", b"")] if keep else [(b"y", b"1")])


def test_a_response_tells_of_its_request():
    rules = Model(
        response_add=(
            HeaderValue("x-id", "%REQ(x-request-id)% %REQ(:path)%"),
            HeaderValue("x-code", "%RESPONSE_CODE% %UPSTREAM_HOST% %RESP(server)% %START_TIME(%s.%3f)%"),
        ),
        response_remove=("x-secret",),
    )
    other = Model(response_add=(HeaderValue("x-ua", "%REQ(user-agent)%"),))
    assert response(["server: s", "x-secret: 1"], rules, other, asked=("x-request-id: 7", "user-agent: me")) == [
        (b"server", b"s"),
        (b"x-id", b"7 /p?q=1"),
        (b"x-code", b"200 10.0.0.1:80 s 1700000000.123"),
        (b"x-ua", b"me"),
    ]


def test_the_directions_do_not_mix():
    rules = Model(request_add=(HeaderValue("a", "1"),), response_add=(HeaderValue("b", "2"),))
    assert request([], rules) == [(b"a", b"1")]
    assert response([], rules) == [(b"b", b"2")]


def test_no_room_for_the_values():
    rules = Model(request_add=(HeaderValue("a", "%REQ(y)%"),), response_add=(HeaderValue("a", "x" * 200),))
    assert request(["y: " + "z" * 200], rules, room=100) is None
    assert response([], rules, room=100) is None


def test_no_room_for_the_fields():
    full = Model(request_add=tuple(HeaderValue(f"h{i}", "1") for i in range(MAX_HEADER_RULES)))
    assert len(request([], full, full, full, full) or []) == 4 * MAX_HEADER_RULES
    assert request([], *[full] * 20, room=1 << 20) is None


def test_more_than_one_level_may_have():
    with pytest.raises(ValueError, match="more than 64 headers to add"):
        HeaderRules(Model(request_add=(HeaderValue("a", "1"),) * (MAX_HEADER_RULES + 1)))
    with pytest.raises(ValueError, match="more than 64 header values"):
        HeaderRules(Model(response_add=(HeaderValue("a", "%REQ(a)%" * (MAX_HEADER_RULES + 1)),)))
