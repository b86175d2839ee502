"""The load test itself against the echo cluster: it passes where sessions stay, and fails where they do not."""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import Process, free_ports, wait_until
from tests.support.source_tree import ROOT

LOCUST_TIMEOUT_S = 140
LONGER = 5  # times, when a busy machine was too slow for what is to be seen
KINDS = ["polling", "websocket", "upgrade", "websocket-first"]
CHUNK_BYTES = 65536

pytestmark = pytest.mark.timeout(300)

Table = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory) -> Iterator[list[int]]:
    """Ports of two echo nodes."""
    ports = free_ports(2)
    output = tmp_path_factory.mktemp("echo") / "output"
    command = [sys.executable, "-m", "echo", "--cluster", ",".join(map(str, ports))]
    process = Process(command, output, os.environ, ROOT)
    process.wait_listening(ports)
    yield ports
    process.end()


class Splitter:
    """A front that gives each new connection to the next node, whoever it is from: what a load test has to notice."""

    def __init__(self, ports: list[int]) -> None:
        self._targets = cycle(ports)
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._is_closed = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def _accept(self) -> None:
        while not self._is_closed.is_set():
            if select.select([self._listening], [], [], 0.1)[0]:
                downstream, _ = self._listening.accept()
                upstream = socket.create_connection(("127.0.0.1", next(self._targets)))
                thread = threading.Thread(target=self._relay, args=(downstream, upstream))
                self._threads.append(thread)
                thread.start()

    def _relay(self, downstream: socket.socket, upstream: socket.socket) -> None:
        other = {downstream: upstream, upstream: downstream}
        with downstream, upstream, contextlib.suppress(OSError):
            while not self._is_closed.is_set():
                for ready in select.select(list(other), [], [], 0.1)[0]:
                    if not (chunk := ready.recv(CHUNK_BYTES)):
                        return
                    other[ready].sendall(chunk)

    def close(self) -> None:
        self._is_closed.set()
        for thread in self._threads:
            thread.join()
        self._listening.close()


@pytest.fixture
def unsticky(nodes) -> Iterator[int]:
    splitter = Splitter(nodes)
    yield splitter.port
    splitter.close()


def locust(folder: Path, port: int, *options: str) -> tuple[int, str, Table]:
    """Exit status, output and table of one headless run."""
    command = [
        *(sys.executable, "-m", "locust", "-f", "loadtest/socketio.py", "--headless", "--skip-log-setup"),
        *("--host", f"http://127.0.0.1:{port}", "--users", "8", "--spawn-rate", "8"),
        *("--session-idle", "0.1", "--session-messages", "2", "--json-file", str(folder / "run")),
        *options,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LOCUST_TIMEOUT_S)
    rows = json.loads((folder / "run.json").read_text())
    table = {(row["method"], row["name"]): row for row in rows}
    return done.returncode, done.stdout + done.stderr, table


def count(table: Table, kind: str, name: str) -> int:
    row = table.get((kind, name))
    return int(row["num_requests"]) if row else 0


def failures(table: Table, kind: str, name: str) -> int:
    row = table.get((kind, name))
    return int(row["num_failures"]) if row else 0


STICKINESS = ("stickiness", "one node per session")


def locust_until(
    seen: Callable[[Table], bool], folder: Path, port: int, run_s: int, *options: str
) -> tuple[int, str, Table]:
    """A run in which that is to be seen: run again for longer when it is not."""
    ran = locust(folder, port, "--run-time", f"{run_s}s", *options)
    return ran if seen(ran[2]) else locust(folder, port, "--run-time", f"{LONGER * run_s}s", *options)


def has_sessions(table: Table) -> bool:
    """Some came to their end."""
    return count(table, *STICKINESS) > 0


def has_split_sessions(table: Table) -> bool:
    return failures(table, *STICKINESS) > 0


def is_whole(table: Table) -> bool:
    """Sessions of every kind have gone through every step."""
    steps = [(step, kind) for kind in KINDS for step in ("connect", "message", "ack", "session", "reconnect")]
    return all(count(table, *each) for each in (*steps, ("upgrade", "upgrade"), STICKINESS))


def test_a_clean_run(nodes, tmp_path):
    """Against one node every kind of session is whole, every entry is there, and the exit status is 0."""
    options = ("--referer", "--answer-timeout", "30")
    status, output, table = locust_until(is_whole, tmp_path, nodes[0], 8, *options)
    assert status == 0, output
    assert [row for row in table if failures(table, *row)] == []
    assert is_whole(table), table


@pytest.mark.parametrize("kind", ["polling", "upgrade"])
def test_a_front_that_is_not_sticky(unsticky, tmp_path, kind):
    """A session that is served by two nodes is a failure of stickiness, and of the run."""

    def is_seen(table: Table) -> bool:
        return has_split_sessions(table) and (kind == "upgrade" or failures(table, "lost", "session unknown") > 0)

    status, output, table = locust_until(is_seen, tmp_path, unsticky, 4, "--tags", kind)
    assert status == 2, output
    assert is_seen(table), table
    assert "did not stay on their node" in output


def test_a_nomad_between_nodes_that_share_nothing(nodes, tmp_path):
    """Each of its requests goes to an address drawn by lot; the sessions that this costs are counted by reason."""
    hosts = ",".join(f"http://127.0.0.1:{port}" for port in nodes)
    options = ("--tags", "nomad", "--hosts", hosts, "--session-kinds", "polling", "--talk-every", "0.2")

    def has_lost(table: Table) -> bool:
        return failures(table, "lost", "session unknown") > 0

    status, output, table = locust_until(has_lost, tmp_path, nodes[0], 5, *options)
    assert status == 2, output
    lost = failures(table, "lost", "session unknown")
    assert lost > 0
    assert f"sessions were lost: {lost} session unknown" in output


def test_errors_may_be_forgiven_but_not_lost_sessions(unsticky, tmp_path):
    options = ("--tags", "polling", "--exit-code-on-error", "0")
    status, _, _ = locust_until(has_split_sessions, tmp_path, unsticky, 4, *options)
    assert status == 2


def test_websockets_do_not_mind_such_a_front(unsticky, tmp_path):
    """A session of a single connection cannot leave its node: the test does not cry without reason."""
    status, output, table = locust_until(has_sessions, tmp_path, unsticky, 4, "--tags", "websocket")
    assert status == 0, output
    assert count(table, *STICKINESS) > 0
    assert {name for _, name in table} == {"websocket", STICKINESS[1]}


def test_a_run_without_a_session_is_no_success(tmp_path):
    (port,) = free_ports(1)

    def has_failed(table: Table) -> bool:
        return failures(table, "connect", "polling") > 0

    status, output, table = locust_until(has_failed, tmp_path, port, 2, "--exit-code-on-error", "0")
    assert status == 2
    assert "nothing is known about stickiness" in output
    assert has_failed(table)


def test_the_master_judges_for_its_workers(unsticky, tmp_path):
    options = ("--tags", "polling", "--processes", "2")
    status, output, table = locust_until(has_split_sessions, tmp_path, unsticky, 5, *options)
    assert status == 2, output
    assert has_split_sessions(table)


def test_the_web_page(nodes, tmp_path):
    """Without --headless there is a page, with the load test's own options in its form."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "locust", "-f", "loadtest/socketio.py", "--web-host", "127.0.0.1"]
    command += ["--web-port", str(port), "--host", f"http://127.0.0.1:{nodes[0]}"]
    process = Process(command, tmp_path / "output", os.environ, ROOT)
    try:
        process.wait_listening([port], timeout_s=60)
        page = fetch(port, "/")
        for option in ("session_messages", "session_idle", "answer_timeout", "referer"):
            assert option in page
        fetch(port, "/swarm", "user_count=4&spawn_rate=4&referer=true")
        wait_until(lambda: STICKINESS[1] in fetch(port, "/stats/requests"), "a session in the page's table", 60)
    finally:
        process.end()


def fetch(port: int, path: str, form: str | None = None) -> str:
    data = form.encode() if form else None
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data, timeout=30) as response:
        return str(response.read().decode())
