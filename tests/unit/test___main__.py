"""`python -m fastproxy`, whole: the command, the real data plane, one node."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import fastproxy
from tests.support import processes
from tests.support.processes import ROOT, free_ports, wait_until
from tests.unit.test_cli import v1

COMMAND = [sys.executable, "-m", "fastproxy"]
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def test_version():
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True)
    assert done.stdout == f"fastproxy {fastproxy.__version__}\n"


@pytest.fixture
def node() -> Iterator[int]:
    """The port of a node that answers every request with its own port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        threading.Thread(target=serve, args=[listening], daemon=True).start()
        yield port
        listening.shutdown(socket.SHUT_RDWR)


def serve(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=answer, args=[connection], daemon=True).start()


def answer(connection: socket.socket) -> None:
    with connection:
        while connection.recv(65536):
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")


class Running:
    """`fastproxy` in front of one node; `shell` is what a shell does with the command."""

    def __init__(self, folder: Path, node_port: int, *arguments: str, shell: str = 'exec "$@"') -> None:
        self.port, self.admin_port = free_ports(2)
        contents = v1([self.port, self.admin_port])
        contents["cluster_manager"]["clusters"][0]["hosts"] = [{"url": f"tcp://127.0.0.1:{node_port}"}]
        path = folder / "envoy.json"
        path.write_text(json.dumps(contents))
        self.process = processes.start(
            ["sh", "-c", shell, "sh", *COMMAND, "-c", str(path), *arguments],
            output_path=folder / "output.txt",
            ports=[self.port, self.admin_port],
        )
        wait_until(self.is_ready, lambda: f"it is ready: {self.process.output}")

    def is_ready(self) -> bool:
        with closing(http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=30)) as connection:
            connection.request("GET", "/ready")
            return connection.getresponse().status == 200

    def pss_kib(self) -> int:
        pids = processes.group_members(self.process.pid)
        texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
        return sum(int(found[1]) for text in texts if (found := re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)))

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)


@pytest.fixture
def running(tmp_path, node) -> Iterator[Running]:
    proxy = Running(tmp_path, node, "--concurrency", "2")
    yield proxy
    proxy.process.kill()


def exchange(connection: socket.socket) -> bytes:
    """One request; the whole response, which ends with the node's five bytes."""
    connection.sendall(REQUEST)
    response = b""
    while not response.endswith(b"\r\n\r\nhello"):
        data = connection.recv(65536)
        assert data, response
        response += data
    return response


def test_it_proxies_and_ends_in_order(running, record_property):
    with running.connect() as client:
        assert exchange(client).startswith(b"HTTP/1.1 200 OK\r\n")
        record_property("pss_kib", running.pss_kib())
        assert running.process.end(signal.SIGTERM) == 0
        assert client.recv(1) == b""
    assert not processes.group_members(running.process.pid)


def test_a_killed_worker_costs_nobody_else_a_connection(running):
    clients = [running.connect() for _ in range(40)]
    for client in clients:
        exchange(client)
    killed, survivor = running.process.children()
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: len(set(running.process.children()) - {killed}) == 2, "the worker is replaced")
    assert survivor in running.process.children()
    alive = [client for client in clients if survives(client)]
    assert 0 < len(alive) < len(clients)
    for client in clients:
        client.close()
    with running.connect() as fresh:
        exchange(fresh)


def survives(client: socket.socket) -> bool:
    try:
        exchange(client)
    except (ConnectionError, AssertionError):
        return False
    return True


def test_a_killed_supervisor_leaves_no_process(running):
    with running.connect() as client:
        exchange(client)
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait()
        wait_until(lambda: not processes.group_members(running.process.pid), "no process is left")
        assert client.recv(1) == b""


def test_missing_standard_streams_are_no_sockets(tmp_path, node):
    """A service manager may start it without them; the next descriptors opened would take their numbers."""
    proxy = Running(tmp_path, node, "--concurrency", "1", shell='exec "$@" <&- >&- 2>&-')
    try:
        for pid in processes.group_members(proxy.process.pid):
            assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)} == {os.devnull}
        with proxy.connect() as client:
            exchange(client)
    finally:
        proxy.process.kill()
