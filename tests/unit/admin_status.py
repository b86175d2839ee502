"""A server's status as the admin's tests need it: the configuration of the golden answers, counters at will."""

from fastproxy.counters import HostCounter
from fastproxy.model import (
    Address,
    Cluster,
    Configuration,
    Host,
    HttpConnectionManager,
    LbPolicy,
    Listener,
    RouteConfiguration,
)
from fastproxy.options import Options
from fastproxy.stats import StatsLayout, StatsReader
from fastproxy.status import ServerState, Status


def host(port: int, weight: int = 1, hostname: str = "") -> Host:
    return Host(Address("127.0.0.1", port), weight, hostname)


CONFIGURATION = Configuration(
    (Listener("main", Address("127.0.0.1", 10000), HttpConnectionManager("ingress_http", RouteConfiguration(()))),),
    (
        Cluster("backend", lb_policy=LbPolicy.RING_HASH, hosts=(host(8002), host(8003), host(8004))),
        Cluster("checked", hosts=(host(8002, 3, "one.example"), host(18199))),
        Cluster("refused", hosts=(host(18199),)),
    ),
)


class Server:
    """`status` with the row of its only worker; `server[slot] = value` sets a counter."""

    def __init__(self, configuration: Configuration = CONFIGURATION) -> None:
        self.layout = StatsLayout(configuration)
        self.row = memoryview(bytearray(self.layout.slots * 8)).cast("Q")
        listeners = [(listener.name, listener.address) for listener in configuration.listeners]
        reader = StatsReader(self.layout, [self.row])
        options = Options("envoy.json", 1, service_cluster="golden", service_node="node-1")
        self.status = Status(options, configuration, reader, listeners, state=ServerState.LIVE)
        self._slots = dict(self.layout.named())

    def __setitem__(self, name: str, value: int) -> None:
        self.row[self._slots[name]] = value

    def __contains__(self, name: str) -> bool:
        return name in self._slots

    def set_host(self, cluster: str, index: int, counter: str, value: int) -> None:
        self.row[self.layout.host(cluster, index) + HostCounter[f"host_{counter}"]] = value
