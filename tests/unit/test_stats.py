"""Slots and names of the counters."""

import pytest

from fastproxy.counters import ClusterCounter, HostCounter, HttpCounter, ListenerCounter
from fastproxy.model import (
    Address,
    Cluster,
    ClusterType,
    Configuration,
    Host,
    HttpConnectionManager,
    Listener,
    RouteConfiguration,
)
from fastproxy.stats import (
    LOGICAL_DNS_HOSTS,
    STRICT_DNS_HOSTS,
    Statistic,
    StatsLayout,
    StatsReader,
    clear_gauges,
    sanitize,
    used,
)


def listener(address: Address, prefix: str) -> Listener:
    return Listener("l", address, HttpConnectionManager(prefix, RouteConfiguration(())))


def host(port: int) -> Host:
    return Host(Address("127.0.0.1", port))


CONFIGURATION = Configuration(
    (
        listener(Address("127.0.0.1", 9001), "one"),
        listener(Address("::1", 9002), "one"),
        listener(Address("0.0.0.0", 9003), "a b://c:/d"),
    ),
    (
        Cluster("fixed", hosts=(host(1), host(2), host(3))),
        Cluster("strict:1", ClusterType.STRICT_DNS, hosts=(Host(Address("a", 1)),)),
        Cluster("logical", ClusterType.LOGICAL_DNS, hosts=(Host(Address("a", 1)),)),
    ),
)


def blocks(layout: StatsLayout) -> list[range]:
    found = [range(layout.listener(i), layout.listener(i) + ListenerCounter.LISTENER_COUNTERS) for i in range(3)]
    found += [range(layout.http(p), layout.http(p) + HttpCounter.HTTP_COUNTERS) for p in ("one", "a b://c:/d")]
    for cluster in CONFIGURATION.clusters:
        first = layout.cluster(cluster.name)
        found.append(range(first, first + ClusterCounter.CLUSTER_COUNTERS))
        for index in range(layout.host_capacity(cluster.name)):
            first = layout.host(cluster.name, index)
            found.append(range(first, first + HostCounter.HOST_COUNTERS))
    return found


def test_blocks_cover_the_row_and_do_not_overlap():
    layout = StatsLayout(CONFIGURATION)
    assert sorted(slot for block in blocks(layout) for slot in block) == list(range(layout.slots))


@pytest.mark.parametrize(
    ("cluster", "capacity"), [("fixed", 3), ("strict:1", STRICT_DNS_HOSTS), ("logical", LOGICAL_DNS_HOSTS)]
)
def test_capacity_of_hosts(cluster, capacity):
    layout = StatsLayout(CONFIGURATION)
    assert layout.host_capacity(cluster) == capacity
    with pytest.raises(IndexError):
        layout.host(cluster, capacity)


def test_unknown_scopes_are_errors():
    layout = StatsLayout(CONFIGURATION)
    for method in (layout.http, layout.cluster, layout.host_capacity):
        with pytest.raises(KeyError):
            method("nothing")


@pytest.mark.parametrize(
    ("name", "sanitized"),
    [
        ("[::1]:19932", "[__1]_19932"),
        ("c.x:1 y/z.", "c.x_1 y/z"),
        ("a b://c:/d|e..", "a b_c_d|e"),
        (".in:gr//ess.", ".in_gr//ess"),
        ("nul\0", "nul_"),
    ],
)
def test_names_are_sanitized_as_envoy_1_40_does(name, sanitized):
    assert sanitize(name) == sanitized


def test_names():
    names = dict(StatsLayout(CONFIGURATION).named())
    layout = StatsLayout(CONFIGURATION)
    assert names["listener.[__1]_9002.downstream_cx_total"] == layout.listener(1)
    assert names["http.a b_c_d.downstream_rq_2xx"] == layout.http("a b://c:/d") + HttpCounter["http_downstream_rq_2xx"]
    assert names["http.one.no_route"] == layout.http("one") + HttpCounter["http_no_route"]
    assert names["cluster.strict_1.upstream_rq_2xx"] == (
        layout.cluster("strict:1") + ClusterCounter["cluster_upstream_rq_2xx"]
    )
    assert not any("COUNTERS" in name for name in names)


def rows(layout: StatsLayout, count: int) -> list[memoryview]:
    return [memoryview(bytearray(layout.slots * 8)).cast("Q") for _ in range(count)]


def test_reading_adds_the_rows_up():
    layout = StatsLayout(CONFIGURATION)
    first, second = rows(layout, 2)
    slot = layout.cluster("fixed") + ClusterCounter["cluster_upstream_rq_total"]
    first[slot], second[slot] = 40, 2
    second[layout.host("fixed", 2) + HostCounter["host_rq_total"]] = 7
    reader = StatsReader(layout, [first, second])
    assert Statistic("cluster.fixed.upstream_rq_total", 42, False) in reader.statistics()
    assert reader.host("fixed", 2)["rq_total"] == 7
    assert reader.host("fixed", 1)["rq_total"] == 0


def test_scopes_of_one_name_are_one_statistic():
    same = Configuration((listener(Address("1.1.1.1", 1), "a:"), listener(Address("1.1.1.1", 2), "a_")))
    layout = StatsLayout(same)
    (row,) = rows(layout, 1)
    row[layout.http("a:")] = 1
    row[layout.http("a_")] = 2
    found = [each for each in StatsReader(layout, [row]).statistics() if each.name == "http.a_.downstream_cx_total"]
    assert [each.value for each in found] == [3]


def test_clearing_gauges_leaves_counters():
    layout = StatsLayout(CONFIGURATION)
    (row,) = rows(layout, 1)
    for slot in range(layout.slots):
        row[slot] = 1
    clear_gauges(layout, row)
    for each in StatsReader(layout, [row]).statistics():
        assert (each.value == 0) == each.name.endswith("_active")
    assert StatsReader(layout, [row]).host("strict:1", 255) == {
        name.removeprefix("host_"): int(not name.endswith("_active")) for name in list(HostCounter.__members__)[:-1]
    }


def test_used_keeps_a_gauge_whose_total_has_grown():
    statistics = [
        Statistic("a.cx_total", 3),
        Statistic("a.cx_active", 0, True),
        Statistic("b.cx_total", 0),
        Statistic("b.cx_active", 0, True),
        Statistic("c", 1, True),
    ]
    assert [each.name for each in used(statistics)] == ["a.cx_total", "a.cx_active", "c"]
