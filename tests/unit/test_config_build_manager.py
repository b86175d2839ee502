"""Connection managers in the model."""

import re
from pathlib import Path

import pytest

import fastproxy
from fastproxy.config.build import build
from fastproxy.model import (
    MAX_ACCESS_LOGS,
    MAX_REQUEST_HEADERS,
    HeaderKeyFormat,
    HeadersWithUnderscoresAction,
    IpDetection,
    ServerHeaderTransformation,
)
from tests.unit.config_files import EXTENSIONS, V3_MANAGER_PATH, errors, v3_file, v3_manager, view, warnings
from tests.unit.yaml_lines import ROUTER, complaints


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


XFF = {"@type": f"{EXTENSIONS}http.original_ip_detection.xff.v3.XffConfig"}
HEADER = {"@type": f"{EXTENSIONS}http.original_ip_detection.custom_header.v3.CustomHeaderConfig"}
CASE = {"@type": f"{EXTENSIONS}http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig"}


def detections(*configs):
    return {"original_ip_detection_extensions": [{"name": "d", "typed_config": config} for config in configs]}


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"xff_num_trusted_hops": 2}, "xff_num_trusted_hops", 2),
        (
            {"internal_address_config": {"cidr_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}]}},
            "internal_addresses",
            ("10.0.0.0/8",),
        ),
        (
            {"internal_address_config": {}},
            "internal_addresses",
            ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.1/32", "fd00::/8", "::1/128"),
        ),
        (
            detections({**XFF, "xff_num_trusted_hops": 1}, {**HEADER, "header_name": "X-Ip"}),
            "original_ip_detection",
            (IpDetection(xff_num_trusted_hops=1), IpDetection("X-Ip")),
        ),
        (
            detections({**HEADER, "header_name": "a", "allow_extension_to_set_address_as_trusted": True}),
            "original_ip_detection",
            (IpDetection("a", is_trusted=True),),
        ),
        ({"append_x_forwarded_port": True}, "append_x_forwarded_port", True),
        ({"scheme_header_transformation": {"scheme_to_overwrite": "https"}}, "scheme_to_overwrite", "https"),
        ({"via": "fp"}, "via", "fp"),
        ({"proxy_100_continue": True}, "proxy_100_continue", True),
        ({"preserve_external_request_id": True}, "preserve_external_request_id", True),
        ({"always_set_request_id_in_response": True}, "always_set_request_id_in_response", True),
        ({"forward_client_cert_details": "SANITIZE"}, "forward_client_cert", False),
        ({"forward_client_cert_details": "FORWARD_ONLY"}, "forward_client_cert", False),
        ({"forward_client_cert_details": "ALWAYS_FORWARD_ONLY"}, "forward_client_cert", True),
        (
            {"server_header_transformation": "PASS_THROUGH"},
            "server_header_transformation",
            ServerHeaderTransformation.PASS_THROUGH,
        ),
        (
            {"common_http_protocol_options": {"headers_with_underscores_action": "DROP_HEADER"}},
            "headers_with_underscores_action",
            HeadersWithUnderscoresAction.DROP_HEADER,
        ),
        (
            {"http_protocol_options": {"header_key_format": {"proper_case_words": {}}}},
            "header_key_format",
            HeaderKeyFormat.PROPER_CASE_WORDS,
        ),
        (
            {
                "http_protocol_options": {
                    "header_key_format": {"stateful_formatter": {"name": "p", "typed_config": CASE}}
                }
            },
            "header_key_format",
            HeaderKeyFormat.PRESERVE_CASE,
        ),
        ({"stream_error_on_invalid_http_message": True}, "stream_error_on_invalid_http_message", True),
        (
            {"http_protocol_options": {"override_stream_error_on_invalid_http_message": True}},
            "stream_error_on_invalid_http_message",
            True,
        ),
    ],
)
def test_head_options(fields, name, value):
    assert getattr(manager(lambda d: v3_manager(d).update(fields)), name) == value


def test_the_router_may_keep_envoy_s_headers_to_itself():
    def change(document):
        v3_manager(document)["http_filters"][-1]["typed_config"]["suppress_envoy_headers"] = True

    assert manager(change).suppress_envoy_headers


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        (
            {"internal_address_config": {"cidr_ranges": [{"address_prefix": "ten", "prefix_len": 8}]}},
            "internal_address_config.cidr_ranges[0].address_prefix",
            '"ten" is no IP address',
        ),
        (
            {"internal_address_config": {"cidr_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 33}]}},
            "internal_address_config.cidr_ranges[0].prefix_len",
            "33 is longer than the address; use at most 32, or 128",
        ),
        (
            {"internal_address_config": {"unix_sockets": True}},
            "internal_address_config.unix_sockets",
            "no client counts as internal for its Unix socket; remove it",
        ),
        (
            {"use_remote_address": True, **detections(XFF)},
            "use_remote_address",
            "original_ip_detection_extensions and use_remote_address may not stand together; remove one of them",
        ),
        (
            {"xff_num_trusted_hops": 1, **detections(XFF)},
            "xff_num_trusted_hops",
            "original_ip_detection_extensions and xff_num_trusted_hops may not stand together; remove one of them",
        ),
        (
            detections(CASE),
            "original_ip_detection_extensions[0]",
            'the detection "d" is not supported; use xff or custom_header',
        ),
        (
            {"scheme_header_transformation": {"scheme_to_overwrite": "ftp"}},
            "scheme_header_transformation.scheme_to_overwrite",
            '"ftp" is neither http nor https',
        ),
    ],
)
def test_mistakes_in_head_options(fields, path, message):
    _, report = built(lambda d: v3_manager(d).update(fields))
    assert (f"{V3_MANAGER_PATH}.{path}", message) in errors(report)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "use_remote_address",
            "codec_type: HTTP2",
            "12:23: only HTTP/1 is spoken to clients yet; use AUTO or HTTP1",
        ),
        (
            "use_remote_address",
            "internal_address_config: {cidr_ranges: [{address_prefix: ten, prefix_len: 8}]}",
            '12:68: "ten" is no IP address',
        ),
        (
            "use_remote_address",
            "internal_address_config: {cidr_ranges: [{address_prefix: 10.0.0.0, prefix_len: 33}]}",
            "12:90: 33 is longer than the address; use at most 32, or 128",
        ),
        (
            "use_remote_address",
            "internal_address_config: {unix_sockets: true}",
            "12:51: no client counts as internal for its Unix socket; remove it",
        ),
        (
            "use_remote_address",
            "use_remote_address: maybe",
            '12:31: expected true or false, not the text "maybe"',
        ),
        (
            "use_remote_address",
            f'original_ip_detection_extensions: [{{name: d, typed_config: {{"@type": {ROUTER}}}}}]',
            '12:46: the detection "d" is not supported; use xff or custom_header',
        ),
    ],
)
def test_mistakes_have_their_places(tmp_path, old, new, message):
    assert complaints(tmp_path, old, new) == [message]
