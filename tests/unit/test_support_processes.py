"""The helper that all end-to-end tests trust with their processes."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.support import processes

LISTEN = "import socket, time; s = socket.create_server(('127.0.0.1', {})); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(60)"
PARENT = (
    "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print('child', child.pid); time.sleep(60)"
)


def python(script: str, tmp_path: Path, **how) -> processes.Process:
    return processes.start([sys.executable, "-c", script], output_path=tmp_path / "output.txt", **how)


def child_of(process: processes.Process) -> int:
    """What the parent says of its child, once the whole line is there."""
    process.wait_output("\n")
    return int(process.output.split()[1])


def test_free_ports_are_different_and_free():
    ports = processes.free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "0.0.0.0"])
def test_a_free_port_is_lent_to_nobody_else(host):
    """Not even to one who asks for just any port, as each outgoing connection does."""
    port = processes.free_port()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((host, port))
    socket.create_server((host, port)).close()


def test_start_returns_when_it_listens(tmp_path):
    port = processes.free_port()
    process = python(LISTEN.format(port), tmp_path, ports=[port])
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    assert processes.listening_ports([process.pid]) == {port}
    assert process.end() == -signal.SIGTERM
    assert not processes.is_alive(process.pid)


def test_both_address_families_and_only_listeners_are_seen():
    with (
        socket.create_server(("127.0.0.1", 0)) as four,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as six,
        socket.create_connection(four.getsockname()) as client,
    ):
        mine = processes.listening_ports([os.getpid()])
        assert {four.getsockname()[1], six.getsockname()[1]} <= mine
        assert client.getsockname()[1] not in mine


def test_another_process_that_listens_there_does_not_count(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as ours, pytest.raises(AssertionError, match="listens on"):
        python("import time; time.sleep(60)", tmp_path, ports=[ours.getsockname()[1]], timeout_s=0.5)
    assert processes.children(os.getpid()) == []


def test_a_process_that_fails_to_start_shows_its_output(tmp_path):
    with pytest.raises(AssertionError, match=r"ended with 3:\nwent wrong"):
        python("import sys; print('went wrong'); sys.exit(3)", tmp_path, ports=[processes.free_port()])


def test_end_takes_the_children_along(tmp_path):
    process = python(PARENT, tmp_path)
    child = child_of(process)
    assert process.children() == [child]
    process.end()
    assert not processes.is_alive(child)


def test_children_of_a_dead_parent_are_ended_too(tmp_path):
    process = python(PARENT, tmp_path)
    child = child_of(process)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert processes.is_alive(child)
    process.kill()
    assert not processes.is_alive(child)


def test_descendants_in_groups_of_their_own_are_ended_too(tmp_path):
    process = python(PARENT.replace("'import time;", "'import os, time; os.setsid();"), tmp_path)
    child = child_of(process)
    processes.wait_until(lambda: child not in processes.group_members(process.pid), "the child has a group of its own")
    process.kill()
    assert not processes.is_alive(child)


@pytest.mark.parametrize(("script", "rests"), [("import time; time.sleep(60)", True), ("while True: pass", False)])
def test_a_process_rests_when_it_waits(tmp_path, script, rests):
    process = python(f"print('ready')\n{script}", tmp_path)
    process.wait_output("ready")
    processes.wait_until(lambda: processes.is_at_rest(process.pid) is rests, "it has come to its last line")
    process.kill()
    assert processes.is_at_rest(process.pid)


def test_run_returns_the_output(tmp_path):
    command = [sys.executable, "-c", "print('done')"]
    assert processes.run(command, output_path=tmp_path / "output.txt", timeout_s=10) == "done\n"


def test_run_of_a_program_that_fails_shows_its_output(tmp_path):
    command = [sys.executable, "-c", "import sys; sys.exit('went wrong')"]
    with pytest.raises(AssertionError, match=r"(?s)ended with 1.*went wrong"):
        processes.run(command, output_path=tmp_path / "output.txt", timeout_s=10)


def test_run_of_a_program_that_takes_too_long_ends_it(tmp_path):
    with pytest.raises(AssertionError, match=r"not in 0\.3 s"):
        processes.run([sys.executable, "-c", "import time; time.sleep(60)"], output_path=tmp_path / "o", timeout_s=0.3)
    assert processes.children(os.getpid()) == []


def test_a_process_that_would_not_end_is_an_error_and_is_killed(tmp_path):
    process = python(STUBBORN, tmp_path)
    process.wait_output("ready")
    with pytest.raises(AssertionError, match="did not end"):
        process.end(timeout_s=0.2)
    assert not processes.is_alive(process.pid)


def test_end_twice_is_harmless(tmp_path):
    process = python("import time; time.sleep(60)", tmp_path)
    assert process.end() == process.end()


def test_wait_until_names_what_did_not_happen():
    with pytest.raises(AssertionError, match="pigs fly"):
        processes.wait_until(lambda: False, "pigs fly", timeout_s=0.05)


def test_eventually_equal_waits_for_the_later_side():
    told = iter([{"a": 1}, {"a": 1, "b": 1}])
    assert processes.eventually_equal(lambda: {"a": 1, "b": 1}, lambda: next(told)) == {"a": 1, "b": 1}


def test_eventually_equal_shows_the_difference():
    with pytest.raises(AssertionError, match=r"(?s)'b': 1.*'b': 2"):
        processes.eventually_equal(lambda: {"b": 1}, lambda: {"b": 2}, timeout_s=0.05)
