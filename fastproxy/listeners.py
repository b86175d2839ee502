"""Listening sockets: opened by the supervisor before any fork, and kept open as long as it lives.

So a connection that waits in the accept queue of a worker that died is served by its successor.
"""

import errno
import os
import socket
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from fastproxy.errors import ListenError
from fastproxy.model import Address, Configuration, Listener, SocketOption

ADMIN_BACKLOG = 128
IP_FREEBIND, IP_TRANSPARENT = 15, 19  # ip(7); Python's socket module does not name them
IPV6_FREEBIND, IPV6_TRANSPARENT = 78, 75

_REMEDIES = {
    errno.EADDRINUSE: "address already in use; end the process that listens there or choose another port",
    errno.EADDRNOTAVAIL: "this machine has no such address; use 0.0.0.0 (or ::) to listen on all",
    errno.EACCES: "permission denied; ports below 1024 need root or CAP_NET_BIND_SERVICE",
    errno.EAFNOSUPPORT: "this machine has no such address family",
}
_PIPE_REMEDIES = {
    errno.EADDRINUSE: "somebody listens there already; end that process or choose another path",
    errno.EEXIST: "there is a file that is no socket; remove it or choose another path",
    errno.EACCES: "permission denied; the folder has to be writable",
    errno.ENOENT: "there is no such folder; make it",
}
_NO_LISTENER = Listener("", Address("", 0), None)


@dataclass(slots=True)
class BoundListener:
    """The sockets of one address of a listener, `sockets[i]` for worker i, or one for all of them.

    `address` has the port that was really chosen.
    """

    index: int
    name: str
    address: Address
    sockets: list[socket.socket] = field(default_factory=list)

    def socket_of(self, worker: int) -> socket.socket:
        return self.sockets[worker % len(self.sockets)]

    def close(self) -> None:
        for listening in self.sockets:
            listening.close()


def open_listeners(configuration: Configuration, workers: int, file: str) -> list[BoundListener]:
    """Bind and listen for every listener of the configuration that is bound to a port. ListenError names the first
    one that fails; nothing stays open then."""
    opened: list[BoundListener] = []
    try:
        for index, listener in enumerate(configuration.listeners):
            for address in _addresses(listener):
                opened.append(_open(index, listener, address, workers, file))
    except ListenError:
        for bound in opened:
            bound.close()
        raise
    return opened


def _addresses(listener: Listener) -> tuple[Address, ...]:
    return (listener.address, *listener.additional_addresses) if listener.bind_to_port else ()


def open_admin(address: Address, file: str) -> socket.socket:
    """The admin's listening socket; ListenError when it cannot be had."""
    try:
        return _listen(address, _NO_LISTENER, ADMIN_BACKLOG, shared=False)
    except OSError as error:
        raise _listen_error(file, "admin", address, error) from error


def bound_address(listening: socket.socket) -> Address:
    name = listening.getsockname()
    if listening.family == socket.AF_UNIX:
        path = os.fsdecode(name)
        return Address("", 0, "@" + path[1:] if path.startswith("\0") else path)
    return Address(name[0], name[1])


def _open(index: int, listener: Listener, address: Address, workers: int, file: str) -> BoundListener:
    bound = BoundListener(index, listener.name, address)
    shared = workers > 1 and listener.enable_reuse_port and not address.path
    try:
        if shared:
            _probe(address, listener)
        for _ in range(workers if shared else 1):
            bound.sockets.append(_listen(bound.address, listener, listener.tcp_backlog_size, shared=shared))
            bound.address = bound_address(bound.sockets[0])
    except OSError as error:
        bound.close()
        raise _listen_error(file, f"listener '{listener.name}'", address, error) from error
    return bound


def _probe(address: Address, listener: Listener) -> None:
    """OSError when somebody listens there. SO_REUSEPORT alone would not tell: it lets a second process of the same
    user join the first one's group and take half of its connections."""
    _bind(address, listener, shared=False).close()


def _listen(address: Address, listener: Listener, backlog: int, *, shared: bool) -> socket.socket:
    listening = _bind_pipe(address) if address.path else _bind(address, listener, shared=shared)
    try:
        _set_options(listening, listener.socket_options, "BOUND")
        listening.listen(backlog)
        _set_options(listening, listener.socket_options, "LISTENING")
    except OSError:
        listening.close()
        raise
    return listening


def _bind(address: Address, listener: Listener, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not listener.ipv4_compat)
        _set_options(bound, _named_options(family, listener), "PREBIND")
        _set_options(bound, listener.socket_options, "PREBIND")
        bound.bind((address.host, address.port))
    except OSError:
        bound.close()
        raise
    return bound


def _named_options(family: int, listener: Listener) -> Iterable[SocketOption]:
    v6 = family == socket.AF_INET6
    level = socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP
    if listener.freebind:
        yield SocketOption(level, IPV6_FREEBIND if v6 else IP_FREEBIND, 1)
    if listener.transparent:
        yield SocketOption(level, IPV6_TRANSPARENT if v6 else IP_TRANSPARENT, 1)


def _set_options(sock: socket.socket, options: Iterable[SocketOption], state: str) -> None:
    for option in options:
        if option.state == state:
            sock.setsockopt(option.level, option.name, option.value)


def _bind_pipe(address: Address) -> socket.socket:
    """A socket bound to a path, or to a name in the abstract namespace."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        if address.path.startswith("@"):
            bound.bind("\0" + address.path[1:])
        else:
            _remove_stale(address.path)
            _bind_with_mode(bound, address)
    except OSError:
        bound.close()
        raise
    return bound


def _bind_with_mode(bound: socket.socket, address: Address) -> None:
    """The file has its mode from the start on: nobody can connect in a moment before a chmod."""
    if not address.mode:
        bound.bind(address.path)
        return
    before = os.umask(0o777)
    try:
        bound.bind(address.path)
    finally:
        os.umask(before)
    os.chmod(address.path, address.mode)


def _remove_stale(path: str) -> None:
    """Remove a socket's file whose process is gone. OSError when there is another file, or somebody listens there."""
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
            try:
                probe.connect(path)
            except ConnectionRefusedError:
                os.unlink(path)
                return
            except BlockingIOError:  # its accept queue is full
                pass
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), path)


def _listen_error(file: str, owner: str, address: Address, error: OSError) -> ListenError:
    remedies, scheme = (_PIPE_REMEDIES, "unix") if address.path else (_REMEDIES, "tcp")
    reason = remedies.get(error.errno or 0, error.strerror or str(error))
    return ListenError(f"{file}: {owner}: {scheme}://{address}: {reason}")
