"""Whole files: the examples, what a real Envoy was given, v1 and v3 that mean the same, mistakes with their places."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fastproxy import config
from fastproxy.errors import ConfigError, Severity
from fastproxy.model import (
    AccessLog,
    Address,
    Admin,
    ClusterType,
    Departures,
    DnsLookupFamily,
    HashFunction,
    HeaderHashPolicy,
    Host,
    LbPolicy,
    Thresholds,
)
from tests.unit.config_files import (
    CLUSTER_PATH,
    EXTENSIONS,
    MANAGER_PATH,
    ROUTE_PATH,
    V3_CLUSTER_PATH,
    V3_MANAGER_PATH,
    load,
    refused,
    said,
    v1,
    v1_cluster,
    v1_manager,
    v1_route,
    v3_cluster,
    v3_file,
    v3_listener,
    v3_manager,
    v3_route,
)

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "tests" / "data" / "golden"
WHOLE = ROOT.parent / "shared" / "golden"
VALIDATION = json.loads((ROOT / "tests" / "data" / "config" / "envoy-1.40-validation.json").read_text())["vectors"]
ROUTES = ("08-route*.json", "08-v*.json", "08-hosts-i*.json")
FAMILIES = ("01*.json", "02*.json", "05*.json", "06*.json", "07*.json", *ROUTES, "09*.json", "10*.json")
RECORDINGS = sorted(path for folder in (OURS, WHOLE) for pattern in FAMILIES for path in folder.glob(pattern))

# The keys of Envoy's bootstrap in these recordings that are refused, and which of their values are not.
REFUSED: dict[str, tuple[object, ...]] = {
    # Only in the files of the validation mode:
    "lb_subset_config": (),
}


def refused_keys(document):
    """The keys of a document, at any depth, that make fastproxy refuse it."""
    if isinstance(document, list):
        return {key for item in document for key in refused_keys(item)}
    if not isinstance(document, dict):
        return set()
    found = {key for key, value in document.items() if value != [] and value not in REFUSED.get(key, (value,))}
    below = [value for key, value in document.items() if key not in found]
    return found | refused_keys(below)


def last_keys(problems):
    return {problem.path.rpartition(".")[2] for problem in problems}


@pytest.fixture
def no_access_logs(monkeypatch):
    """Recorded files name access logs of the machine that they were recorded on."""
    monkeypatch.setattr(config, "prepare_access_logs", lambda nodes, report: None)


def test_envoy_json(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    loaded = config.load(str(ROOT / "envoy.json"))
    [listener] = loaded.configuration.listeners
    [cluster] = loaded.configuration.clusters
    assert loaded.warnings == ()
    assert listener.address == Address("0.0.0.0", 9001)
    assert (cluster.type, cluster.lb_policy) == (ClusterType.LOGICAL_DNS, LbPolicy.ROUND_ROBIN)
    assert cluster.hosts == (Host(Address("localhost", 8001)),)
    assert cluster.dns_lookup_family is DnsLookupFamily.V4_ONLY
    assert loaded.configuration.admin == Admin(Address("127.0.0.1", 9901))


def test_envoy2_json(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    loaded = config.load(str(ROOT / "envoy2.json"))
    [listener] = loaded.configuration.listeners
    [cluster] = loaded.configuration.clusters
    [route] = listener.manager.route_config.virtual_hosts[0].routes
    assert loaded.warnings == ()
    assert listener.address == Address("0.0.0.0", 9002)
    assert (listener.manager.idle_timeout_s, listener.manager.stream_idle_timeout_s) == (840.0, None)
    assert listener.manager.use_remote_address
    assert listener.manager.add_user_agent
    assert listener.manager.accept_http_10
    assert listener.manager.access_logs == (AccessLog("log/access-9002.log"),)
    assert listener.manager.departures == Departures()
    assert (route.timeout_s, route.timeout_is_set, route.allow_websocket) == (15.0, False, True)
    assert route.hash_policies == (HeaderHashPolicy("referer"),)
    assert (cluster.type, cluster.lb_policy) == (ClusterType.STATIC, LbPolicy.RING_HASH)
    assert cluster.ring_hash.hash_function is HashFunction.MURMUR_HASH_2
    assert cluster.connect_timeout_s == 0.25
    assert [host.address.port for host in cluster.hosts] == [8002, 8003, 8004]
    assert loaded.configuration.admin == Admin(Address("127.0.0.1", 9902))
    assert (tmp_path / "log").is_dir()


def test_the_article_s_spelling_starts_and_is_warned_of(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "envoy2.json").read_text().replace('"referer"', '"referrer"')
    line, column = next(
        (n, row.index('"referrer"') + 1) for n, row in enumerate(text.splitlines(), 1) if "referrer" in row
    )
    [warning] = load(tmp_path, text).warnings
    assert (warning.line, warning.column, warning.severity) == (line, column, Severity.WARNING)
    assert warning.path == f"{ROUTE_PATH}.hash_policy.header_name"
    assert 'write "referer"' in warning.message


def test_the_recordings(no_access_logs, tmp_path, capsys):
    """Every bootstrap that a real Envoy ran on loads, or is refused for exactly what is not acted on yet."""
    if not WHOLE.is_dir():
        with capsys.disabled():
            print("\nonly the recordings in tests/data/golden: the whole collection is not on this machine")
    assert RECORDINGS
    for path in RECORDINGS:
        document = json.loads(path.read_text())["envoy_config"]
        expected = refused_keys(document)
        try:
            load(tmp_path, document)
            found = set()
        except ConfigError as error:
            found = last_keys(error.problems)
        assert (path.name, found) == (path.name, expected)


@pytest.mark.parametrize("vector", VALIDATION, ids=lambda vector: vector["name"])
def test_accepts_and_refuses_what_envoy_does(no_access_logs, tmp_path, vector):
    """What Envoy refuses is refused; what it accepts is accepted, or refused for what is not acted on yet."""
    document = vector["envoy_config"]
    unsupported = refused_keys(document)
    if vector["accepted"] and not unsupported:
        load(tmp_path, document)
    else:
        problems = refused(tmp_path, document)
        assert not vector["accepted"] or last_keys(problems) == unsupported
        assert all(problem.line and problem.path for problem in problems)


def plain_pair():
    """A v1 file and the v3 file that means the same."""
    document = v3_file()
    v3_listener(document).pop("name")
    v3_manager(document).update(
        stream_idle_timeout="0s",
        common_http_protocol_options={"idle_timeout": "0s"},
        http_protocol_options={"allow_absolute_url": False, "accept_http_10": True},
        internal_address_config={},
    )
    v3_cluster(document).update(dns_lookup_family="V4_ONLY", ring_hash_lb_config={"hash_function": "MURMUR_HASH_2"})
    return v1(), document


def nothing(_):
    pass


def full_v1(d):
    d["listeners"][0].update(name="l", bind_to_port=True, per_connection_buffer_limit_bytes=262144)
    v1_manager(d).update(
        codec_type="http1", add_user_agent=True, use_remote_address=True, server_name="s", idle_timeout_s=840
    )
    v1_manager(d).update(generate_request_id=False, http1_settings={"allow_absolute_url": True})
    v1_manager(d)["access_log"] = [{"path": "/dev/null", "format": "%PROTOCOL%\n"}]
    off = {"sid_affinity": False, "polls_outlive_default_timeout": False, "connect_failover": False}
    v1_manager(d)["filters"].insert(0, {"type": "decoder", "name": "fastproxy", "config": off})
    v1_route(d).update(timeout_ms=2500, use_websocket=True, hash_policy={"header_name": "X-Sid"}, prefix_rewrite="/r")
    v1_route(d).update(host_rewrite="h", case_sensitive=False)


def full_v3(d):
    v3_listener(d).update(name="l", bind_to_port=True, per_connection_buffer_limit_bytes=262144)
    v3_manager(d).update(codec_type="HTTP1", add_user_agent=True, use_remote_address=True, server_name="s")
    v3_manager(d)["generate_request_id"] = False
    v3_manager(d)["common_http_protocol_options"]["idle_timeout"] = "840s"
    v3_manager(d)["http_protocol_options"]["allow_absolute_url"] = True
    file_log: dict[str, Any] = {"@type": f"{EXTENSIONS}access_loggers.file.v3.FileAccessLog", "path": "/dev/null"}
    file_log["log_format"] = {"text_format_source": {"inline_string": "%PROTOCOL%\n"}}
    v3_manager(d)["access_log"] = [{"name": "f", "typed_config": file_log}]
    off = {"sid_affinity": False, "polls_outlive_default_timeout": False, "connect_failover": False}
    struct: dict[str, Any] = {"@type": "type.googleapis.com/xds.type.v3.TypedStruct"}
    struct |= {"type_url": "type.googleapis.com/fastproxy.v1.HttpFilter", "value": off}
    v3_manager(d)["http_filters"].insert(0, {"name": "fastproxy", "typed_config": struct})
    v3_route(d)["match"]["case_sensitive"] = False
    v3_route(d)["route"].update(timeout="2.5s", prefix_rewrite="/r", host_rewrite_literal="h")
    v3_route(d)["route"]["hash_policy"] = [{"header": {"header_name": "x-sid"}}]
    v3_route(d)["route"]["upgrade_configs"] = [{"upgrade_type": "websocket"}]


def clusters_v1(d):
    v1_cluster(d).update(type="strict_dns", lb_type="ring_hash", connect_timeout_ms=1, dns_lookup_family="auto")
    v1_cluster(d).update(ring_hash_lb_config={"minimum_ring_size": 9, "use_std_hash": False}, dns_refresh_rate_ms=100)
    v1_cluster(d).update(max_requests_per_connection=1, per_connection_buffer_limit_bytes=131072)
    v1_route(d).pop("prefix")
    v1_route(d)["regex"] = "/a+"


def clusters_v3(d):
    v3_cluster(d).update(type="STRICT_DNS", connect_timeout="0.001s", dns_lookup_family="AUTO", dns_refresh_rate="0.1s")
    v3_cluster(d).update(ring_hash_lb_config={"minimum_ring_size": 9}, per_connection_buffer_limit_bytes=131072)
    name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    options: dict[str, Any] = {
        "@type": f"type.googleapis.com/{name}",
        "explicit_http_config": {"http_protocol_options": {}},
    }
    options["common_http_protocol_options"] = {"max_requests_per_connection": 1}
    v3_cluster(d)["typed_extension_protocol_options"] = {name: options}
    v3_route(d)["match"] = {"safe_regex": {"regex": "/a+"}}


@pytest.mark.parametrize(
    ("change_v1", "change_v3"), [(nothing, nothing), (full_v1, full_v3), (clusters_v1, clusters_v3)]
)
def test_v1_and_v3_that_mean_the_same_are_equal(tmp_path, change_v1, change_v3):
    old, new = plain_pair()
    change_v1(old)
    change_v3(new)
    first, second = load(tmp_path, old), load(tmp_path, new)
    assert first.configuration == second.configuration
    told = [[(problem.code, problem.message) for problem in loaded.warnings] for loaded in (first, second)]
    assert told[0] == told[1]


def limits_v1(d):
    d["listeners"][0]["per_connection_buffer_limit_bytes"] = 99
    v1_manager(d)["drain_timeout_ms"] = 1500
    v1_cluster(d).update(per_connection_buffer_limit_bytes=7)
    v1_cluster(d)["circuit_breakers"] = {"default": {"max_connections": 1, "max_retries": 0}}


def limits_v3(d):
    v3_listener(d)["per_connection_buffer_limit_bytes"] = 99
    v3_manager(d)["drain_timeout"] = "1.5s"
    v3_cluster(d).update(per_connection_buffer_limit_bytes=7)
    v3_cluster(d)["circuit_breakers"] = {"thresholds": [{"max_connections": 1, "max_retries": 0}]}


def test_limits_are_the_same_in_both_dialects(tmp_path):
    old, new = plain_pair()
    limits_v1(old)
    limits_v3(new)
    first, second = load(tmp_path, old), load(tmp_path, new)
    assert first.configuration == second.configuration
    assert first.configuration.clusters[0].circuit_breakers.default == Thresholds(max_connections=1, max_retries=0)
    assert first.configuration.clusters[0].per_connection_buffer_limit_bytes == 7
    assert first.configuration.listeners[0].per_connection_buffer_limit_bytes == 99
    assert (first.warnings, second.warnings) == ((), ())


def test_yaml_means_what_json_means(tmp_path):
    for document in plain_pair():
        text = yaml.safe_dump(document, sort_keys=False)
        assert load(tmp_path, text, "a.yaml").configuration == load(tmp_path, document).configuration


def test_every_mistake_of_a_v1_file_at_once(tmp_path):
    document = v1()
    v1_manager(document)["use_remote_adress"] = True
    v1_route(document).update(cluster="node", timeout_ms="1s")
    v1_cluster(document).update(connect_timeout_ms=0, lb_type="ringhash")
    v1_cluster(document)["hosts"][1]["url"] = "tcp://127.0.0.1:80030"
    assert said(refused(tmp_path, document)) == [
        (f"{ROUTE_PATH}.cluster", 'there is no cluster "node"; did you mean "nodes"?'),
        (f"{ROUTE_PATH}.timeout_ms", 'expected a whole number, not the text "1s"'),
        (f"{MANAGER_PATH}.use_remote_adress", 'there is no such key; did you mean "use_remote_address"?'),
        (f"{CLUSTER_PATH}.lb_type", '"ringhash" is not possible here; did you mean "ring_hash"?'),
        (f"{CLUSTER_PATH}.connect_timeout_ms", "expected a whole number from 1 to 2147483647, not 0"),
        (f"{CLUSTER_PATH}.hosts[1].url", "port 80030 is out of range; ports go up to 65535"),
    ]


def test_every_mistake_of_a_v3_file_at_once(tmp_path):
    document = v3_file()
    v3_manager(document)["stat_prefx"] = v3_manager(document).pop("stat_prefix")
    v3_route(document)["route"]["cluster"] = "node"
    v3_cluster(document).update(connect_timeout="250ms", health_check=[])
    hosts = v3_cluster(document)["load_assignment"]["endpoints"][0]["lb_endpoints"]
    hosts[0]["endpoint"]["address"]["socket_address"]["port_value"] = 70000
    assert [path for path, _ in said(refused(tmp_path, document))] == [
        f"{V3_MANAGER_PATH}.route_config.virtual_hosts[0].routes[0].route.cluster",
        f"{V3_MANAGER_PATH}.stat_prefx",
        f"{V3_CLUSTER_PATH}.connect_timeout",
        f"{V3_CLUSTER_PATH}.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value",
        f"{V3_CLUSTER_PATH}.health_check",
    ]


def test_a_message_has_file_line_column_path_and_advice(tmp_path):
    document = json.dumps(v1(), indent=1).replace("tcp://127.0.0.1:8003", "localhost")
    line, row = next((n, row) for n, row in enumerate(document.splitlines(), 1) if "localhost" in row)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, document)
    place = f"{tmp_path / 'proxy.json'}:{line}:{row.index(chr(34) + 'localhost') + 1}"
    advice = 'write it as "tcp://127.0.0.1:8002"'
    assert str(caught.value) == f'{place}: {CLUSTER_PATH}.hosts[1].url: "localhost" is no address; {advice}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", ":1:1: this configuration is empty; it needs listeners and clusters"),
        (
            '{"static_resource": {}}',
            'static_resource: there is no such key in Bootstrap; did you mean "static_resources"?',
        ),
        ('{"listeners": []}', 'the required key "admin" is missing'),
        ('{"listeners": [}', ":1:16: not JSON: expected a value"),
    ],
)
def test_files_that_are_hardly_one(tmp_path, text, message):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert message in str(caught.value)


def test_an_access_log_that_cannot_be_made_names_line_and_path(tmp_path):
    (tmp_path / "file").write_text("")
    document = v1()
    v1_manager(document)["access_log"] = [{"path": str(tmp_path / "file" / "access.log")}]
    [problem] = refused(tmp_path, document)
    assert problem.path == f"{MANAGER_PATH}.access_log[0].path"
    assert problem.line > 1
    assert "cannot be made" in problem.message


def test_folders_of_access_logs_are_made(tmp_path):
    document = v1()
    v1_manager(document)["access_log"] = [{"path": str(tmp_path / "deep" / "er" / "access.log")}]
    load(tmp_path, document)
    assert (tmp_path / "deep" / "er").is_dir()


def test_warnings_do_not_keep_a_file_from_loading(tmp_path):
    document = v1()
    document["stats_flush_interval_ms"] = 5000
    v1_cluster(document)["service_name"] = "a"
    assert [path for path, _ in said(load(tmp_path, document).warnings)] == [
        f"{CLUSTER_PATH}.service_name",
        "stats_flush_interval_ms",
    ]


def examples(language):
    """The whole files among the examples of the documentation."""
    text = (ROOT / "docs" / "configuration.md").read_text()
    blocks = [block.split("```")[0] for block in text.split(f"```{language}\n")[1:]]
    return [block for block in blocks if "cluster_manager" in block or "static_resources" in block]


@pytest.mark.parametrize(("language", "name"), [("json", "a.json"), ("yaml", "a.yaml")])
def test_the_examples_of_the_documentation_load(tmp_path, language, name):
    [example] = examples(language)
    loaded = load(tmp_path, example, name)
    assert loaded.warnings == ()
    assert [host.address.port for host in loaded.configuration.clusters[0].hosts] == [8002, 8003]
