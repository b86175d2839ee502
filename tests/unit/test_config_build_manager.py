"""Connection managers in the model."""

import re
from pathlib import Path

import pytest

import fastproxy
from fastproxy.config.build import build
from fastproxy.model import MAX_ACCESS_LOGS, MAX_REQUEST_HEADERS
from tests.unit.config_files import EXTENSIONS, V3_MANAGER_PATH, errors, v3_file, v3_manager, view, warnings


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
        ({"drain_timeout": "0.5s"}, "drain_timeout_s", 0.5),
        ({"delayed_close_timeout": "0s"}, "delayed_close_timeout_s", 0.0),
        ({"common_http_protocol_options": {"max_connection_duration": "2s"}}, "max_connection_duration_s", 2.0),
        ({"common_http_protocol_options": {"max_stream_duration": "0s"}}, "max_stream_duration_s", None),
        ({"common_http_protocol_options": {"max_requests_per_connection": 3}}, "max_requests_per_connection", 3),
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
