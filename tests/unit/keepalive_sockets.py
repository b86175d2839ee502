"""What the kernel is told of silent peers, seen from the other end of a connection within this process."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_SETTINGS = Path("/proc/sys/net/ipv4")
OWN = [int((_SETTINGS / f"tcp_keepalive_{name}").read_text()) for name in ("probes", "time", "intvl")]
"""What the system has for a socket that does not say otherwise."""


def _sockets_of_this_process() -> Iterator[socket.socket]:
    for entry in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            if os.readlink(f"/proc/self/fd/{entry}").startswith("socket:"):
                with socket.socket(fileno=os.dup(int(entry))) as found:
                    yield found


def probes_of(address: tuple[str, int]) -> list[int]:
    """SO_KEEPALIVE, TCP_KEEPCNT, TCP_KEEPIDLE and TCP_KEEPINTVL of the socket with that address of its own."""
    names = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE)]
    names += [(socket.IPPROTO_TCP, name) for name in (socket.TCP_KEEPCNT, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL)]
    for each in _sockets_of_this_process():
        if each.family == socket.AF_INET and each.getsockname() == address:
            return [each.getsockopt(*name) for name in names]
    raise LookupError(address)
