"""The channel between the supervisor and one worker: a socket pair that keeps message boundaries, JSON inside.

Descriptors travel beside a message (SCM_RIGHTS, unix(7)). End of file tells that the other process is gone.
"""

import os
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from fastproxy.model import Cluster, Host
from fastproxy.model_codec import Codec

MESSAGE_BYTES = 1 << 18
"""Room for one message: a host set of 256 hosts with long names."""
HOSTS_AT_ONCE = 2000
"""Hosts in one HostHealth."""
MAX_FDS = 250
"""Descriptors beside one message; Linux takes 253 (SCM_MAX_FD)."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Stop listening, let exchanges finish for at most `grace_s`, then close what is left and exit."""

    grace_s: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Close everything and exit now."""


@dataclass(frozen=True, slots=True)
class ReopenLogs:
    """The access logs were moved away: open them again by name."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """The host set of a cluster has changed."""

    cluster: str
    hosts: tuple[Host, ...]


@dataclass(frozen=True, slots=True)
class HostHealth:
    """Something else is known of hosts of a cluster than before: `(address, HealthFlag bits)`."""

    cluster: str
    found: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Sockets:
    """Listening sockets that a later Prepare speaks of: `numbers[i]` is that of descriptor i."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Prepare:
    """Make a new configuration ready, and go on with the old one. It is in the file whose descriptor comes along.

    `listeners` are (place in the new configuration, number of the socket).
    """

    generation: int
    listeners: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """Use the configuration that was made ready from now on."""

    generation: int


@dataclass(frozen=True, slots=True)
class Abandon:
    """Forget the configuration that was made ready."""

    generation: int


@dataclass(frozen=True, slots=True)
class Started:
    """From the worker: it serves."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """From the worker: Commit can be sent. With `error`, it cannot."""

    generation: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Failing:
    """From the worker: a host of a cluster has failed so often in a row (`kind` of health.outliers.Ejection), or has
    said that it fails (kind "")."""

    cluster: str
    address: str
    kind: str


Message = (
    Drain | Stop | ReopenLogs | Hosts | HostHealth | Sockets | Prepare | Commit | Abandon | Started | Prepared | Failing
)


def updates(before: Cluster, after: Cluster) -> Iterator[Message]:
    """What makes of a cluster's hosts those of `after`, which differs in nothing else."""
    if not are_same_hosts(before, after):
        yield Hosts(after.name, after.hosts)
        return
    pairs = zip(before.hosts, after.hosts, strict=True)
    found = [(str(new.address), new.found_flags) for old, new in pairs if old.found_flags != new.found_flags]
    for start in range(0, len(found), HOSTS_AT_ONCE):
        yield HostHealth(after.name, tuple(found[start : start + HOSTS_AT_ONCE]))


def are_same_hosts(one: Cluster, other: Cluster) -> bool:
    """Whether the hosts differ in what was found of them at most."""
    if len(one.hosts) != len(other.hosts):
        return False
    others = ((old, new) for old, new in zip(one.hosts, other.hosts, strict=True) if old is not new)
    return all(replace(old, found_flags=new.found_flags) == new for old, new in others)


@dataclass(frozen=True, slots=True)
class _Envelope:
    message: Message


_CODEC = Codec(_Envelope)


def encode(message: Message) -> bytes:
    return _CODEC.encode(_Envelope(message))


def decode(data: bytes) -> Message:
    """ValueError, KeyError or TypeError when `data` is none of our messages."""
    return _CODEC.decode(data).message


class Channel:
    """One end. Non-blocking; what the socket does not take waits in `unsent`, in order.

    Descriptors that came are in `fds`, in their order, the receiver's from then on.
    """

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self.unsent: deque[tuple[bytes, list[int]]] = deque()
        self.unsent_bytes = 0
        self.fds: deque[int] = deque()

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Queue `message` and send what can be sent; `fds` stay the caller's. A peer that is gone is no error: its
        end of file tells."""
        self.send_encoded(encode(message), fds)

    def send_encoded(self, message: bytes, fds: Sequence[int] = ()) -> None:
        """The same for one that is encoded already: others get it, too."""
        self.unsent.append((message, [os.dup(fd) for fd in fds]))
        self.unsent_bytes += len(message)
        self.flush()

    def flush(self) -> None:
        """Send what still waits; call again later while `unsent` is not empty."""
        try:
            while self.unsent:
                socket.send_fds(self._socket, [self.unsent[0][0]], self.unsent[0][1])
                self._drop_first()
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            self.forget_unsent()

    def _drop_first(self) -> None:
        message, fds = self.unsent.popleft()
        self.unsent_bytes -= len(message)
        for fd in fds:
            os.close(fd)

    def forget_unsent(self) -> None:
        """What waits is for nobody any more."""
        while self.unsent:
            self._drop_first()

    def receive(self) -> list[Message] | None:
        """What has arrived, oldest first; None at the end of the channel (messages before it are given first)."""
        messages: list[Message] = []
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self._socket, MESSAGE_BYTES, MAX_FDS)
            except BlockingIOError:
                return messages
            except OSError:
                data, fds = b"", []
            self.fds += fds
            if not data:
                return messages or None
            messages.append(decode(data))

    def close(self) -> None:
        self.forget_unsent()
        while self.fds:
            os.close(self.fds.popleft())
        self._socket.close()


def channel_pair() -> tuple[Channel, Channel]:
    """The supervisor's end and the worker's end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MESSAGE_BYTES)
    return Channel(ours), Channel(theirs)
