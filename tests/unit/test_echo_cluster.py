"""Echo nodes as processes: each on its port, all ended together, none left behind."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from echo import cluster
from tests.support import processes


@pytest.fixture
def ports() -> list[int]:
    return processes.free_ports(3)


@pytest.fixture
def nodes(ports: list[int], tmp_path: Path) -> Iterator[processes.Process]:
    """A running cluster."""
    where = ",".join(map(str, ports))
    command = [sys.executable, "-m", "echo", "--cluster", where]
    running = processes.start(command, output_path=tmp_path / "output.txt", ports=ports)
    yield running
    running.kill()


def test_one_process_per_port(nodes, ports):
    pids = nodes.children()
    assert [processes.listening_ports([pid]) for pid in pids] == [{port} for port in ports]
    assert processes.listening_ports([nodes.pid]) == set()
    told = [f"node#{pid} on http://127.0.0.1:{port}/" for pid, port in zip(pids, ports, strict=True)]
    assert nodes.output.splitlines() == told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all(nodes, number):
    pids = nodes.children()
    assert nodes.end(number) == 0
    assert not any(map(processes.is_alive, pids))
    assert "Traceback" not in nodes.output


def test_ctrl_c_reaches_the_whole_group(nodes):
    """A terminal sends it to parent and nodes at once."""
    os.killpg(nodes.pid, signal.SIGINT)
    assert nodes.wait() == 0
    assert processes.group_members(nodes.pid) == []
    assert "Traceback" not in nodes.output


def test_nodes_die_with_their_parent(nodes):
    pids = nodes.children()
    nodes.send_signal(signal.SIGKILL)
    processes.wait_until(lambda: not any(map(processes.is_alive, pids)), "all nodes have ended")


def test_a_dead_node_is_told_and_its_port_refuses(nodes, ports):
    pids = nodes.children()
    os.kill(pids[1], signal.SIGKILL)
    nodes.wait_output(f"node#{pids[1]} on 127.0.0.1:{ports[1]} ended (SIGKILL)")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", ports[1]), timeout=5)
    assert nodes.children() == [pids[0], pids[2]]


def test_the_last_node_ends_the_cluster(nodes):
    for pid in nodes.children():
        os.kill(pid, signal.SIGKILL)
    assert nodes.wait() == 1


def test_a_port_in_use_is_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        free = processes.free_port()
        command = [sys.executable, "-m", "echo", "--cluster", f"{free},{port}"]
        started = processes.Process(command, tmp_path / "output.txt", os.environ, processes.ROOT)
        assert started.wait() == 1
        started.kill()
    assert started.output == f"echo: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_failed_bind_leaves_no_socket_open():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = processes.free_port()
        with pytest.raises(OSError, match="in use"):
            cluster.bind_all([("127.0.0.1", free), taken.getsockname()])
    cluster.bind(("127.0.0.1", free)).close()


def test_bind_takes_ipv6():
    with cluster.bind(("::1", processes.free_port())) as bound:
        assert bound.family == socket.AF_INET6


@pytest.mark.parametrize(("code", "text"), [(-signal.SIGKILL, "SIGKILL"), (3, "status 3")])
def test_how_a_node_ended(code, text):
    assert cluster.describe(code) == text
