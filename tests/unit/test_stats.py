"""Slots and names of the counters."""

import pytest

from fastproxy.counters import ClusterCounter, FilesystemCounter, HostCounter, HttpCounter, ListenerCounter
from fastproxy.errors import FastproxyError
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
from fastproxy.model_codec import Codec
from fastproxy.scopes import HTTP_NAMES, LISTENER_NAMES, LOGICAL_DNS_HOSTS, STRICT_DNS_HOSTS, LayoutState
from fastproxy.stats import Statistic, StatsLayout, StatsReader, clear_gauges, clear_taken, used


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
    found.append(range(layout.filesystem(), layout.filesystem() + FilesystemCounter.FILESYSTEM_COUNTERS))
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
    total = HttpCounter["http_downstream_cx_total"]
    row[layout.http("a:") + total] = 1
    row[layout.http("a_") + total] = 2
    found = [each for each in StatsReader(layout, [row]).statistics() if each.name == "http.a_.downstream_cx_total"]
    assert [each.value for each in found] == [3]


def first_layout(*prefixes: str, clusters: tuple[Cluster, ...] = ()) -> Configuration:
    return Configuration(tuple(listener(Address("1.1.1.1", i), p) for i, p in enumerate(prefixes)), clusters)


def grown(layout: StatsLayout, configuration: Configuration, *, limit: int = 1 << 20, idle: bool = True, **counts: int):
    return layout.extended(configuration, counts, lambda scope: idle, limit)


def test_scopes_that_go_on_keep_their_slots():
    layout = StatsLayout(CONFIGURATION)
    after = grown(layout, Configuration((*CONFIGURATION.listeners[1:], listener(Address("9.9.9.9", 9), "new"))))
    assert [after.listener(0), after.listener(1)] == [layout.listener(1), layout.listener(2)]
    assert after.http("one") == layout.http("one")
    assert after.listener(2) == layout.slots
    assert after.http("new") == layout.slots + len(LISTENER_NAMES)
    with pytest.raises(KeyError):
        after.cluster("fixed")


def test_a_scope_that_comes_back_finds_its_slots():
    layout = StatsLayout(CONFIGURATION)
    back = grown(grown(layout, first_layout("other")), CONFIGURATION)
    assert blocks(back) == blocks(layout)
    assert back.state.taken == ()


def test_a_hundred_changes_to_and_fro_take_no_more_room():
    layout = StatsLayout(CONFIGURATION)
    layouts = [layout := grown(layout, each) for _ in range(50) for each in (first_layout("other"), CONFIGURATION)]
    assert len({each.slots for each in layouts}) == 1


def test_a_cluster_with_more_hosts_keeps_those_it_has():
    few, many = (first_layout(clusters=(Cluster("c", hosts=tuple(map(host, range(n)))),)) for n in (2, 5))
    layout = StatsLayout(few)
    after = grown(layout, many)
    assert [after.host("c", i) for i in range(2)] == [layout.host("c", i) for i in range(2)]
    assert len({after.host("c", i) for i in range(5)}) == 5
    assert grown(after, few).host_capacity("c") == 5
    assert grown(after, few, c=7).host_capacity("c") == 7
    with pytest.raises(IndexError):
        after.host("c", 5)


def test_without_room_an_idle_scope_makes_place():
    layout = StatsLayout(first_layout("one"))
    second = grown(layout, first_layout("two"), limit=layout.slots + len(HTTP_NAMES))
    third = grown(second, first_layout("three"), limit=second.slots)
    assert third.http("three") == layout.http("one")
    assert [(each.kind, each.name) for each in third.state.taken] == [("http", "three")]
    assert [each.name for each in third.state.retired] == ["two"]
    (row,) = rows(third, 1)
    for slot in range(third.slots):
        row[slot] = 7
    clear_taken(third, row)
    values = {each.name: each.value for each in StatsReader(third, [row]).statistics()}
    assert values["http.three.downstream_cx_total"] == 0
    assert values["http.three.downstream_cx_active"] == 7
    assert values["http.two.downstream_cx_total"] == 7


def test_without_room_and_idle_scopes_the_layout_is_refused():
    layout = StatsLayout(first_layout("one"))
    second = grown(layout, first_layout("two"), limit=layout.slots + len(HTTP_NAMES))
    with pytest.raises(FastproxyError, match="no room for the counters of http 'three'"):
        grown(second, first_layout("three"), limit=second.slots, idle=False)


def test_what_went_is_shown_while_something_of_it_is_under_way():
    layout = StatsLayout(first_layout("one"))
    after = grown(layout, first_layout("two"))
    (row,) = rows(after, 1)
    row[layout.http("one") + HttpCounter["http_downstream_cx_total"]] = 5
    reader = StatsReader(after, [row])
    assert not [each for each in reader.statistics() if each.name.startswith("http.one.")]
    row[layout.http("one") + HttpCounter["http_downstream_cx_active"]] = 1
    assert Statistic("http.one.downstream_cx_total", 5, False) in reader.statistics()
    clear_gauges(after, row)
    assert not [each for each in reader.statistics() if each.name.startswith("http.one.")]


def test_a_layout_is_data():
    layout = grown(StatsLayout(first_layout("one")), CONFIGURATION)
    codec = Codec(LayoutState)
    again = StatsLayout(CONFIGURATION, codec.decode(codec.encode(layout.state)))
    assert blocks(again) == blocks(layout)
    assert again.slots == layout.slots


def test_clearing_gauges_leaves_counters():
    layout = StatsLayout(CONFIGURATION)
    (row,) = rows(layout, 1)
    for slot in range(layout.slots):
        row[slot] = 1
    clear_gauges(layout, row)
    for each in StatsReader(layout, [row]).statistics():
        assert (each.value == 0) == each.is_gauge
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
