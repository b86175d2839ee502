"""Which cluster a TCP proxy chooses for a connection."""

from collections import Counter

import pytest

from fastproxy import model
from fastproxy.model import Cluster, Configuration, Listener, TcpCluster, TcpRoute
from fastproxy.runtime import Runtime
from fastproxy.stats import StatsLayout

HERE, THERE = ("10.0.0.1", 443), ("192.0.2.7", 5000)


def proxy(*clusters, routes=()):
    names = {one.name for one in (*clusters,)} | {route.cluster for route in routes}
    filter = model.TcpProxy("t", clusters, tuple(routes))
    listener = Listener("l", model.Address("127.0.0.1", 1), filter)
    configuration = Configuration((listener,), tuple(Cluster(name) for name in sorted(names)))
    layout = StatsLayout(configuration)
    row = memoryview(bytearray(8 * layout.slots)).cast("Q")
    (found,) = Runtime(configuration, layout, row, None, bytes(16)).tcp_proxies
    return found


def test_one_cluster():
    assert proxy(TcpCluster("a")).choose_py(HERE, THERE, 12345) == "a"


def test_weights():
    weighted = proxy(TcpCluster("a", 1), TcpCluster("b", 3), TcpCluster("c", 6))
    chosen = Counter(weighted.choose_py(HERE, THERE, random) for random in range(1000))
    assert chosen == {"a": 100, "b": 300, "c": 600}


@pytest.mark.parametrize(
    ("route", "takes"),
    [
        (TcpRoute("b"), True),
        (TcpRoute("b", destination_ip_list=("10.0.0.0/8",)), True),
        (TcpRoute("b", destination_ip_list=("11.0.0.0/8",)), False),
        (TcpRoute("b", destination_ports=((1, 10), (443, 443))), True),
        (TcpRoute("b", destination_ports=((444, 65535), (1, 442))), False),
        (TcpRoute("b", source_ip_list=("192.0.2.0/24",)), True),
        (TcpRoute("b", source_ip_list=("192.0.3.0/24",)), False),
        (TcpRoute("b", source_ports=((4000, 5000),)), True),
        (TcpRoute("b", source_ports=((5001, 6000),)), False),
        (TcpRoute("b", source_ip_list=("192.0.2.0/24",), source_ports=((1, 2),)), False),
    ],
)
def test_a_route_fits_or_the_connection_is_closed(route, takes):
    assert proxy(TcpCluster("b"), routes=[route]).choose_py(HERE, THERE) == ("b" if takes else None)


def test_the_first_route_that_fits():
    routes = [TcpRoute("no", destination_ports=((1, 1),)), TcpRoute("yes"), TcpRoute("late")]
    assert proxy(TcpCluster("no"), routes=routes).choose_py(HERE, THERE) == "yes"
