"""Health checks from the file to the model, and what is said about those that cannot be."""

import json
from base64 import b64encode
from typing import Any

import pytest

from fastproxy import config
from fastproxy.config.build_health_checks import ENGINE_IO, FILE_SINK
from fastproxy.errors import ConfigError
from fastproxy.model import Address, Cluster, EngineIoProbe, HostCheck, HttpProbe, TcpProbe
from fastproxy.model_routes import StringMatch
from tests.unit.config_files import V1, v1_cluster, v3_cluster, v3_file

BASE = {"timeout": "1s", "interval": "2s", "unhealthy_threshold": 3, "healthy_threshold": 2}
HTTP = {"http_health_check": {"path": "/healthz"}}


@pytest.fixture
def read(tmp_path):
    """Loads a file whose cluster has these fields; the cluster."""

    def run(document: Any = None, **fields: Any) -> Cluster:
        if document is None:
            document = v3_file()
            v3_cluster(document).update(fields)
        file = tmp_path / "proxy.json"
        file.write_text(json.dumps(document))
        loaded = config.load(str(file))
        assert not loaded.warnings
        return loaded.configuration.clusters[0]

    return run


@pytest.fixture
def check(read):
    return lambda **fields: read(health_checks=[{**BASE, **fields}]).health_check


@pytest.fixture
def said(read):
    """What is said about a check."""

    def run(*checks: Any) -> str:
        with pytest.raises(ConfigError) as caught:
            read(health_checks=[{**BASE, **each} for each in checks])
        return "\n".join(problem.message for problem in caught.value.problems)

    return run


def test_without(read):
    assert read().health_check is None


def test_defaults(check):
    found = check(**HTTP)
    assert found.probe == HttpProbe("/healthz")
    assert (found.timeout_s, found.interval_s, found.unhealthy_threshold, found.healthy_threshold) == (1, 2, 3, 2)
    assert (found.unhealthy_interval_s, found.unhealthy_edge_interval_s, found.healthy_edge_interval_s) == (2, 2, 2)
    assert (found.no_traffic_interval_s, found.no_traffic_healthy_interval_s) == (60, 60)
    assert found.reuse_connection


def test_intervals_follow_one_another(check):
    found = check(
        unhealthy_interval="5s", no_traffic_interval="7s", interval_jitter="0.5s", initial_jitter="3s", **HTTP
    )
    assert (found.unhealthy_edge_interval_s, found.no_traffic_healthy_interval_s) == (5, 7)
    assert (found.interval_jitter_s, found.initial_jitter_s) == (0.5, 3)


def test_all_of_http(check):
    http = {
        "path": "/h?x=1",
        "host": "nodes.local",
        "method": "HEAD",
        "request_headers_to_add": [{"header": {"key": "X-A", "value": "50%%"}}],
        "request_headers_to_remove": ["User-Agent"],
        "expected_statuses": [{"start": 200, "end": 300}],
        "retriable_statuses": [{"start": 503, "end": 504}],
        "service_name_matcher": {"prefix": "nodes"},
        "receive": [{"text": "6f6b"}, {"binary": b64encode(b"!").decode()}],
        "response_buffer_size": 0,
    }
    probe = check(http_health_check=http).probe
    assert (probe.path, probe.host, probe.method) == ("/h?x=1", "nodes.local", "HEAD")
    assert (probe.headers[0].key, probe.removed_headers) == ("x-a", ("user-agent",))
    assert (probe.expected_statuses, probe.retriable_statuses) == (((200, 300),), ((503, 504),))
    assert (probe.service_name.kind, probe.service_name.text) == (StringMatch.PREFIX, "nodes")
    assert (probe.receive, probe.response_buffer_bytes) == ((b"ok", b"!"), 65536)


def test_tcp(check):
    assert check(tcp_health_check={}).probe == TcpProbe()
    assert check(tcp_health_check={"send": {"text": "50"}, "receive": [{"text": "51"}]}).probe == TcpProbe(
        b"P", (b"Q",)
    )


def ours(**value):
    url = "type.googleapis.com/xds.type.v3.TypedStruct"
    typed = {"@type": url, "type_url": ENGINE_IO, "value": value}
    return {"custom_health_check": {"name": "fastproxy.engine_io", "typed_config": typed}}


def test_engine_io(check):
    assert check(**ours()).probe == EngineIoProbe()
    assert check(**ours(path="/live/", host="a", protocol=3)).probe == EngineIoProbe("/live/", "a", 3)


def test_event_log(check):
    sink = {"@type": f"type.googleapis.com/{FILE_SINK}", "event_log_path": "/tmp/b"}
    assert check(event_log_path="/tmp/a", **HTTP).event_log_path == "/tmp/a"
    assert check(event_logger=[{"name": "x", "typed_config": sink}], **HTTP).event_log_path == "/tmp/b"


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        ([HTTP, HTTP], "one health check at most"),
        ([{"grpc_health_check": {}}], "gRPC is not spoken"),
        ([{"http_health_check": {"path": "/", "codec_client_type": "HTTP2"}}], "only HTTP/1.1"),
        ([{"http_health_check": {"path": "/a b"}}], "may not stand in a request"),
        ([{"http_health_check": {"path": "/", "expected_statuses": [{"start": 300, "end": 200}]}}], "no range"),
        ([{"http_health_check": {"path": "/", "receive": [{"text": "xy"}]}}], "no hexadecimal text"),
        ([{"http_health_check": {"path": "/", "receive": [{"text": "50 51"}]}}], "no hexadecimal text"),
        ([{"http_health_check": {"path": "/", "method": "CONNECT"}}], "CONNECT cannot check"),
        ([{"http_health_check": {"path": "/", "send": {"text": "50"}}}], "set one of them as method"),
        ([{"http_health_check": {"path": "/", "send": {"text": "50"}, "method": "HEAD"}}], "set one of them as method"),
        ([{"http_health_check": {"path": "/", "request_headers_to_remove": ["x", "Host"]}}], "cannot do without it"),
        ([{"http_health_check": {"path": "/", "request_headers_to_remove": [":path"]}}], "cannot do without it"),
        (
            [
                {
                    "http_health_check": {
                        "path": "/",
                        "request_headers_to_add": [{"header": {"key": "a", "value": "%PROTOCOL%"}}],
                    }
                }
            ],
            "no operators",
        ),
        ([{"custom_health_check": {"name": "envoy.health_checkers.redis"}}], "only a TypedStruct of"),
        ([ours(pth="/")], 'did you mean "path"'),
        ([ours(path=7)], "expected a text"),
        ([ours(protocol=5)], "from 3 to 4"),
        ([{"alt_port": 70000, **HTTP}], "at most 65535"),
        ([{"healthy_threshold": 0, **HTTP}], "at least 1"),
    ],
)
def test_mistakes(said, checks, words):
    assert words in said(*checks)


def with_endpoint(**fields):
    document = v3_file()
    v3_cluster(document)["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["health_check_config"] = (
        fields
    )
    return document


def test_a_host_of_its_own(read):
    document = with_endpoint(port_value=81, hostname="a", disable_active_health_check=True)
    assert read(document).hosts[0].check == HostCheck(81, "a", None, True)
    address = {"socket_address": {"address": "10.0.0.9", "port_value": 82}}
    assert read(with_endpoint(address=address)).hosts[0].check == HostCheck(address=Address("10.0.0.9", 82))


def test_mistakes_of_a_host(read):
    address = {"socket_address": {"address": "10.0.0.9", "port_value": 82}}
    for fields, words in (
        ({"address": {"pipe": {"path": "/a"}}}, "an IP address"),
        ({"address": address, "port_value": 1}, "a port already"),
    ):
        with pytest.raises(ConfigError, match=words):
            read(with_endpoint(**fields))


V1_BASE = {"timeout_ms": 1000, "interval_ms": 2000, "unhealthy_threshold": 3, "healthy_threshold": 2}


@pytest.mark.parametrize(
    ("fields", "probe"),
    [
        ({"type": "http", "path": "/h"}, HttpProbe("/h")),
        ({"type": "tcp", "send": [{"binary": "50"}, {"binary": "51"}], "receive": []}, TcpProbe(b"PQ")),
        ({"type": "engine_io"}, EngineIoProbe()),
        ({"type": "engine_io", "path": "/live/"}, EngineIoProbe("/live/")),
    ],
)
def test_v1(read, fields, probe):
    document = json.loads(json.dumps(V1))
    v1_cluster(document)["health_check"] = {**V1_BASE, **fields}
    found = read(document).health_check
    assert (found.probe, found.interval_s, found.healthy_threshold) == (probe, 2, 2)
