"""What workers count of hosts, as the supervisor reads it."""

from fastproxy.health.host_counters import HostCounters
from fastproxy.health.outliers import Ejection, Volume
from fastproxy.model import Address, Cluster, Configuration, Host
from fastproxy.scopes import CLUSTER_NAMES, HOST_NAMES
from fastproxy.stats import StatsLayout

HOST = Host(Address("127.0.0.1", 1), slot=1)
CLUSTER = Cluster("nodes", hosts=(Host(Address("127.0.0.1", 2), slot=0), HOST))
LAYOUT = StatsLayout(Configuration(clusters=(CLUSTER,)))


def rows(count):
    return [memoryview(bytearray(8 * LAYOUT.slots)).cast("Q") for _ in range(count)]


def slot(name):
    return LAYOUT.host("nodes", 1) + HOST_NAMES.index(name)


def test_volumes_are_those_of_all_workers():
    both = rows(2)
    for number, row in enumerate(both, 1):
        for place, name in enumerate(("answers_total", "answers_success", "origin_total", "origin_success"), 1):
            row[slot(name)] = number * place
    assert HostCounters(LAYOUT, both).volumes(CLUSTER, HOST) == (Volume(3, 6), Volume(9, 12))


def test_rows_begin_again_in_the_first_row():
    (row,) = rows(1)
    names = ("row_5xx", "row_gateway_failure", "row_local_origin_failure", "said_it_fails")
    for name in names:
        row[slot(name)] = 7
    counters = HostCounters(LAYOUT, [row])
    counters.begin_row(CLUSTER, HOST, Ejection.CONSECUTIVE_5XX)
    assert [row[slot(name)] for name in names] == [0, 7, 7, 7]
    counters.begin_row(CLUSTER, HOST)
    assert [row[slot(name)] for name in names] == [0, 0, 0, 7]
    counters.hear_again(CLUSTER, HOST)
    assert not any(row)


def test_traffic_of_any_worker():
    both = rows(2)
    counters = HostCounters(LAYOUT, both)
    assert not counters.has_traffic("nodes")
    both[1][LAYOUT.cluster("nodes") + CLUSTER_NAMES.index("upstream_cx_total")] = 1
    assert counters.has_traffic("nodes")
