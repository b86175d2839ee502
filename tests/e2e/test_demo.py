"""`make run` without make: the demo on free ports, its page through the proxy, and nothing left of it afterwards."""

import json
import os
import signal
import sys
import urllib.request

import pytest

from tests.e2e import stack
from tests.support import processes


@pytest.fixture
def demo(tmp_path):
    """A running demo, and the port of its front."""
    moved = dict(zip(stack.RING.ports, processes.free_ports(len(stack.RING.ports)), strict=True))
    file = tmp_path / "envoy2.json"
    file.write_text(json.dumps(stack.configuration(stack.RING, moved, tmp_path)))
    nodes = ",".join(str(moved[port]) for port in stack.RING.nodes)
    front = moved[stack.RING.listener]
    command = [sys.executable, "-m", "echo.demo", "--cluster", nodes, "--config", str(file)]
    process = processes.start([*command, "--front", f"127.0.0.1:{front}"], output_path=tmp_path / "demo.txt")
    process.wait_output("Ctrl-C ends all of it", 60)
    yield process, front
    process.kill()


def descendants(pid: int) -> set[int]:
    direct = processes.children(pid)
    return set(direct).union(*(descendants(each) for each in direct))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_it(demo, number):
    process, front = demo
    with urllib.request.urlopen(f"http://127.0.0.1:{front}/", timeout=30) as response:
        assert b"<html" in response.read()
    everybody = descendants(process.pid)
    assert len(everybody) >= 6  # the parent of the nodes and three nodes, the supervisor and a worker
    assert process.end(number, timeout_s=60) == 0
    processes.wait_until(lambda: not any(map(processes.is_alive, everybody)), "every process is gone")


def test_no_process_outlives_a_killed_demo(demo):
    process, _ = demo
    everybody = descendants(process.pid)
    process.send_signal(signal.SIGKILL)
    processes.wait_until(lambda: not any(map(processes.is_alive, everybody)), "every process is gone")


def test_a_child_that_dies_ends_it_with_an_error(demo):
    process, _ = demo
    everybody = descendants(process.pid)
    nodes, *_ = processes.children(process.pid)
    os.kill(nodes, signal.SIGKILL)
    assert process.wait(60) == 1
    processes.wait_until(lambda: not any(map(processes.is_alive, everybody)), "every process is gone")


def test_a_port_in_use_is_an_error(demo, tmp_path):
    _, front = demo
    command = [sys.executable, "-m", "echo.demo", "--front", f"127.0.0.1:{front}", "--cluster", "1"]
    second = processes.start(command, output_path=tmp_path / "second.txt")
    assert second.wait(60) == 1
    assert f"in use already: 127.0.0.1:{front}" in second.output
