"""`make run`: an echo cluster and fastproxy in front of it, as two children that end with this process.

Each child leads a process group of its own, so that Ctrl-C reaches this process alone and it ends them in order.
"""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from echo.__main__ import parse_address, parse_ports
from echo.cluster import STOP_SIGNALS, WATCHED_SIGNALS, Address, die_with

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
POLL_INTERVAL_S = 0.02


class Demo:
    """The children, in the order in which they started; they end in the opposite one."""

    def __init__(self) -> None:
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, command: Sequence[str], addresses: Sequence[Address]) -> bool:
        """Start a child; whether it came to listen on all these addresses."""
        parent = os.getpid()

        def before_exec() -> None:
            die_with(parent)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED_SIGNALS)

        child = subprocess.Popen(command, start_new_session=True, preexec_fn=before_exec)
        self._children.append(child)
        return all(self._comes_to_listen(child, address) for address in addresses)

    def _comes_to_listen(self, child: subprocess.Popen[bytes], address: Address) -> bool:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and child.poll() is None:
            if listens(address):
                return True
            if signal.sigtimedwait(STOP_SIGNALS, POLL_INTERVAL_S):
                return False
        return False

    def watch(self) -> int:
        """Until somebody stops the demo (0), or a child ends by itself (1)."""
        while all(child.poll() is None for child in self._children):
            if signal.sigwait(WATCHED_SIGNALS) in STOP_SIGNALS:
                return 0
        return 1

    def stop(self) -> None:
        """SIGTERM, then SIGKILL to the whole group of a child that takes too long."""
        for child in reversed(self._children):
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(STOP_TIMEOUT_S)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def listens(address: Address) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def in_use(addresses: Sequence[Address]) -> list[str]:
    """Those on which somebody else listens already: what we start would not be what answers."""
    return [f"{host}:{port}" for host, port in addresses if listens((host, port))]


def show(front: Address, nodes: Sequence[Address]) -> None:
    host, port = front
    ports = ", ".join(str(node_port) for _, node_port in nodes)
    print(
        f"\n  http://{host}:{port}/             default transports: polling, then websocket"
        f"\n  http://{host}:{port}/index2.html  a client_id in the page's URL, websocket first"
        f"\n\n  nodes on {ports}; Ctrl-C ends all of it\n",
        flush=True,
    )


def run(options: argparse.Namespace) -> int:
    addresses = [*options.cluster, options.front]
    if taken := in_use(addresses):
        print(f"demo: in use already: {', '.join(taken)}", file=sys.stderr)
        return 1
    ports = ",".join(str(port) for _, port in options.cluster)
    fastproxy = [sys.executable, "-m", "fastproxy", "-c", options.config]
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED_SIGNALS)
    demo = Demo()
    try:
        if not demo.start([sys.executable, "-m", "echo", "--cluster", ports], options.cluster):
            return 1
        if not demo.start(fastproxy, [options.front]):
            return 1
        show(options.front, options.cluster)
        return demo.watch()
    finally:
        demo.stop()


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """`cluster` holds the nodes' addresses, `front` where the file makes fastproxy listen."""
    top = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(prog="python -m echo.demo", description="Echo nodes with fastproxy in front.")
    parser.add_argument("--cluster", type=parse_ports, default="8002-8004", metavar="PORTS", help="of the echo nodes")
    parser.add_argument("--config", default=str(top / "envoy2.json"), metavar="FILE", help="for fastproxy")
    parser.add_argument("--front", type=parse_address, default="127.0.0.1:9002", metavar="HOST:PORT",
                        help="where that file makes fastproxy listen")  # fmt: skip
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(run(parse_arguments()))
