"""`/stats`: lines, filters and formats, beside Envoy's recorded answers."""

import json

import pytest

from fastproxy.admin.stats import stats
from tests.unit.admin_status import Server


@pytest.fixture
def server():
    return Server()


def names(text: str) -> list[str]:
    return [line.rpartition(": ")[0] for line in text.splitlines()]


def test_lines_are_sorted_and_end_with_a_newline(server):
    text = stats(server.status, {}).text
    assert text.endswith("\n")
    assert names(text) == sorted(names(text))


def test_everything_that_we_count_has_envoys_name_and_value(server, golden):
    """Feed what Envoy had counted; what comes out are lines that Envoy wrote."""
    recorded = (golden / "admin" / "stats_filter_cluster_backend_upstream_rq.txt").read_text().splitlines()
    for line in recorded:
        name, _, value = line.rpartition(": ")
        if name in server:
            server[name] = int(value)
    ours = stats(server.status, {"filter": r"^cluster\.backend\.upstream_rq"}).text.splitlines()
    assert len(ours) >= 15
    unknown = {line for line in set(ours) - set(recorded) if not line.endswith(": 0")}
    assert unknown == set()


def test_usedonly(server):
    server["cluster.backend.upstream_rq_total"] = 5
    server["http.ingress_http.downstream_cx_total"] = 2
    found = names(stats(server.status, {"usedonly": "", "filter": "upstream_|downstream_"}).text)
    assert found == [
        "cluster.backend.upstream_rq_active",
        "cluster.backend.upstream_rq_total",
        "http.ingress_http.downstream_cx_active",
        "http.ingress_http.downstream_cx_total",
    ]


def test_json_as_envoy(server, golden):
    for name, value in (("backend", 34), ("checked", 2)):
        server[f"cluster.{name}.upstream_rq_total"] = value
    reply = stats(server.status, {"filter": "upstream_rq_total", "format": "json"})
    recorded = (golden / "admin" / "stats_filter_upstream_rq_total_format_json.txt").read_text()
    assert reply.text == recorded.rstrip("\n")
    assert reply.content_type == "application/json"


@pytest.mark.parametrize(
    ("kind", "present", "absent"), [("Gauges", "rq_active", "rq_total"), ("Counters", "rq_total", "rq_active")]
)
def test_types(server, kind, present, absent):
    found = names(stats(server.status, {"type": kind}).text)
    assert f"cluster.backend.upstream_{present}" in found
    assert f"cluster.backend.upstream_{absent}" not in found


def test_there_are_no_histograms(server):
    assert stats(server.status, {"type": "Histograms"}).text == ""


@pytest.mark.parametrize(
    ("query", "beginning"),
    [
        ({"filter": "\udc9c"}, "Invalid re2 regex: invalid UTF-8"),
        ({"filter": "["}, "Invalid re2 regex: missing ]: ["),
        ({"format": "bad"}, "usage: /stats?format=("),
        ({"type": "bad"}, "usage: /stats?type=("),
    ],
)
def test_wrong_parameters(server, query, beginning):
    reply = stats(server.status, query)
    assert reply.status == 400
    assert reply.text.startswith(beginning)


def test_what_dashboards_look_at(server):
    server["listener.127.0.0.1_10000.downstream_cx_active"] = 3
    text = stats(server.status, {}).text
    for line in (
        "server.live: 1",
        "server.state: 0",
        "server.concurrency: 1",
        "server.total_connections: 3",
        "listener_manager.total_listeners_active: 1",
        "cluster_manager.active_clusters: 3",
        "cluster.backend.membership_total: 3",
        "cluster.backend.membership_healthy: 3",
        "cluster.backend.membership_change: 1",
    ):
        assert f"{line}\n" in text


def test_the_json_of_everything_parses(server):
    found = json.loads(stats(server.status, {"format": "json"}).text)
    assert {"name": "server.live", "value": 1} in found["stats"]
