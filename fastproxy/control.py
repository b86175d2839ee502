"""The channel between the supervisor and one worker: a socket pair that keeps message boundaries, JSON inside.

End of file on it is a message too: the other process is gone.
"""

import json
import socket
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from fastproxy.model import Address, Host

MESSAGE_BYTES = 1 << 18
"""Room for one message: a host set of 256 hosts with long names."""


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
class Started:
    """From the worker: it serves."""


Message = Drain | Stop | ReopenLogs | Hosts | Started
_TYPES: dict[str, type[Message]] = {kind.__name__: kind for kind in (Drain, Stop, ReopenLogs, Hosts, Started)}


def encode(message: Message) -> bytes:
    return json.dumps({"type": type(message).__name__, **asdict(message)}).encode()


def decode(data: bytes) -> Message:
    """ValueError or KeyError when `data` is none of our messages."""
    fields: dict[str, Any] = json.loads(data)
    kind = _TYPES[fields.pop("type")]
    if kind is Hosts:
        fields["hosts"] = tuple(_host(**host) for host in fields["hosts"])
    return kind(**fields)


def _host(address: dict[str, Any], **fields: Any) -> Host:
    return Host(Address(**address), **fields)


class Channel:
    """One end. Non-blocking; what the socket does not take waits in `unsent`, in order."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self.unsent: deque[bytes] = deque()

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, message: Message) -> None:
        """Queue `message` and send what can be sent. A peer that is gone is no error: its end of file tells."""
        self.unsent.append(encode(message))
        self.flush()

    def flush(self) -> None:
        """Send what still waits; call again later while `unsent` is not empty."""
        try:
            while self.unsent:
                self._socket.send(self.unsent[0])
                self.unsent.popleft()
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            self.unsent.clear()

    def receive(self) -> list[Message] | None:
        """What has arrived, oldest first; None at the end of the channel (messages before it are given first)."""
        messages: list[Message] = []
        while True:
            try:
                data = self._socket.recv(MESSAGE_BYTES)
            except BlockingIOError:
                return messages
            except OSError:
                data = b""
            if not data:
                return messages or None
            messages.append(decode(data))

    def close(self) -> None:
        self._socket.close()


def channel_pair() -> tuple[Channel, Channel]:
    """The supervisor's end and the worker's end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MESSAGE_BYTES)
    return Channel(ours), Channel(theirs)
