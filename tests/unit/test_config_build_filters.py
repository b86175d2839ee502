"""HTTP filters, among them our own, and access logs."""

import pytest

from fastproxy.config.build_filters import OurFilter, build_access_logs, build_our_filter
from fastproxy.model import DEFAULT_ACCESS_LOG_FORMAT, AccessLog, Departures, SessionAffinity
from tests.unit.config_files import EXTENSIONS, V3_MANAGER_PATH, errors, v3_file, v3_manager, view, warnings

ROUTER = {"name": "router", "typed_config": {"@type": f"{EXTENSIONS}filters.http.router.v3.Router"}}
LUA = {"name": "lua", "typed_config": {"@type": f"{EXTENSIONS}filters.http.lua.v3.Lua"}}


def ours(**value):
    return {
        "name": "fastproxy",
        "typed_config": {
            "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
            "type_url": "type.googleapis.com/fastproxy.v1.HttpFilter",
            "value": value,
        },
    }


def manager(**fields):
    document = v3_file()
    v3_manager(document).update(fields)
    bootstrap, report = view(document)
    assert errors(report) == []
    listener = bootstrap.child("static_resources").items("listeners")[0]
    return listener.items("filter_chains")[0].items("filters")[0].child("typed_config"), report


def departures(*filters):
    found, report = manager(http_filters=list(filters))
    return build_our_filter(found, report), report


def file_log(**fields):
    return {"name": "file", "typed_config": {"@type": f"{EXTENSIONS}access_loggers.file.v3.FileAccessLog", **fields}}


def access_logs(*logs):
    found, report = manager(access_log=list(logs))
    return build_access_logs(found, report), report


def test_departures_are_on_by_default():
    assert departures(ROUTER)[0] == OurFilter(Departures(True, True), SessionAffinity())
    assert departures(ours(), ROUTER)[0] == OurFilter()


@pytest.mark.parametrize("name", ["polls_outlive_default_timeout", "connect_failover"])
def test_each_departure_can_be_turned_off(name):
    found, report = departures(ours(**{name: False}), ROUTER)
    assert errors(report) == warnings(report) == []
    assert found == OurFilter(Departures(**{name: False}))


def test_no_session_is_looked_for_where_the_file_says_so():
    found, report = departures(ours(sid_affinity=False), ROUTER)
    assert errors(report) == warnings(report) == []
    assert found == OurFilter(affinity=SessionAffinity(protocols=()))


FILTERS = f"{V3_MANAGER_PATH}.http_filters"


@pytest.mark.parametrize(
    ("filters", "path", "message"),
    [
        (
            [ours(sid_afinity=False), ROUTER],
            f"{FILTERS}[0].typed_config.value.sid_afinity",
            'there is no such key in the fastproxy filter; did you mean "sid_affinity"?',
        ),
        (
            [ours(sid_affinity="no"), ROUTER],
            f"{FILTERS}[0].typed_config.value.sid_affinity",
            'expected true or false, not the text "no"',
        ),
        ([ROUTER, ours()], f"{FILTERS}[0]", "the router has to be the last filter, and enabled"),
        ([ours()], f"{FILTERS}[0]", "the router has to follow as the last filter"),
        ([{**ROUTER, "disabled": True}], f"{FILTERS}[0]", "the router has to be the last filter, and enabled"),
        (
            [LUA, ROUTER],
            f"{FILTERS}[0]",
            'the filter "lua" (envoy.extensions.filters.http.lua.v3.Lua) is not supported: '
            "code that a file brings along is not run; remove it",
        ),
        ([{"name": "x"}, ROUTER], f"{FILTERS}[0]", '"typed_config" is missing: it says which filter "x" is'),
    ],
)
def test_mistakes_of_filters(filters, path, message):
    _, report = departures(*filters)
    assert (path, message) in errors(report)


@pytest.mark.parametrize("more", [{"is_optional": True}, {"disabled": True}])
def test_filters_that_envoy_could_do_without_are_warned_of(more):
    _, report = departures({**LUA, **more}, ROUTER)
    assert errors(report) == []
    assert warnings(report) == [(f"{FILTERS}[0]", 'has no effect here: the filter "lua" is not supported')]


def test_the_filter_for_cors_is_taken():
    cors = {"name": "c", "typed_config": {"@type": f"{EXTENSIONS}filters.http.cors.v3.Cors"}}
    found, report = departures(cors, ROUTER)
    assert (found, errors(report)) == (OurFilter(), [])
    _, report = departures(cors)
    assert errors(report) == [(f"{V3_MANAGER_PATH}.http_filters[0]", "the router has to follow as the last filter")]


def test_no_filters():
    _, report = departures()
    assert errors(report) == []
    assert "no router" in warnings(report)[0][1]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"path": "a.log"}, DEFAULT_ACCESS_LOG_FORMAT),
        ({"path": "a.log", "format": "%PROTOCOL%\n"}, "%PROTOCOL%\n"),
        ({"path": "a.log", "log_format": {"text_format": "%PROTOCOL%\n"}}, "%PROTOCOL%\n"),
        ({"path": "a.log", "log_format": {"text_format_source": {"inline_string": "x%%y"}}}, "x%%y"),
    ],
)
def test_files(fields, expected):
    found, report = access_logs(file_log(**fields))
    assert errors(report) == warnings(report) == []
    assert found == (AccessLog("a.log", expected),)


@pytest.mark.parametrize(("name", "path"), [("StdoutAccessLog", "/dev/stdout"), ("StderrAccessLog", "/dev/stderr")])
def test_standard_streams(name, path):
    log = {"name": "s", "typed_config": {"@type": f"{EXTENSIONS}access_loggers.stream.v3.{name}"}}
    assert access_logs(log)[0] == (AccessLog(path),)


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "a.log", "json_format": {"a": "%PROTOCOL%"}},
        {"path": "a.log", "log_format": {"json_format": {"a": "%PROTOCOL%"}}},
    ],
)
def test_json_is_not_written_and_that_is_said(fields):
    found, report = access_logs(file_log(**fields), file_log(path="b.log"))
    assert found == (AccessLog("b.log"),)
    assert warnings(report) == [
        (f"{V3_MANAGER_PATH}.access_log[0].typed_config", "has no effect here: access logs in JSON are not written yet")
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("%START_TIM%", 'character 1: %START_TIM%: unknown operator; did you mean "START_TIME"?'),
        ("x %REQ()%", "character 3: %REQ()%: expected the name of a header, or two with a question mark between them"),
        ("100%", "character 4: no operator begins with '%'; write %% for a percent"),
    ],
)
def test_mistakes_of_formats(text, message):
    _, report = access_logs(file_log(path="a.log", format=text))
    assert errors(report) == [(f"{V3_MANAGER_PATH}.access_log[0].typed_config.format", message)]


def test_another_logger():
    log = {"name": "grpc", "typed_config": {"@type": f"{EXTENSIONS}access_loggers.grpc.v3.HttpGrpcAccessLogConfig"}}
    found, report = access_logs(log)
    assert found == ()
    [(path, message)] = errors(report)
    assert path == f"{V3_MANAGER_PATH}.access_log[0]"
    assert message.startswith('the access log "grpc" is not supported; use ')
