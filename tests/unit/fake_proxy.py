"""A real supervisor with real workers around an engine of a few lines, run as a process of its own by the tests.

The engine answers lines: `pid` with its process id, `busy` begins an exchange and `done` ends it, `gauge` adds one
to every gauge of its worker and one to every other counter, `hosts` tells the host sets that it was given, `fds` its
open descriptors, `events` what it was told to do, `die` ends the process; anything else comes back as it is.
"""

import argparse
import os
import select
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from fastproxy import cli, limits, logs
from fastproxy.errors import FastproxyError
from fastproxy.loader import Loaded
from fastproxy.model import (
    Address,
    Admin,
    Cluster,
    ClusterType,
    Configuration,
    Host,
    HttpConnectionManager,
    Listener,
    RouteConfiguration,
)
from fastproxy.model_codec import Codec
from fastproxy.options import Options
from fastproxy.stats import StatsLayout
from fastproxy.supervisor import Supervisor
from fastproxy.worker import Assignment

CODEC = Codec(Configuration)


class FakeEngine:
    def __init__(self, given: Assignment) -> None:
        self._row, self._slots = given.row, given.layout.slots
        self._hosts = {cluster.name: cluster.hosts for cluster in given.configuration.clusters}
        self._found: dict[str, dict[str, int]] = {}
        self._epoll = select.epoll()
        self._listening: dict[int, socket.socket] = {}
        self._numbers: dict[int, int] = {}
        self._connections: dict[int, socket.socket] = {}
        self._busy: set[int] = set()
        self._events: list[str] = []

    @property
    def exchanges(self) -> int:
        return len(self._busy)

    @property
    def active(self) -> int:
        return len(self._connections)

    def fileno(self) -> int:
        return self._epoll.fileno()

    def listen(self, fd: int, listener_index: int, number: int | None = None) -> None:
        own = os.dup(fd)
        self._listening[own] = socket.socket(fileno=own)
        self._numbers[number or 0] = own
        self._epoll.register(own, select.EPOLLIN)

    def prepare(self, configuration: Configuration, layout: StatsLayout) -> None:
        if any(cluster.name == "refused by workers" for cluster in configuration.clusters):
            raise FastproxyError("this configuration cannot be made ready")
        self._pending = configuration, layout

    def abandon(self) -> None:
        self._say("abandon")

    def commit(self, listeners: Mapping[int, int]) -> None:
        configuration, layout = self._pending
        self._hosts = {cluster.name: cluster.hosts for cluster in configuration.clusters}
        self._slots = layout.slots
        for number in set(self._numbers) - set(listeners):
            self._stop(self._numbers.pop(number))
        self._say("commit")

    def heed(self, fd: int) -> None:
        pass  # it never stays away for long

    def work(self) -> None:
        for fd, _ in self._epoll.poll(0):
            if fd in self._listening:
                self._accept(self._listening[fd])
            else:
                self._read(self._connections[fd])

    def stop_listening(self) -> None:
        for fd in list(self._listening):
            self._stop(fd)

    def _stop(self, fd: int) -> None:
        self._epoll.unregister(fd)
        self._listening.pop(fd).close()

    def set_hosts(self, cluster_name: str, hosts: tuple[Host, ...]) -> None:
        self._hosts[cluster_name] = hosts

    def set_health(self, cluster_name: str, found: Mapping[str, int]) -> None:
        self._found[cluster_name] = dict(found)

    def report_failures(self, report: Callable[[str, str, str], None]) -> None:
        self._report = report

    def drain(self) -> None:
        self._say("drain")

    def flush_logs(self) -> None:
        pass

    def sweep(self) -> None:
        pass

    def reopen_logs(self) -> None:
        self._say("reopen")

    def close(self) -> None:
        self._say("close")
        for connection in self._connections.values():
            connection.close()

    def _accept(self, listening: socket.socket) -> None:
        try:
            connection, _ = listening.accept()
        except BlockingIOError:
            return
        connection.setblocking(False)
        self._connections[connection.fileno()] = connection
        self._epoll.register(connection, select.EPOLLIN)

    def _read(self, connection: socket.socket) -> None:
        data = connection.recv(65536)
        if not data:
            self._busy.discard(connection.fileno())
            del self._connections[connection.fileno()]
            connection.close()
            return
        for line in data.decode().splitlines():
            connection.sendall(f"{self._answer(connection.fileno(), line)}\n".encode())

    def _answer(self, fd: int, line: str) -> str:
        match line:
            case "pid":
                return str(os.getpid())
            case "busy":
                self._busy.add(fd)
            case "done":
                self._busy.discard(fd)
            case "gauge":
                for slot in range(self._slots):
                    self._row[slot] += 1
            case "hosts":
                return repr({name: [str(h.address) for h in hosts] for name, hosts in self._hosts.items()})
            case "health":
                return repr(self._found)
            case "failing":
                self._report("nodes", "127.0.0.1:8002", "consecutive_5xx")
            case "fds":
                return repr(sorted(filter(None, map(link, os.listdir("/proc/self/fd")))))
            case "events":
                return " ".join(self._events)
            case "die":
                os._exit(7)
        return line

    def _say(self, event: str) -> None:
        self._events.append(event)
        os.write(2, f"engine {os.getpid()}: {event}\n".encode())


def build(given: Assignment) -> FakeEngine:
    if os.environ.get("FAKE_PROXY_FAILS"):
        raise FastproxyError("the data plane cannot be built")
    return FakeEngine(given)


def configuration(port: int, names: list[str]) -> Configuration:
    manager = HttpConnectionManager("ingress", RouteConfiguration(()))
    static = Cluster("nodes", hosts=(Host(Address("127.0.0.1", 8002)), Host(Address("127.0.0.1", 8003))))
    dns = [
        Cluster(f"dns {name}", ClusterType.STRICT_DNS, hosts=(Host(Address(name, 80)),), dns_refresh_rate_s=0.05)
        for name in names
    ]
    return Configuration(
        (Listener("main", Address("127.0.0.1", port), manager),),
        (static, *dns),
        Admin(Address("127.0.0.1", 0)),
        session_table_slots=1 << 10,
    )


def load(file: str) -> Loaded:
    """A configuration that a test has written with CODEC, or FastproxyError with the text that it wrote instead."""
    data = Path(file).read_bytes()
    if not data.startswith(b"{"):
        raise FastproxyError(data.decode())
    return Loaded(CODEC.decode(data), ("a warning of the file",))


def link(fd: str) -> str:
    """What a descriptor stands for; nothing for the one that the listing itself had open."""
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except FileNotFoundError:
        return ""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--concurrency", type=int, default=1)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--grace", type=float, default=3.0)
    parser.add_argument("--dns", action="append", default=[])
    parser.add_argument("--file", default="")
    given = parser.parse_args()
    logs.configure("debug")
    options = Options("fake.json", given.concurrency, shutdown_grace_s=given.grace)
    try:
        supervisor = Supervisor(options, configuration(given.port, given.dns), build, lambda: load(given.file))
    except FastproxyError as error:
        print(error, file=sys.stderr)
        return 1
    cli.show_banner(supervisor, options, limits.raise_file_limit())
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
