"""What is told of the health of hosts, in Envoy's names."""

import asyncio
from collections.abc import Iterator

import pytest

from fastproxy.health.cluster_health import ClusterHealth
from fastproxy.health.health_stats import outlier_lines, statistics, success_rates
from fastproxy.health.host_counters import HostCounters
from fastproxy.health.outliers import Ejection, Rates
from fastproxy.model import Address, Cluster, Configuration, Host, OutlierDetection
from fastproxy.stats import StatsLayout
from tests.unit.health_checks import quick

HOSTS = tuple(Host(Address("127.0.0.1", port), slot=port - 1) for port in (1, 2))
KINDS = [
    *("consecutive_5xx", "consecutive_gateway_failure", "consecutive_local_origin_failure"),
    *("failure_percentage", "local_origin_failure_percentage", "local_origin_success_rate", "success_rate"),
]


@pytest.fixture
def health() -> Iterator[ClusterHealth]:
    """Of two hosts, one of which is ejected; nobody was checked yet."""
    cluster = Cluster(
        "c", hosts=HOSTS, health_check=quick(), outlier_detection=OutlierDetection(max_ejection_percent=50)
    )
    layout = StatsLayout(Configuration(clusters=(cluster,)))
    counters = HostCounters(layout, [memoryview(bytearray(8 * layout.slots)).cast("Q")])
    loop = asyncio.new_event_loop()
    made = ClusterHealth(loop, cluster, counters, lambda: None, lambda: None)
    made.set_hosts(HOSTS)
    for host in made.hosts:
        made.failed(host, Ejection.CONSECUTIVE_5XX)
    yield made
    made.close()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_names_and_values(health):
    """The names are those that Envoy 1.40 prints, but for what it counts of degraded hosts."""
    found = {each.name.removeprefix("cluster.c."): each.value for each in statistics("cluster.c", health)}
    ejections = {name for name in found if name.startswith("outlier_detection.")}
    assert ejections == {
        f"outlier_detection.ejections_{name}"
        for name in [
            *("active", "overflow", "total", "enforced_total", "consecutive_5xx", "success_rate"),
            *(f"{what}_{kind}" for kind in KINDS for what in ("detected", "enforced")),
        ]
    }
    nonzero = {name.partition(".ejections_")[2]: found[name] for name in ejections if found[name]}
    assert nonzero == {
        "active": 1,
        "total": 1,
        "enforced_total": 1,
        "overflow": 1,
        "consecutive_5xx": 2,
        "detected_consecutive_5xx": 2,
        "enforced_consecutive_5xx": 1,
    }
    names = "attempt success failure passive_failure network_failure verify_cluster degraded healthy"
    assert found.keys() - ejections == {f"health_check.{name}" for name in names.split()}


def test_lines_of_clusters(health):
    health.detector.rates[0] = Rates(91.25, 50.0)
    health.detector[HOSTS[1].address].success_rates[1] = 100.0
    assert list(outlier_lines(health)) == [
        ("outlier::success_rate_average", "91.25"),
        ("outlier::success_rate_ejection_threshold", "50"),
        ("outlier::local_origin_success_rate_average", "-1"),
        ("outlier::local_origin_success_rate_ejection_threshold", "-1"),
    ]
    assert dict(success_rates(health, HOSTS[1].address)) == {"success_rate": "-1", "local_origin_success_rate": "100"}


def test_a_cluster_that_nobody_looks_after():
    assert list(outlier_lines(None)) == []
    assert dict(success_rates(None, HOSTS[0].address)) == {"success_rate": "-1", "local_origin_success_rate": "-1"}
