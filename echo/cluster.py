"""Echo nodes as processes: one per address, all ended together.

The listening sockets are bound before the first fork, so that a port in use is one clear error and nothing has begun.
"""

import contextlib
import ctypes
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence

import uvicorn

from echo.app import build_app

Address = tuple[str, int]

STOP_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
WATCHED_SIGNALS = STOP_SIGNALS | {signal.SIGCHLD}
STOP_TIMEOUT_S = 3.0
PR_SET_PDEATHSIG = 1  # prctl(2)


def bind(address: Address) -> socket.socket:
    """A bound socket, not listening yet. OSError when the address cannot be had."""
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound


def bind_all(addresses: Sequence[Address]) -> list[socket.socket]:
    """Bound sockets for all addresses, or OSError naming the one that failed, and none stays open."""
    with contextlib.ExitStack() as stack:
        sockets = []
        for host, port in addresses:
            try:
                sockets.append(stack.enter_context(bind((host, port))))
            except OSError as error:
                raise OSError(error.errno, f"{host}:{port}: {error.strerror}") from None
        stack.pop_all()
        return sockets


def serve(bound: socket.socket, log_level: str) -> None:
    """Run one node on this socket until SIGINT or SIGTERM. Open long polls do not hold it back."""
    config = uvicorn.Config(
        build_app(),
        log_level=log_level,
        access_log=log_level in ("debug", "info"),
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    _hush_shutdown()
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[bound])


class Cluster:
    """The parent of all nodes. `run` returns when every node has ended."""

    def __init__(self, sockets: Sequence[socket.socket], log_level: str) -> None:
        self._sockets = list(sockets)
        self._log_level = log_level
        self._nodes: dict[int, str] = {}  # pid: address

    def run(self) -> int:
        """Start a node on each socket and look after them. Returns the exit status: 1 if a node died on its own."""
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED_SIGNALS)
        for bound in self._sockets:
            self._fork(bound)
        for bound in self._sockets:
            bound.close()
        status = self._watch()
        self._stop()
        return status

    def _fork(self, bound: socket.socket) -> None:
        parent = os.getpid()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            os._exit(self._run_node(bound, parent))
        host, port = bound.getsockname()[:2]
        self._nodes[pid] = f"{host}:{port}"
        print(f"node#{pid} on http://{host}:{port}/", flush=True)

    def _run_node(self, bound: socket.socket, parent: int) -> int:
        """Life of a child. It keeps no other node's socket: a dead node's port must refuse, not hang."""
        try:
            die_with(parent)
            for other in self._sockets:
                if other is not bound:
                    other.close()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED_SIGNALS)
            serve(bound, self._log_level)
        except BaseException:
            logging.exception("node#%d", os.getpid())
            return 1
        return 0

    def _watch(self) -> int:
        """Until a stop signal or the end of the last node; a dead node is told and not replaced."""
        status = 0
        while self._nodes:
            if signal.sigwait(WATCHED_SIGNALS) in STOP_SIGNALS:
                return 0
            for pid, code in reaped(self._nodes):
                print(f"node#{pid} on {self._nodes.pop(pid)} ended ({describe(code)})", flush=True)
                status = 1
        return status

    def _stop(self) -> None:
        """SIGTERM to all nodes, SIGKILL to those that have not gone in time."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in self._nodes:
                os.kill(pid, number)
            while self._nodes and signal.sigtimedwait({signal.SIGCHLD}, STOP_TIMEOUT_S):
                for pid, _ in reaped(self._nodes):
                    del self._nodes[pid]


def reaped(pids: dict[int, str]) -> list[tuple[int, int]]:
    """The children that have ended, with exit status or minus the signal."""
    ended = [(pid, status) for pid, status in (os.waitpid(each, os.WNOHANG) for each in pids) if pid]
    return [(pid, os.waitstatus_to_exitcode(status)) for pid, status in ended]


def describe(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"status {code}"


def die_with(parent: int) -> None:
    """Have the kernel end this process when its parent ends, however that comes about."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)


def _hush_shutdown() -> None:
    """Cut-off polls are no news at the end of a node, only while it runs."""
    logging.getLogger("uvicorn.error").addFilter(lambda record: "graceful shutdown exceeded" not in record.getMessage())
