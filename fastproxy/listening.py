"""The listening sockets of one configuration, and how they become those of the next one.

A listener whose address and socket options are the same keeps its sockets, and with them who waits to be accepted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from fastproxy.errors import FastproxyError
from fastproxy.listeners import BoundListener, open_listeners
from fastproxy.model import Address, Configuration, Listener

_SOCKET_FIELDS = (
    "address",
    "additional_addresses",
    "bind_to_port",
    "enable_reuse_port",
    "freebind",
    "transparent",
    "ipv4_compat",
    "socket_options",
)
"""Fields of a listener that its sockets are made of."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One address of the listener at place `index`; workers know its sockets by `number`, which is never used again."""

    number: int
    index: int
    name: str
    made_of: tuple[Any, ...]
    backlog: int
    sockets: BoundListener

    @property
    def address(self) -> Address:
        """With the port that was really chosen."""
        return self.sockets.address

    def fd(self, worker: int) -> int:
        """The descriptor of the socket that is that worker's."""
        return self.sockets.socket_of(worker).fileno()


class Listening:
    """Everything that is listened on, by `bound`."""

    def __init__(self, bound: tuple[Bound, ...] = (), last_number: int = 0) -> None:
        self.bound = bound
        self._last_number = last_number

    def next(self, configuration: Configuration, workers: int, file: str) -> "Listening":
        """What the configuration listens on: sockets of this one where they fit, others opened. ListenError names the
        first that cannot be had; then none stays open that was opened for it."""
        last, found = self._last_number, list[Bound]()
        try:
            for index, listener in enumerate(configuration.listeners):
                made_of = _made_of(listener)
                fitting = [bound for bound in self.bound if bound.made_of == made_of]
                if not fitting:
                    alone = replace(configuration, listeners=(listener,))
                    opened = open_listeners(alone, workers, file)
                    fitting = [
                        Bound(last + place, index, listener.name, made_of, listener.tcp_backlog_size, sockets)
                        for place, sockets in enumerate(opened, 1)
                    ]
                    last += len(opened)
                backlog = listener.tcp_backlog_size
                found += (replace(each, index=index, name=listener.name, backlog=backlog) for each in fitting)
        except FastproxyError:
            Listening(tuple(found)).close_all_but(self)
            raise
        return Listening(tuple(found), last)

    def added_to(self, before: "Listening") -> Iterator[Bound]:
        known = before.numbers()
        return (bound for bound in self.bound if bound.number not in known)

    def numbers(self) -> set[int]:
        return {bound.number for bound in self.bound}

    def close_all_but(self, other: "Listening") -> None:
        """Close what the other one does not listen on."""
        for bound in self.added_to(other):
            bound.sockets.close()

    def set_backlogs(self, before: "Listening") -> None:
        """A changed length of the accept queue (listen(2) may be called again)."""
        backlogs = {bound.number: bound.backlog for bound in before.bound}
        for bound in self.bound:
            if bound.backlog != backlogs.get(bound.number, bound.backlog):
                for each in bound.sockets.sockets:
                    each.listen(bound.backlog)

    def places(self) -> tuple[tuple[int, int], ...]:
        """As `control.Prepare` has them."""
        return tuple((bound.index, bound.number) for bound in self.bound)

    def addresses(self) -> list[tuple[str, Address]]:
        """Names, and addresses that were really bound."""
        return [(bound.name, bound.address) for bound in self.bound]


def _made_of(listener: Listener) -> tuple[Any, ...]:
    return tuple(getattr(listener, name, None) for name in _SOCKET_FIELDS)
