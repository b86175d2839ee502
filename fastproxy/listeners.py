"""Listening sockets: opened by the supervisor before any fork, and kept open as long as it lives.

So a connection that waits in the accept queue of a worker that died is served by its successor.
"""

import errno
import socket
from dataclasses import dataclass, field

from fastproxy.errors import ListenError
from fastproxy.model import Address, Configuration, Listener

ADMIN_BACKLOG = 128

_REMEDIES = {
    errno.EADDRINUSE: "address already in use; end the process that listens there or choose another port",
    errno.EADDRNOTAVAIL: "this machine has no such address; use 0.0.0.0 (or ::) to listen on all",
    errno.EACCES: "permission denied; ports below 1024 need root or CAP_NET_BIND_SERVICE",
    errno.EAFNOSUPPORT: "this machine has no such address family",
}


@dataclass(slots=True)
class BoundListener:
    """The sockets of one listener, `sockets[i]` for worker i; `address` has the port that was really chosen."""

    index: int
    name: str
    address: Address
    sockets: list[socket.socket] = field(default_factory=list)

    def close(self) -> None:
        for listening in self.sockets:
            listening.close()


def open_listeners(configuration: Configuration, workers: int, file: str) -> list[BoundListener]:
    """Bind and listen for every listener of the configuration that is bound to a port. ListenError names the first
    one that fails; nothing stays open then."""
    opened: list[BoundListener] = []
    try:
        for index, listener in enumerate(configuration.listeners):
            if listener.bind_to_port:
                opened.append(_open(index, listener, workers, file))
    except ListenError:
        for bound in opened:
            bound.close()
        raise
    return opened


def open_admin(address: Address, file: str) -> socket.socket:
    """The admin's listening socket; ListenError when it cannot be had."""
    try:
        return _listen(address, ADMIN_BACKLOG, shared=False)
    except OSError as error:
        raise _listen_error(file, "admin", address, error) from error


def bound_address(listening: socket.socket) -> Address:
    name = listening.getsockname()
    return Address(name[0], name[1])


def _open(index: int, listener: Listener, workers: int, file: str) -> BoundListener:
    bound = BoundListener(index, listener.name, listener.address)
    try:
        if workers > 1:
            _probe(listener.address)
        for _ in range(workers):
            bound.sockets.append(_listen(bound.address, listener.tcp_backlog_size, shared=workers > 1))
            bound.address = bound_address(bound.sockets[0])
    except OSError as error:
        bound.close()
        raise _listen_error(file, f"listener '{listener.name}'", listener.address, error) from error
    return bound


def _probe(address: Address) -> None:
    """OSError when somebody listens there. SO_REUSEPORT alone would not tell: it lets a second process of the same
    user join the first one's group and take half of its connections."""
    _bind(address, shared=False).close()


def _listen(address: Address, backlog: int, *, shared: bool) -> socket.socket:
    listening = _bind(address, shared=shared)
    try:
        listening.listen(backlog)
    except OSError:
        listening.close()
        raise
    return listening


def _bind(address: Address, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((address.host, address.port))
    except OSError:
        bound.close()
        raise
    return bound


def _listen_error(file: str, owner: str, address: Address, error: OSError) -> ListenError:
    reason = _REMEDIES.get(error.errno or 0, error.strerror or str(error))
    return ListenError(f"{file}: {owner}: tcp://{address}: {reason}")
