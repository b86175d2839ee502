"""Sessions by host, and how evenly they are spread."""

import pytest

from fastproxy._sessions import SessionTable, region_bytes
from fastproxy.model import Address, Cluster, Configuration, Host
from fastproxy.session_stats import HostSessions, Spread, by_host, digest_of, live_in, spread, statistics
from tests.unit.admin_status import Server


def host(port: int, weight: int = 1) -> Host:
    return Host(Address("10.0.0.1", port), weight)


def serving(*hosts: Host) -> Server:
    return Server(Configuration((), (Cluster("a:b", hosts=hosts),)))


@pytest.mark.parametrize(
    ("live_and_weights", "expected"),
    [
        ([], Spread(0, 0, 0)),
        ([(4, 1), (2, 1), (3, 1)], Spread(9, 4, 2)),
        ([(10, 1), (20, 2), (30, 3)], Spread(60, 20, 20)),
        ([(12, 1), (20, 2), (28, 3)], Spread(60, 24, 19)),
    ],
)
def test_the_spread_is_by_weight(live_and_weights, expected):
    assert spread([HostSessions("a", weight, {}, live) for live, weight in live_and_weights]) == expected


def test_live_are_the_sessions_of_the_table_and_the_websockets():
    server = serving(host(1), host(2))
    server.set_host("a:b", 1, "ws_active", 3)
    (cluster,) = server.status.configuration.clusters
    found = by_host(cluster, server.status.reader, lambda address: address.port * 10)
    assert [(each.address, each.live) for each in found] == [("10.0.0.1:1", 10), ("10.0.0.1:2", 23)]


def test_the_names():
    server = serving(host(1), host(2))
    server.set_host("a:b", 0, "sid_opened_polling", 5)
    server.set_host("a:b", 0, "cx_rx_bytes_total", 700)
    server.set_host("a:b", 0, "cx_total", 7)
    (cluster,) = server.status.configuration.clusters
    found = {each.name: each for each in statistics(cluster, server.status.reader, lambda address: 1)}
    assert found["cluster.a_b.endpoint.10.0.0.1_1.sid_opened_polling"].value == 5
    assert found["cluster.a_b.endpoint.10.0.0.1_1.cx_rx_bytes_total"].value == 700
    assert found["cluster.a_b.endpoint.10.0.0.1_2.sid_live"].value == 1
    assert [found[f"cluster.a_b.sid_live{end}"].value for end in ("", "_most", "_least")] == [2, 1, 1]
    gauges = {name.rpartition(".")[2] for name, each in found.items() if each.is_gauge}
    assert gauges == {"sid_live", "sid_live_most", "sid_live_least", "sid_opening_active", "ws_active"}
    assert not any(name.endswith(".cx_total") for name in found)


def test_the_table_is_asked_by_address():
    memory = memoryview(bytearray(region_bytes(1024)))
    SessionTable(memory, bytes(16)).put(b"a", digest_of(host(1).address), 1, 100)
    live_at = live_in(memory, bytes(16))
    assert [live_at(host(port).address) for port in (1, 2)] == [1, 0]
    assert live_in(memory[:0], bytes(16))(host(1).address) == 0


def test_status_has_them():
    server = serving(host(1))
    names = {each.name for each in server.status.statistics()}
    assert {"cluster.a_b.sid_live_most", "cluster.a_b.endpoint.10.0.0.1_1.ws_total"} <= names
