"""Clusters of the three real servers, and proxies in front of them that learn nothing of who their clients are."""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e import crowd, stack
from tests.e2e.crowd import Group
from tests.e2e.sessions import Kind
from tests.support import processes, proxies

SCRIPT = processes.ROOT / "tests" / "e2e" / "nodes.mjs"
ADDRESS = re.compile(r"^(node#\d+) on http://127\.0\.0\.1:(\d+)/$", re.MULTILINE)


@dataclass(frozen=True)
class Server:
    """A Socket.IO server, and which clients it can talk to; `version` is Node's."""

    name: str
    clients: tuple[str, ...]
    version: int = 0


PYTHON = Server("python", (crowd.PYTHON, crowd.NODE_4))
NODE_4 = Server("node4", (crowd.PYTHON, crowd.NODE_4, crowd.NODE_2), 4)
NODE_2 = Server("node2", (crowd.NODE_2,), 2)
SERVERS = (PYTHON, NODE_4, NODE_2)


@dataclass(frozen=True, eq=False)
class Balancer:
    """How a cluster chooses a host, as fields of the cluster and of the route."""

    name: str
    cluster: proxies.Json = field(default_factory=dict)
    route: proxies.Json = field(default_factory=dict)


ROUND_ROBIN = Balancer("round_robin")
RING_OF_NOTHING = Balancer(  # its header is misspelt, as in many a file: nobody sends it
    "ring_of_nothing",
    {"lb_policy": "RING_HASH", "ring_hash_lb_config": {"minimum_ring_size": 1024}},
    {"hash_policy": [{"header": {"header_name": "referrer"}}]},
)


@dataclass(frozen=True)
class Nodes:
    """Running nodes of one server."""

    server: Server
    process: processes.Process
    ports: tuple[int, ...]

    def address(self, name: str) -> str:
        """Where the node of that name listens."""
        return next(f"127.0.0.1:{port}" for each, port in ADDRESS.findall(self.process.output) if each == name)

    def names(self, ports: Sequence[int] | None = None) -> set[str]:
        """What the nodes on these ports call themselves (None: all)."""
        named = {int(port): name for name, port in ADDRESS.findall(self.process.output)}
        return {named[port] for port in (self.ports if ports is None else ports)}


@contextlib.contextmanager
def running(count: int, folder: Path, node: str, servers: Sequence[Server] = SERVERS) -> Iterator[dict[Server, Nodes]]:
    """So many nodes of each server, ended when the context is left; `node` is Node's program."""
    with contextlib.ExitStack() as ends:
        started = {}
        for server in servers:
            ports = processes.free_ports(count)
            process = _start(server, ports, folder / f"{server.name}.txt", node)
            ends.callback(process.kill)
            started[server] = Nodes(server, process, tuple(ports))
        for nodes in started.values():
            nodes.process.wait_listening(nodes.ports)
        yield started


def _start(server: Server, ports: Sequence[int], output_path: Path, node: str) -> processes.Process:
    if not server.version:
        return stack.start_nodes(ports, output_path, waits=False)
    wish = json.dumps({"version": server.version, "ports": ports})
    return processes.start([node, str(SCRIPT), wish], output_path=output_path)


@dataclass(frozen=True)
class Way:
    """One listener of a proxy, which leads to some nodes of one server."""

    server: Server
    balancer: Balancer
    port: int

    @property
    def name(self) -> str:
        return f"{self.server.name}_{self.balancer.name}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def ways(*balancers: Balancer) -> list[Way]:
    """A listener for each server and each of the balancers."""
    return [Way(server, balancer, processes.free_port()) for server in SERVERS for balancer in balancers]


def one_way_each() -> list[Way]:
    """A listener for each server, with either balancer."""
    balancers = (RING_OF_NOTHING, ROUND_ROBIN, RING_OF_NOTHING)
    return [Way(server, balancer, processes.free_port()) for server, balancer in zip(SERVERS, balancers, strict=True)]


def groups(urls: Mapping[Server, str], kinds: Sequence[Kind], count: int, *, reconnects: bool = False) -> list[Group]:
    """At each server, so many sessions of each kind, shared among the clients that can talk to it."""
    return [
        Group(url, client, kind, count // len(server.clients), reconnects)
        for server, url in urls.items()
        for client in server.clients
        for kind in kinds
    ]


@contextlib.contextmanager
def proxied(
    ways: Sequence[Way], hosts: Mapping[Server, Sequence[int]], folder: Path, concurrency: int = 2
) -> Iterator[proxies.Proxy]:
    """A proxy with nothing but defaults, ended when the context is left."""
    folder.mkdir(exist_ok=True)
    proxy = proxies.Proxy(configuration(ways, hosts, processes.free_port()), folder, concurrency)
    try:
        yield proxy
    finally:
        proxy.stop()


def configuration(
    ways: Sequence[Way], hosts: Mapping[Server, Sequence[int]], admin_port: int, draining: Sequence[int] = ()
) -> proxies.Json:
    """A bootstrap with nothing but defaults."""
    listeners, clusters = [], []
    for way in ways:
        route = proxies.route("/", way.name, **way.balancer.route)
        manager = proxies.connection_manager([route], upgrade_configs=proxies.WEBSOCKET, stat_prefix=way.name)
        cluster = proxies.cluster(way.name, hosts[way.server], **way.balancer.cluster)
        for host in cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]:
            if host["endpoint"]["address"]["socket_address"]["port_value"] in draining:
                host["health_status"] = "DRAINING"
        alone = proxies.bootstrap(way.port, admin_port, manager, [cluster])["static_resources"]
        listeners += [{**alone["listeners"][0], "name": way.name}]
        clusters += alone["clusters"]
    resources = {"listeners": listeners, "clusters": clusters}
    return {"admin": {"address": proxies.socket_address(admin_port)}, "static_resources": resources}
