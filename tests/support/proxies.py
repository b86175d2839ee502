"""The proxy under test, its configuration, and the world around it: nodes behind, clients in front.

The suite runs against any proxy that takes a v3 bootstrap: `PROXY_UNDER_TEST=envoy` runs it against the Envoy that is
on the PATH (or beside the interpreter), which is how the tests themselves were tested.
"""

import contextlib
import copy
import http.client
import json
import os
import re
import shutil
import signal
import socket
import sys
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import processes
from tests.support.adversary import Node, Peer

Json = dict[str, Any]
UNDER_TEST = os.environ.get("PROXY_UNDER_TEST", "fastproxy")
IS_ENVOY = UNDER_TEST == "envoy"
_TYPES = "type.googleapis.com/envoy.extensions.filters"
ROUTER = {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{_TYPES}.http.router.v3.Router"}}
WEBSOCKET = [{"upgrade_type": "websocket"}]
_GAUGE = re.compile(r"(?:http|listener|cluster)\.(?!admin\.)\S*_(?<!ejections_)active")


def departures(**switches: Any) -> list[Json]:
    """HTTP filters that switch fastproxy's departures from Envoy; Envoy is told nothing, it departs from nothing."""
    type_urls = {"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "type_url": "fastproxy.v1.HttpFilter"}
    ours = {"name": "fastproxy", "typed_config": {**type_urls, "value": switches}}
    return [ROUTER] if IS_ENVOY else [ours, ROUTER]


def socket_address(port: int, host: str = "127.0.0.1") -> Json:
    return {"socket_address": {"address": host, "port_value": port}}


def cluster(name: str, ports: Sequence[int], **fields: Any) -> Json:
    """A v3 cluster of hosts on 127.0.0.1."""
    hosts = [{"endpoint": {"address": socket_address(port)}} for port in ports]
    load = {"cluster_name": name, "endpoints": [{"lb_endpoints": hosts}]}
    defaults = {"type": "STATIC", "connect_timeout": "5s", "lb_policy": "ROUND_ROBIN"}
    return {"name": name, **defaults, "load_assignment": load, **fields}


def route(prefix: str, cluster_name: str, **action: Any) -> Json:
    return {"match": {"prefix": prefix}, "route": {"cluster": cluster_name, **action}}


def connection_manager(routes: Sequence[Json], *, domains: Sequence[str] = ("*",), **fields: Any) -> Json:
    virtual_host = {"name": "all", "domains": list(domains), "routes": list(routes)}
    return {
        "@type": f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "ingress_http",
        "route_config": {"name": "local_route", "virtual_hosts": [virtual_host]},
        "http_filters": [ROUTER],
        **fields,
    }


def bootstrap(port: int, admin_port: int, manager: Json, clusters: Sequence[Json]) -> Json:
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    listener = {"name": "main", "address": socket_address(port), "filter_chains": [{"filters": filters}]}
    resources = {"listeners": [listener], "clusters": list(clusters)}
    return {"admin": {"address": socket_address(admin_port)}, "static_resources": resources}


def ports_of(configuration: Json) -> tuple[int, int]:
    """Those of the first listener and of the admin, of a file of either dialect."""
    if "listeners" in configuration:  # v1: URLs
        urls = configuration["listeners"][0]["address"], configuration["admin"]["address"]
        return int(urls[0].rpartition(":")[2]), int(urls[1].rpartition(":")[2])
    addresses = configuration["static_resources"]["listeners"][0]["address"], configuration["admin"]["address"]
    return addresses[0]["socket_address"]["port_value"], addresses[1]["socket_address"]["port_value"]


def command(file: Path, concurrency: int) -> list[str]:
    """How the proxy under test is started on a configuration file."""
    if IS_ENVOY:
        return envoy_command(file, concurrency)
    return [sys.executable, "-m", "fastproxy", "-c", str(file), "--concurrency", str(concurrency)]


def envoy_command(file: Path, concurrency: int) -> list[str]:
    """How the real Envoy is started on a configuration file."""
    envoy = shutil.which("envoy", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert envoy, "there is no envoy to test against"
    program = ["env", "-u", "LD_PRELOAD", envoy]  # no sanitizer before it: it has an allocator of its own
    arguments = ["-c", str(file), "--concurrency", str(concurrency)]
    return [*program, *arguments, "--disable-hot-restart", "--log-level", "error", "--file-flush-interval-msec", "50"]


@contextlib.contextmanager
def envoy_beside(configuration: Json, folder: Path) -> Iterator[tuple[int, int]]:
    """The ports of a real Envoy that runs the same file as a proxy, and of its admin."""
    configuration = copy.deepcopy(configuration)
    port, admin_port = processes.free_ports(2)
    configuration["admin"]["address"]["socket_address"]["port_value"] = admin_port
    configuration["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] = port
    file = folder / "envoy.json"
    file.write_text(json.dumps(configuration))
    started = processes.start(envoy_command(file, 1), output_path=folder / "output.txt", ports=[port, admin_port])
    started.wait_listening([port, admin_port])
    yield port, admin_port
    started.end()


def ask_admin(port: int, path: str) -> tuple[int, str]:
    """Status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=processes.PATIENCE_S)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def is_ready(admin_port: int) -> bool:
    """Whether all its workers serve: it listens before they do."""
    with contextlib.suppress(OSError):
        return ask_admin(admin_port, "/ready")[0] == 200
    return False


class Proxy:
    """A running proxy: its ports, its processes, its statistics."""

    def __init__(
        self, configuration: Json, folder: Path, concurrency: int = 1, around: Callable[[list[str]], list[str]] = list
    ) -> None:
        """`around` may change the command line by which it is started."""
        self.configuration = configuration
        self.file = file = folder / "proxy.json"
        file.write_text(json.dumps(configuration, indent=1))
        self.port, self.admin_port = ports_of(configuration)
        ports = [self.port, self.admin_port]
        self.process = processes.start(
            around(command(file, concurrency)), output_path=folder / "output.txt", ports=ports
        )
        processes.wait_until(self.is_ready, lambda: f"{UNDER_TEST} is ready: {self.process.output}")
        if not IS_ENVOY:
            processes.wait_until(lambda: len(self.pids()) == 1 + concurrency, "a supervisor and its workers")
        processes.rest(self.pids())
        self.idle_sockets = self.sockets()
        self.crew = set(self.pids())

    def hang_up(self) -> bool:
        """Have it read its file again; whether the file is in use now."""
        names = [f"server.config_reload_{outcome}" for outcome in ("success", "failure")]
        before = self.stats()
        self.process.send_signal(signal.SIGHUP)

        def outcomes() -> list[int]:
            now = self.stats()
            return [now[name] - before[name] for name in names]

        processes.wait_until(lambda: any(outcomes()), lambda: f"the reload ends: {self.process.output}")
        return outcomes()[0] == 1

    def reload(self, configuration: Json) -> None:
        """Go on with another configuration."""
        self.file.write_text(json.dumps(configuration, indent=1))
        assert self.hang_up(), self.process.output
        self.configuration = configuration

    def is_ready(self) -> bool:
        return is_ready(self.admin_port)

    def admin(self, path: str) -> tuple[int, str]:
        """Status and body, asked for and told when the proxy has nothing left to do.

        A worker counts a request, its bytes and its status before it sends the answer; that the exchange is over, how
        the host did and what is idle it counts when the bytes are out, and so does Envoy. Who has seen the answer is a
        moment too early, but a worker that rests has counted all that came out of it. And what the supervisor says it
        has told its workers before, who have heard it when they rest: of a reload, of hosts, of their health.
        Not ordered is what comes *to* the proxy (a client that leaves, a check's answer, what a worker tells its
        supervisor, a line for a log): wait for that.
        """
        pids = self.pids()
        processes.rest(pids)
        answer = ask_admin(self.admin_port, path)
        processes.rest(pids)
        return answer

    def stats(self) -> dict[str, int]:
        """Counters and gauges by name; histograms and text are left out. For the order see `admin`."""
        pairs = (line.rpartition(": ") for line in self.admin("/stats")[1].splitlines())
        return {name: int(value) for name, _, value in pairs if value.isdigit()}

    def busy_gauges(self) -> dict[str, int]:
        """What is still under way: every gauge of the data plane that is not zero."""
        return {name: value for name, value in self.stats().items() if value and _GAUGE.fullmatch(name)}

    def pids(self) -> list[int]:
        return processes.group_members(self.process.pid)

    def sockets(self) -> int:
        """Socket descriptors that all its processes hold."""
        return sum(len(processes.socket_inodes(pid)) for pid in self.pids())

    def pss_kib(self) -> int:
        """Proportional set size of all its processes (proc(5), smaps_rollup)."""
        return sum(_pss_kib(pid) for pid in self.pids())

    def connect(self, *, source: str = "127.0.0.1", receive_buffer: int = 0) -> Peer:
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.bind((source, 0))
        connection.settimeout(processes.PATIENCE_S)
        connection.connect(("127.0.0.1", self.port))
        return Peer(connection)

    def replace_workers(self) -> None:
        """Kill all workers; their successors serve afterwards."""
        before = self.crew - {self.process.pid}
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        processes.wait_until(lambda: len({*self.pids()} - before) == len(self.crew), "a successor of each worker")
        self.crew = set(self.pids())
        successors = self.crew - {self.process.pid}
        processes.wait_until(lambda: all(map(processes.has_event_loop, successors)), "what the dead held is given up")

    def stop(self) -> None:
        self.process.end()


def _pss_kib(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("Pss:")))


@dataclass
class World:
    """A proxy with its nodes; clients made here are closed after the test."""

    proxy: Proxy
    nodes: Sequence[Node]
    clients: list[Peer] = field(default_factory=list)

    @property
    def node(self) -> Node:
        """The only node."""
        (node,) = self.nodes
        return node

    def client(self, **how: Any) -> Peer:
        client = self.proxy.connect(**how)
        self.clients.append(client)
        return client

    def settle(self) -> None:
        """Hang up at both ends and wait until nothing of it is left in the proxy."""
        for client in self.clients:
            client.close()
        self.clients.clear()
        self.assert_unharmed()
        processes.wait_until(self._is_quiet, lambda: f"zero gauges: {self.proxy.busy_gauges()}")
        processes.wait_until(
            lambda: self.proxy.sockets() <= self.proxy.idle_sockets,
            lambda: f"{self.proxy.sockets()} sockets, {self.proxy.idle_sockets} when idle",
        )
        self._hang_up()  # what came last of all: a request that was sent again, of a client that had left

    def assert_unharmed(self) -> None:
        """No process of the proxy has died and been replaced behind the test's back."""
        crew, self.proxy.crew = self.proxy.crew, set(self.proxy.pids())
        assert self.proxy.crew == crew, self.proxy.process.output

    def _is_quiet(self) -> bool:
        self._hang_up()
        return not self.proxy.busy_gauges()

    def _hang_up(self) -> None:
        for node in self.nodes:
            node.hang_up()


class Worlds:
    """Starts worlds and ends them all."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._ends = contextlib.ExitStack()
        self.live: list[World] = []

    def start(
        self,
        *,
        nodes: int | Sequence[Node] = 1,
        action: Mapping[str, Any] | None = None,
        cluster_fields: Mapping[str, Any] | None = None,
        routes: Sequence[Json] = (),
        clusters: Sequence[Json] = (),
        concurrency: int = 1,
        prefix: str = "/",
        **manager: Any,
    ) -> World:
        """A proxy whose route `prefix` leads to the cluster `backend` of the nodes; `routes` come before that one.

        `action` are fields of that route, `cluster_fields` of that cluster, `manager` of the connection manager.
        """
        hosts = [Node() for _ in range(nodes)] if isinstance(nodes, int) else nodes
        backend = cluster("backend", [node.port for node in hosts], **(cluster_fields or {}))
        manager.setdefault("upgrade_configs", WEBSOCKET)
        all_routes = [*routes, route(prefix, "backend", **(action or {}))]
        return self.run(connection_manager(all_routes, **manager), [backend, *clusters], hosts, concurrency)

    def run(self, manager: Json, clusters: Sequence[Json], nodes: Sequence[Node], concurrency: int = 1) -> World:
        port, admin_port = processes.free_ports(2)
        return self.run_file(bootstrap(port, admin_port, manager, clusters), nodes, concurrency)

    def run_file(
        self,
        configuration: Json,
        nodes: Sequence[Node],
        concurrency: int = 1,
        around: Callable[[list[str]], list[str]] = list,
    ) -> World:
        for node in nodes:
            self._ends.callback(node.close)
        proxy = Proxy(configuration, self._folder(), concurrency, around)
        self._ends.callback(proxy.stop)
        self.live.append(World(proxy, nodes))
        return self.live[-1]

    def end(self) -> None:
        for client in [client for world in self.live for client in world.clients]:
            client.close()
        self.live.clear()
        self._ends.close()


def query(target: bytes) -> dict[str, list[str]]:
    return urllib.parse.parse_qs(urllib.parse.urlsplit(target.decode()).query)
