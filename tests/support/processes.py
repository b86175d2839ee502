"""Processes of a test: start one, wait until it listens, end it with all its children.

A process leads a process group of its own, so that its children are known even after it died. Whether it listens
is read from the kernel's tables, not tried by connecting: a connection would show up in counters and logs.
"""

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from tests.support.socket_tables import listeners

ROOT = Path(__file__).resolve().parents[2]
POLL_INTERVAL_S = 0.01
PATIENCE_S = 30.0  # for something that must happen; reached only by a failing test, however busy the machine is
START_S = 60.0  # the same, for a program to start and to listen
MAX_RESERVED = 200
T = TypeVar("T")
_running: set["Process"] = set()
_reserved: list[socket.socket] = []


def free_ports(count: int) -> list[int]:
    """So many different ports that nothing listens on, at any IPv4 address, kept from everybody who does not name them.

    They stay bound here: between choice and use the kernel would else lend them to any outgoing connection. Servers can
    listen on them all the same, since they set SO_REUSEADDR, and a bound socket that does not listen lets them.
    """
    ports = []
    for _ in range(count):
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("0.0.0.0", 0))
        ports.append(held.getsockname()[1])
        _reserved.append(held)
    while len(_reserved) > MAX_RESERVED:
        _reserved.pop(0).close()
    return ports


def free_port() -> int:
    return free_ports(1)[0]


def wait_until(condition: Callable[[], object], what: str | Callable[[], str], timeout_s: float = PATIENCE_S) -> None:
    """Return as soon as `condition` holds; AssertionError naming `what` when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what if isinstance(what, str) else what()}")
        time.sleep(POLL_INTERVAL_S)


def eventually_equal(ours: Callable[[], T], beside: Callable[[], T], timeout_s: float = PATIENCE_S) -> T:
    """What two sides that count on their own tell, once both tell the same; AssertionError with the difference when
    they do not in time. For a side that counts after its client has seen the answer: the real Envoy does."""
    deadline = time.monotonic() + timeout_s
    while (found := ours()) != (expected := beside()) and time.monotonic() < deadline:
        time.sleep(POLL_INTERVAL_S)
    assert found == expected
    return found


def is_alive(pid: int) -> bool:
    """Whether that process runs; a zombie does not."""
    fields = _stat(pid)
    return fields is not None and fields[0] != "Z"


def is_at_rest(pid: int) -> bool:
    """Whether no thread of that process runs, or would if it had a CPU: it waits for something, or is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return all((f := _stat(f"{pid}/task/{task}")) is None or f[0] not in "RD" for task in _tasks(pid))
    return True


def rest(pids: Iterable[int]) -> None:
    """Have each of these processes come to an end with what it does; for a second at most, as some never do."""
    deadline = time.monotonic() + 1
    for pid in pids:
        while not is_at_rest(pid) and time.monotonic() < deadline:
            time.sleep(0.0005)


def children(pid: int) -> list[int]:
    """Live direct children, oldest first."""
    return sorted(each for each in _pids() if (f := _stat(each)) and f[0] != "Z" and int(f[1]) == pid)


def descendants(pid: int) -> list[int]:
    """Live children, their children, and so on."""
    found = children(pid)
    for each in found:
        found += children(each)
    return found


def group_members(group: int) -> list[int]:
    """Live processes of a process group."""
    return [each for each in _pids() if _group(each) == group and is_alive(each)]


def socket_inodes(pid: int) -> list[int]:
    """Of the sockets that a process holds, one for each descriptor; nothing when it is gone."""
    return [int(link[len("socket:[") : -1]) for link in _descriptors(pid) if link.startswith("socket:[")]


def has_event_loop(pid: int) -> bool:
    """Whether a worker has come as far as its engine: it begins with an epoll that is the supervisor's."""
    return _descriptors(pid).count("anon_inode:[eventpoll]") >= 2


def _descriptors(pid: int) -> list[str]:
    """What the descriptors of a process are."""
    links = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                links.append(os.readlink(entry.path))
    return links


def listening_ports(pids: Iterable[int]) -> set[int]:
    """TCP ports on which at least one of these processes holds a listening socket."""
    held = {inode for pid in pids for inode in socket_inodes(pid)}
    return {port for inode, port in listeners() if inode in held}


class Process:
    """One started process; use `start`. Equality is identity."""

    def __init__(self, argv: Sequence[str], output_path: Path, env: Mapping[str, str], cwd: Path) -> None:
        self.argv = list(argv)
        self.output_path = output_path
        with output_path.open("wb") as output:
            self._popen = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )
        _running.add(self)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """Exit status, minus the signal that ended it, or None while it runs."""
        return self._popen.poll()

    @property
    def output(self) -> str:
        """Everything that it and its children have written to stdout and stderr so far."""
        return self.output_path.read_text(errors="replace")

    def children(self) -> list[int]:
        return children(self.pid)

    def wait_listening(self, ports: Iterable[int], timeout_s: float = START_S) -> None:
        """Return when the process or its children listen on all these ports; AssertionError if it ends before."""
        wanted = set(ports)

        def listens() -> bool:
            if self.returncode is not None:
                raise AssertionError(f"{self.argv} ended with {self.returncode}:\n{self.output}")
            return wanted <= listening_ports(group_members(self.pid))

        wait_until(listens, lambda: f"{self.argv} listens on {sorted(wanted)}:\n{self.output}", timeout_s)

    def wait_output(self, text: str, timeout_s: float = PATIENCE_S) -> None:
        wait_until(lambda: text in self.output, lambda: f"{text!r} in the output:\n{self.output}", timeout_s)

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        """The exit status, once the process has ended by itself; subprocess.TimeoutExpired if it does not."""
        return self._popen.wait(timeout_s)

    def send_signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def end(self, number: int = signal.SIGTERM, timeout_s: float = PATIENCE_S) -> int:
        """Ask it to end, wait for that, and kill whatever is left of its group. Returns its exit status.

        Harmless on a process that has ended. AssertionError if it would not go by itself.
        """
        try:
            self._popen.send_signal(number)
            status = self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.argv} did not end within {timeout_s} s:\n{self.output}") from None
        self.kill()
        return status

    def kill(self) -> None:
        """SIGKILL to the whole group, and to descendants in groups of their own; returns when none of them is left."""
        pids = {*group_members(self.pid), *descendants(self.pid)}
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._popen.wait(PATIENCE_S)
        wait_until(lambda: not any(map(is_alive, pids)), f"group {self.pid} is gone")
        _running.discard(self)


def start(
    argv: Sequence[str],
    *,
    output_path: Path,
    ports: Iterable[int] = (),
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    timeout_s: float = START_S,
) -> Process:
    """Start a process in `cwd` and return when it listens on all `ports`.

    `env` is added to the environment. AssertionError, with the output, if it ends or does not listen in time.
    """
    process = Process(argv, output_path, {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}, cwd)
    try:
        process.wait_listening(ports, timeout_s)
    except BaseException:
        process.kill()
        raise
    return process


def run(argv: Sequence[str], *, output_path: Path, timeout_s: float) -> str:
    """Run a program to its end and return its output, stdout and stderr in one.

    AssertionError, with the output, when it fails or takes longer; nothing that it started is left then.
    """
    process = start(argv, output_path=output_path)
    try:
        status: int | None = process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        status = None
    finally:
        process.kill()
    assert status == 0, f"{process.argv} ended with {status} (None: not in {timeout_s} s):\n{process.output}"
    return process.output


@atexit.register
def _leave_nothing() -> None:
    for process in list(_running):
        process.kill()
    for held in _reserved:
        held.close()


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _group(pid: int) -> int | None:
    """The process group of a process; None when it is gone."""
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def _tasks(pid: int) -> list[str]:
    """The threads of a process."""
    return os.listdir(f"/proc/{pid}/task")


def _stat(pid: int | str) -> list[str] | None:
    """Fields of /proc/<pid>/stat behind the name: state, parent, group, ... (proc(5)); None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text[text.rindex(")") + 2 :].split()
