"""The statistics as Prometheus reads them."""

import pytest

from fastproxy.admin.commands import answer
from fastproxy.admin.prometheus import prometheus_text
from fastproxy.stats import Statistic
from tests.unit.admin_status import Server


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        ("server.live", "envoy_server_live{}"),
        ("cluster.a.upstream_rq_total", 'envoy_cluster_upstream_rq_total{envoy_cluster_name="a"}'),
        ("cluster.a.b.sid_live", 'envoy_cluster_sid_live{envoy_cluster_name="a.b"}'),
        (
            "cluster.a.endpoint.10.0.0.1_80.sid_live",
            'envoy_cluster_endpoint_sid_live{envoy_cluster_name="a",envoy_endpoint_address="10.0.0.1_80"}',
        ),
        (
            "vhost.v.route.chat.sid_known",
            'envoy_vhost_route_sid_known{envoy_virtual_host="v",envoy_route="chat"}',
        ),
        (
            "http.in.downstream_rq_2xx",
            'envoy_http_downstream_rq_xx{envoy_response_code_class="2",envoy_http_conn_manager_prefix="in"}',
        ),
        ("http.in.cors.origin_valid", 'envoy_http_cors_origin_valid{envoy_http_conn_manager_prefix="in"}'),
        (
            "listener.[__1]_80.downstream_cx_total",
            'envoy_listener_downstream_cx_total{envoy_listener_address="[__1]_80"}',
        ),
        ("tcp.t.downstream_cx_total", 'envoy_tcp_downstream_cx_total{envoy_tcp_prefix="t"}'),
        ('cluster.q"\\\n.cx', 'envoy_cluster_cx{envoy_cluster_name="q\\"\\\\\\n"}'),
        ("cluster_manager.cluster_added", "envoy_cluster_manager_cluster_added{}"),
    ],
)
def test_names_and_labels(name, sample):
    assert prometheus_text([Statistic(name, 7)]).splitlines()[1] == f"{sample} 7"


def test_samples_of_a_metric_stand_together_behind_its_type():
    statistics = [
        Statistic("cluster.a.x_active", 1, True),
        Statistic("cluster.a.y_total", 2),
        Statistic("cluster.b.x_active", 3, True),
    ]
    assert prometheus_text(statistics).splitlines() == [
        "# TYPE envoy_cluster_x_active gauge",
        'envoy_cluster_x_active{envoy_cluster_name="a"} 1',
        'envoy_cluster_x_active{envoy_cluster_name="b"} 3',
        "# TYPE envoy_cluster_y_total counter",
        'envoy_cluster_y_total{envoy_cluster_name="a"} 2',
    ]


def test_the_path_and_the_format():
    status = Server().status
    reply = answer(status, "/stats/prometheus", {"filter": "membership_total"}, "GET", {})
    assert (
        reply.text == answer(status, "/stats", {"format": "prometheus", "filter": "membership_total"}, "GET", {}).text
    )
    assert 'envoy_cluster_membership_total{envoy_cluster_name="backend"} 3\n' in reply.text
    assert reply.headers["content-type"] == "text/plain; charset=UTF-8"
