"""Listeners, connection managers and admin in the model."""

import re
from pathlib import Path

import pytest

import fastproxy
from fastproxy.config.build import build
from fastproxy.model import MAX_ACCESS_LOGS, MAX_REQUEST_HEADERS, Address, Admin, Configuration
from tests.unit.config_files import (
    EXTENSIONS,
    V3_MANAGER_PATH,
    errors,
    v3_file,
    v3_listener,
    v3_manager,
    view,
    warnings,
)

LISTENER = "static_resources.listeners[0]"


def built(change):
    document = v3_file()
    change(document)
    bootstrap, report = view(document)
    assert errors(report) == []
    return build(bootstrap, report), report


def manager(change):
    configuration, report = built(change)
    assert errors(report) == []
    return configuration.listeners[0].manager


def test_defaults():
    configuration, report = built(lambda d: None)
    listener = configuration.listeners[0]
    assert errors(report) == warnings(report) == []
    assert (listener.name, listener.address, listener.bind_to_port) == ("front", Address("127.0.0.1", 9002), True)
    assert listener.tcp_backlog_size == 4096
    assert listener.manager.stat_prefix == "front"
    assert listener.manager.idle_timeout_s == 3600
    assert listener.manager.stream_idle_timeout_s == 300
    assert listener.manager.allow_absolute_url
    assert not listener.manager.accept_http_10
    assert configuration.admin == Admin(Address("127.0.0.1", 9902))


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"add_user_agent": True}, "add_user_agent", True),
        ({"use_remote_address": True}, "use_remote_address", True),
        ({"skip_xff_append": True}, "skip_xff_append", True),
        ({"generate_request_id": False}, "generate_request_id", False),
        ({"server_name": "me"}, "server_name", "me"),
        ({"common_http_protocol_options": {"idle_timeout": "0s"}}, "idle_timeout_s", None),
        ({"common_http_protocol_options": {"idle_timeout": "1.5s"}}, "idle_timeout_s", 1.5),
        ({"common_http_protocol_options": {"max_headers_count": 200}}, "max_headers_count", 200),
        ({"stream_idle_timeout": "0s"}, "stream_idle_timeout_s", None),
        ({"request_timeout": "2s"}, "request_timeout_s", 2.0),
        ({"request_timeout": "0s"}, "request_timeout_s", None),
        ({"request_headers_timeout": "0.25s"}, "request_headers_timeout_s", 0.25),
        ({"max_request_headers_kb": 96}, "max_request_headers_kb", 96),
        ({"http_protocol_options": {"accept_http_10": True}}, "accept_http_10", True),
        ({"http_protocol_options": {"default_host_for_http_10": "h"}}, "default_host_for_http_10", "h"),
        ({"http_protocol_options": {"allow_absolute_url": False}}, "allow_absolute_url", False),
    ],
)
def test_manager(fields, name, value):
    assert getattr(manager(lambda d: v3_manager(d).update(fields)), name) == value


def test_node_names_the_service():
    found = manager(lambda d: d.update(node={"id": "n1", "cluster": "edge"}))
    assert (found.service_node, found.service_cluster) == ("n1", "edge")


def test_a_listener_without_a_name_is_called_by_its_address():
    configuration, _ = built(lambda d: v3_listener(d).pop("name"))
    assert configuration.listeners[0].name == "127.0.0.1:9002"


def test_listener_fields():
    fields = {"bind_to_port": False, "tcp_backlog_size": 9}
    listener = built(lambda d: v3_listener(d).update(fields))[0].listeners[0]
    assert (listener.bind_to_port, listener.tcp_backlog_size) == (False, 9)


@pytest.mark.parametrize(("count", "taken"), [(512, 512), (513, 512), (100000, 512)])
def test_more_headers_than_are_ever_taken_are_warned_of(count, taken):
    fields = {"common_http_protocol_options": {"max_headers_count": count}}
    configuration, report = built(lambda d: v3_manager(d).update(fields))
    assert configuration.listeners[0].manager.max_headers_count == taken
    said = [
        (
            f"{V3_MANAGER_PATH}.common_http_protocol_options.max_headers_count",
            "at most 512 headers are taken; a request with more gets 431",
        )
    ]
    assert warnings(report) == (said if count > taken else [])


def file_log(path, **fields):
    typed = {"@type": f"{EXTENSIONS}access_loggers.file.v3.FileAccessLog", "path": path, **fields}
    return {"name": "f", "typed_config": typed}


def test_as_many_access_logs_as_the_data_plane_keeps_records_for():
    logs = [file_log(f"{i}.log") for i in range(MAX_ACCESS_LOGS)]
    assert len(manager(lambda d: v3_manager(d).update(access_log=logs)).access_logs) == MAX_ACCESS_LOGS
    _, report = built(lambda d: v3_manager(d).update(access_log=[*logs, file_log("more.log")]))
    assert errors(report) == [
        (f"{V3_MANAGER_PATH}.access_log", "at most 4 access logs are written; remove the others"),
    ]


@pytest.mark.parametrize(
    ("file", "name", "value"),
    [("exchange/state.pxd", "MAX_LOGS", MAX_ACCESS_LOGS), ("http1.pxd", "MAX_FIELDS", MAX_REQUEST_HEADERS)],
)
def test_the_data_plane_has_the_same_limits(file, name, value):
    declared = (Path(fastproxy.__file__).parent / file).read_text()
    assert re.findall(rf"^    {name} = (\d+)", declared, re.MULTILINE) == [str(value)]


def test_admin_is_optional_and_logs_to_a_file():
    assert built(lambda d: d.pop("admin"))[0].admin is None
    assert built(lambda d: d.update(admin={}))[0].admin is None
    configuration, report = built(lambda d: d["admin"].update(access_log=[file_log("a.log")]))
    assert configuration.admin == Admin(Address("127.0.0.1", 9902), "a.log")
    assert warnings(report) == []


def test_admin_has_one_log_in_the_default_format_and_the_rest_is_warned_of():
    logs = [file_log("a.log", format="%PROTOCOL%\n"), file_log("b.log")]
    configuration, report = built(lambda d: d["admin"].update(access_log=logs, access_log_path="c.log"))
    assert configuration.admin == Admin(Address("127.0.0.1", 9902), "a.log")
    assert sorted(warnings(report)) == [
        ("admin.access_log[0]", "the format has no effect here: the access log of admin has the default one"),
        ("admin.access_log[1]", "has no effect here: admin has one access log, the first"),
        ("admin.access_log_path", "has no effect here: access_log counts"),
    ]


def test_no_listeners():
    configuration, report = built(lambda d: d["static_resources"].pop("listeners"))
    assert configuration.listeners == ()
    assert warnings(report) == [("", "there are no listeners: nobody can connect")]


def second_listener(document, **fields):
    other = v3_file()["static_resources"]["listeners"][0] | fields
    document["static_resources"]["listeners"].append(other)


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (
            lambda d: second_listener(d, address={"socket_address": {"address": "127.0.0.1", "port_value": 1}}),
            "static_resources.listeners[1].name",
            'there is already a listener "front"; rename one',
        ),
        (
            lambda d: second_listener(d, name="other"),
            "static_resources.listeners[1].address",
            "127.0.0.1:9002 is taken by static_resources.listeners[0]; choose another port",
        ),
        (
            lambda d: v3_listener(d)["address"]["socket_address"].update(address="localhost"),
            f"{LISTENER}.address.socket_address.address",
            '"localhost" is no IP address; listen on one, such as 127.0.0.1',
        ),
        (
            lambda d: v3_listener(d).pop("address"),
            LISTENER,
            "an address to listen on is missing; add address.socket_address",
        ),
        (
            lambda d: v3_listener(d).pop("filter_chains"),
            f"{LISTENER}.filter_chains",
            "a listener needs a filter chain",
        ),
        (
            lambda d: v3_listener(d)["filter_chains"].append(v3_listener(d)["filter_chains"][0]),
            f"{LISTENER}.filter_chains",
            "a listener may have one filter chain only, as none can be chosen yet",
        ),
        (
            lambda d: v3_listener(d)["filter_chains"][0].update(filters=[]),
            f"{LISTENER}.filter_chains[0].filters",
            "expected one filter, the HTTP connection manager",
        ),
        (
            lambda d: v3_listener(d)["filter_chains"][0].update(
                filters=[
                    {
                        "name": "tcp",
                        "typed_config": {"@type": f"{EXTENSIONS}filters.network.tcp_proxy.v3.TcpProxy"},
                    }
                ]
            ),
            f"{LISTENER}.filter_chains[0].filters[0]",
            'the filter "tcp" is not supported; use '
            "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        ),
        (
            lambda d: v3_manager(d).update(codec_type="HTTP2"),
            f"{V3_MANAGER_PATH}.codec_type",
            "only HTTP/1 is spoken to clients yet; use AUTO or HTTP1",
        ),
    ],
)
def test_mistakes(change, path, message):
    _, report = built(change)
    assert errors(report) == [(path, message)]


def test_an_ephemeral_port_may_be_asked_for_twice():
    def change(document):
        v3_listener(document)["address"]["socket_address"]["port_value"] = 0
        second_listener(document, name="other", address=v3_listener(document)["address"])

    configuration, report = built(change)
    assert errors(report) == []
    assert [listener.address.port for listener in configuration.listeners] == [0, 0]


def test_the_whole_is_a_configuration():
    assert isinstance(built(lambda d: None)[0], Configuration)
