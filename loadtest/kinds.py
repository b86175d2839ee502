"""The four kinds of users: which transports a client is given, and where it has to end."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """`attempts` are lists of transports to connect with, tried in turn; `transport` carries the session then."""

    name: str
    attempts: tuple[tuple[str, ...], ...]
    transport: str

    @property
    def upgrades(self) -> bool:
        return len(self.attempts[0]) > 1


POLLING = Kind("polling", (("polling",),), "polling")
WEBSOCKET = Kind("websocket", (("websocket",),), "websocket")
UPGRADE = Kind("upgrade", (("polling", "websocket"),), "websocket")
# python-socketio takes the first of several transports as a decision; in a browser the next one is a way out.
WEBSOCKET_FIRST = Kind("websocket-first", (("websocket",), ("polling",)), "websocket")

ALL = (POLLING, WEBSOCKET, UPGRADE, WEBSOCKET_FIRST)
