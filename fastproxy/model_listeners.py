"""The parts of the model that say where sockets listen and connect, and which connections go where."""

from dataclasses import dataclass, field
from enum import Enum

from fastproxy.model_limits import ConnectionLimit
from fastproxy.model_logs import AccessLog


@dataclass(frozen=True, slots=True)
class Address:
    """Where a socket listens or connects: an IP literal or a DNS name, and a port; or the `path` of a Unix socket.

    A path that begins with `@` is a name in the abstract namespace (unix(7)). `mode` is what a listener's file gets.
    """

    host: str
    port: int
    path: str = ""
    mode: int = field(default=0, compare=False)

    def __str__(self) -> str:
        if self.path:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class TcpCluster:
    """A cluster that a tcp_proxy leads to, and its share among several."""

    name: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class TcpRoute:
    """A v1 route of a tcp_proxy: it takes connections that fit all of it; an empty list fits every connection.

    The lists are of CIDR ranges and of ranges of ports, both ends included.
    """

    cluster: str
    destination_ip_list: tuple[str, ...] = ()
    destination_ports: tuple[tuple[int, int], ...] = ()
    source_ip_list: tuple[str, ...] = ()
    source_ports: tuple[tuple[int, int], ...] = ()


class SourceType(Enum):
    ANY = "ANY"
    SAME_IP_OR_LOOPBACK = "SAME_IP_OR_LOOPBACK"
    EXTERNAL = "EXTERNAL"


@dataclass(frozen=True, slots=True)
class FilterChainMatch:
    """Which connections a filter chain takes; 0 and an empty list take every one. Ranges are CIDR texts."""

    destination_port: int = 0
    prefix_ranges: tuple[str, ...] = ()
    direct_source_prefix_ranges: tuple[str, ...] = ()
    source_type: SourceType = SourceType.ANY
    source_prefix_ranges: tuple[str, ...] = ()
    source_ports: tuple[int, ...] = ()


EVERY_CONNECTION = FilterChainMatch()


@dataclass(frozen=True, slots=True)
class SocketOption:
    """An argument of setsockopt(2); `state` is when: PREBIND, BOUND or LISTENING."""

    level: int
    name: int
    value: int | bytes
    state: str = "PREBIND"


@dataclass(frozen=True, slots=True)
class TcpProxy:
    """The network filter that relays bytes. With `routes` the first that fits names the cluster, and none closes."""

    stat_prefix: str
    clusters: tuple[TcpCluster, ...] = ()
    routes: tuple[TcpRoute, ...] = ()
    access_logs: tuple[AccessLog, ...] = ()
    hash_source_ip: bool = False
    idle_timeout_s: float | None = 3600.0
    max_connect_attempts: int = 1
    max_downstream_connection_duration_s: float | None = None
    connection_limit: ConnectionLimit | None = None
