"""Sessions of python-socketio clients that remember all that happened to them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import socketio

from tests.e2e.stack import nodes_of

Each = TypeVar("Each")
TIMEOUT_S = 60.0
RECONNECTION_DELAY_S = 0.2
AT_ONCE = 10  # handshakes under way at the same time


@dataclass(frozen=True)
class Kind:
    """Transports in the client's order (None: its default), and the one that a session ends with."""

    name: str
    transports: tuple[str, ...] | None
    ends_with: str


DEFAULT = Kind("default", None, "websocket")
POLLING = Kind("polling", ("polling",), "polling")
WEBSOCKET = Kind("websocket", ("websocket",), "websocket")
WEBSOCKET_FIRST = Kind("websocket-first", ("websocket", "polling"), "websocket")
KINDS = (DEFAULT, POLLING, WEBSOCKET, WEBSOCKET_FIRST)


@dataclass
class Session:
    """One client, made inside a running loop: what it heard since its last connect, and every disconnect."""

    kind: Kind
    referer: str | None = None
    reconnects: bool = False
    replies: list[str] = field(default_factory=list)
    sids: list[str] = field(default_factory=list)
    disconnects: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._http = aiohttp.ClientSession()  # the client would leave its own one open after some failures
        self.client = socketio.AsyncClient(
            reconnection=self.reconnects, http_session=self._http, reconnection_delay=RECONNECTION_DELAY_S
        )
        self._heard = asyncio.Event()
        self.client.on("connect", self._on_connect)
        self.client.on("message", self._on_message)
        self.client.on("disconnect", self._on_disconnect)
        self.client.on("connect_error", self._on_connect_error)

    async def _on_connect(self) -> None:
        self.replies.clear()
        self.sids.append(self.client.eio.sid)

    async def _on_message(self, payload: str | bytes) -> None:
        self.replies.append(payload if isinstance(payload, str) else payload.decode("latin-1"))
        self._heard.set()

    async def _on_disconnect(self, reason: str) -> None:
        self.disconnects.append(reason)

    async def _on_connect_error(self, why: object) -> None:
        self.errors.append(str(why))

    async def open(self, url: str) -> None:
        """Connect and hear the welcome."""
        headers = {"Referer": self.referer} if self.referer else {}
        await self.client.connect(url, headers=headers, transports=self.kind.transports, wait_timeout=TIMEOUT_S)
        await self.hear(": welcome")

    async def close(self) -> None:
        """Say goodbye if still connected, give up reconnecting if not, and leave nothing open.

        Without waiting for the poll under way: python-engineio's server leaves it unanswered after a goodbye.
        """
        if self.client.eio.state == "connected":
            await self.client.eio.disconnect(abort=True)
        await self.client.shutdown()
        await self._http.close()

    async def hear(self, text: str) -> None:
        """Return when a reply ends with this text; TimeoutError if none does."""
        async with asyncio.timeout(TIMEOUT_S):
            while not any(reply.endswith(text) for reply in self.replies):
                self._heard.clear()
                await self._heard.wait()

    async def talk(self, rounds: int = 5) -> None:
        """Text, text with ack, and binary, each echoed as it was."""
        for number in range(rounds):
            await self.client.emit("message", f"text {number}")
            await self.hear(f": text {number}")
            ack = await self.client.call("message", f"ack {number}", timeout=TIMEOUT_S)
            assert ack.endswith(f": ack {number}")
            echo = await self.client.call("message", bytes([0, number, 255]), timeout=TIMEOUT_S)
            assert isinstance(echo, bytes)
            assert echo.endswith(b": " + bytes([0, number, 255]))
            self.replies += [ack, echo.decode("latin-1")]

    @property
    def node(self) -> str:
        """The one node that all replies came from."""
        nodes = nodes_of(self.replies)
        assert len(nodes) == 1, f"{self.kind.name}: replies from {nodes}"
        return nodes.pop()

    @property
    def transport(self) -> str:
        return str(self.client.transport())


@contextlib.asynccontextmanager
async def opened(url: str, sessions: Sequence[Session]) -> AsyncIterator[Sequence[Session]]:
    """All these sessions, connected; they are closed when the context is left."""
    try:
        await for_all(sessions, lambda session: session.open(url))
        yield sessions
    finally:
        await asyncio.gather(*(session.close() for session in sessions))


async def for_all(each_of: Iterable[Each], act: Callable[[Each], Awaitable[Any]]) -> None:
    """Do it with each of them, a few at a time."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(each: Each) -> None:
        async with slots:
            await act(each)

    async with asyncio.TaskGroup() as group:
        for each in each_of:
            group.create_task(one(each))
