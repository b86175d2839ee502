"""What stands before the proxies of a test: it alternates between them, and can hold polls back.

Each request comes and goes on connections of its own, since `connection: close` is all that is changed. So a client's
requests go to the proxies in turn, one by one; what follows the upgrade of a connection stays with it.
"""

import asyncio
import contextlib
import itertools
import re
from collections.abc import AsyncIterator, Mapping, Sequence

from tests.e2e.crowd import Crowd
from tests.e2e.servers import Server, Way
from tests.e2e.sessions import POLLING

CONNECTION = re.compile(rb"\r\nconnection:[^\r\n]*", re.IGNORECASE)
UPGRADE = re.compile(rb"\r\nupgrade: *websocket", re.IGNORECASE)
POLL = re.compile(rb"GET [^ ]*[?&]sid=")
CLOSE = b"\r\nconnection: close\r\n\r\n"
PIECE_BYTES = 65536
TIMEOUT_S = 60.0
LOOK_INTERVAL_S = 0.02
HELD = "said while polls are held"


class Front:
    """Listens on `port`, and hands every request to the next of the ports behind it."""

    def __init__(self, behind: Sequence[int]) -> None:
        self._behind = itertools.cycle(behind)
        self._may_poll = asyncio.Event()
        self._may_poll.set()
        self.held = 0  # polls that wait here
        self.under_way = 0  # requests that a proxy has, tunnels left out
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def hold_polls(self) -> None:
        """Polls that come from now on wait here; what is under way goes on, and so do all other requests."""
        self._may_poll.clear()

    def let_polls_go(self) -> None:
        self._may_poll.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, which is one request."""
        with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if UPGRADE.search(head):
                await self._hand_on(head, reader, writer)
                return
            if POLL.match(head):
                await self._turn_to_poll()
            self.under_way += 1
            try:
                await self._hand_on(CONNECTION.sub(b"", head)[:-4] + CLOSE, reader, writer)
            finally:
                self.under_way -= 1

    async def _hand_on(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, upstream = await asyncio.open_connection("127.0.0.1", next(self._behind))
        with contextlib.closing(upstream):
            upstream.write(head)
            await self._relay((reader, upstream), (inner, writer))

    async def _turn_to_poll(self) -> None:
        self.held += 1
        await self._may_poll.wait()
        self.held -= 1

    async def _relay(self, *ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        """Until either side has no more to say."""
        tasks = [asyncio.create_task(pump(*way)) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(PIECE_BYTES):
        writer.write(data)
        await writer.drain()


@contextlib.asynccontextmanager
async def before(*behind: int) -> AsyncIterator[Front]:
    """A front of these ports, closed when the context is left."""
    front = Front(behind)
    server = await asyncio.start_server(front.serve, "127.0.0.1", 0)
    front.port = server.sockets[0].getsockname()[1]
    try:
        yield front
    finally:
        server.close()


@contextlib.asynccontextmanager
async def before_all(*proxies: Sequence[Way]) -> AsyncIterator[dict[Server, Front]]:
    """One front for each server, before the listeners that lead to it, one of each proxy."""
    async with contextlib.AsyncExitStack() as ends:
        yield {
            ways[0].server: await ends.enter_async_context(before(*(way.port for way in ways)))
            for ways in zip(*proxies, strict=True)
        }


def urls(fronts: Mapping[Server, Front]) -> dict[Server, str]:
    return {server: front.url for server, front in fronts.items()}


async def between_two_polls(sessions: Crowd, fronts: Mapping[Server, Front]) -> None:
    """Return when each poll of the polling sessions is held here, and no proxy has a request to answer.

    A message ends the polls under way. Its echo, HELD, may wait for the next poll.
    """
    for front in fronts.values():
        front.hold_polls()
    await sessions.send(HELD)
    polling = sum(seen.group.kind is POLLING for seen in await sessions.seen())
    async with asyncio.timeout(TIMEOUT_S):
        while sum(each.held for each in fronts.values()) < polling or any(each.under_way for each in fronts.values()):
            await asyncio.sleep(LOOK_INTERVAL_S)


def let_polls_go(fronts: Mapping[Server, Front]) -> None:
    for front in fronts.values():
        front.let_polls_go()
