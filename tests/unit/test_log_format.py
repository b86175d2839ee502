"""The format language of access logs: what is understood, what is refused and in which words."""

import re

import pytest

from fastproxy.log_format import DURATIONS, FACTS, NUMBERS, SIMPLE, Operator, compile_format, reads_request
from fastproxy.model import DEFAULT_ACCESS_LOG_FORMAT


def literals(text: str) -> bytes:
    (operator,) = compile_format(text)
    assert operator.kind == "literal"
    return operator.text


def test_nothing() -> None:
    assert compile_format("") == []


def test_text_is_itself() -> None:
    assert literals("plain, with Ümlaut\n") == "plain, with Ümlaut\n".encode()


def test_two_percents_are_one() -> None:
    assert literals("100%% %%%%") == b"100% %%"


def test_the_default_format() -> None:
    kinds = [operator.kind for operator in compile_format(DEFAULT_ACCESS_LOG_FORMAT)]
    assert kinds.count("request") == 6
    assert kinds.count("response") == 1
    assert kinds[:4] == ["literal", "date", "subsecond", "literal"]
    assert kinds[-1] == "literal"


@pytest.mark.parametrize("name", sorted(SIMPLE))
def test_each_simple_operator(name: str) -> None:
    assert compile_format(f"%{name}%") == [SIMPLE[name]]


def test_tables_are_indexed_by_operator() -> None:
    for kind, names in (("duration", DURATIONS), ("number", NUMBERS), ("fact", FACTS)):
        for which, name in enumerate(names):
            assert SIMPLE[name] == Operator(kind, which)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%REQ(User-Agent)%", Operator("request", text=b"user-agent")),
        ("%REQ(X-ENVOY-ORIGINAL-PATH?:PATH):20%", Operator("request", 0, b"x-envoy-original-path", b":path", 20)),
        ("%RESP(a?B)%", Operator("response", text=b"a", other=b"b")),
        ("%RESP(a):0%", Operator("response", text=b"a", maximum=0)),
    ],
)
def test_headers(text: str, expected: Operator) -> None:
    assert compile_format(text) == [expected]


def test_times() -> None:
    assert [operator.kind for operator in compile_format("%START_TIME%")] == ["date", "subsecond", "literal"]
    pieces = compile_format("%START_TIME(%Y/%m/%d %s.%3f %6f %f)%")
    assert [(piece.kind, piece.which, piece.text) for piece in pieces] == [
        ("date", 0, b"%Y/%m/%d "),
        ("epoch", 0, b""),
        ("literal", 0, b"."),
        ("subsecond", 3, b""),
        ("literal", 0, b" "),
        ("subsecond", 6, b""),
        ("literal", 0, b" "),
        ("subsecond", 9, b""),
    ]
    assert compile_format("%START_TIME_LOCAL(%H)%") == [Operator("date", 1, b"%H")]


def test_what_is_known_from_the_start_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "edge-7")
    monkeypatch.setenv("ZONE", "north-east")
    monkeypatch.delenv("UNSET", raising=False)
    assert literals("%HOSTNAME% %ENVIRONMENT(ZONE):5% %ENVIRONMENT(UNSET)% %ACCESS_LOG_TYPE%") == (
        b"edge-7 north - DownstreamEnd"
    )


@pytest.mark.parametrize("name", ["REQUESTED_SERVER_NAME", "DOWNSTREAM_TLS_VERSION", "TRAILER(x):3", "GRPC_STATUS"])
def test_what_is_never_set_here(name: str) -> None:
    assert literals(f"%{name}%") == b"-"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("abc %NO_SUCH_THING% d", "character 5: %NO_SUCH_THING%: unknown operator"),
        ("%VIRTUAL_HOST_NAME%", "character 1: %VIRTUAL_HOST_NAME%: unknown operator"),
        ("%NO_SUCH_THING(x):3%", "character 1: %NO_SUCH_THING(x):3%: unknown operator"),
        ("100% sure", "character 4: no operator begins with '% sure'; write %% for a percent"),
        ("%", "character 1: no operator begins with '%'; write %% for a percent"),
        ("%%%", "character 3: no operator begins with '%'; write %% for a percent"),
        ("%duration%", "character 1: no operator begins with '%duration%'; write %% for a percent"),
        ("%DURATION", "character 1: no operator begins with '%DURATION'; write %% for a percent"),
        ("%DURATION(x)%", "character 1: %DURATION(x)%: this operator takes no argument"),
        ("%HOSTNAME(x)%", "character 1: %HOSTNAME(x)%: this operator takes no argument"),
        ("%DURATION:3%", "character 1: %DURATION:3%: this operator takes no length"),
        ("%REQ%", "character 1: %REQ%: expected the name of a header"),
        ("%REQ()%", "character 1: %REQ()%: expected the name of a header"),
        ("%REQ(a?)%", "character 1: %REQ(a?)%: expected the name of a header"),
        ("%REQ(?a)%", "character 1: %REQ(?a)%: expected the name of a header"),
        ("%RESP(a?b?c)%", "character 1: %RESP(a?b?c)%: expected the name of a header"),
        ("%REQ(a):x%", "character 1: no operator begins with '%REQ(a):x%'"),
        ("%ENVIRONMENT%", "character 1: %ENVIRONMENT%: expected the name of an environment variable"),
        (f"%START_TIME(%H{'x' * 200})%", "the time is too long"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        compile_format(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", True), ("%REQ(a)%", True), ("%DOWNSTREAM_REMOTE_ADDRESS%", True), ("%DOWNSTREAM_REMOTE_PORT%", True),
        ("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%", False), ("%UPSTREAM_HOST%", False), ("%RESP(a)%", False),
        ("%DURATION%", False), ("%RESPONSE_CODE%", False), ("%PROTOCOL%", False),
    ],
)  # fmt: skip
def test_what_a_request_is_asked_for(text: str, expected: bool) -> None:
    (operator,) = compile_format(text)
    assert reads_request(operator) == expected
