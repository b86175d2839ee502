"""Sessions of all three clients at once: python-socketio, and Node's socket.io-client 4.x and 2.x.

The python-socketio ones live in this process, the others in one of Node's, which takes its orders line by line.
"""

import asyncio
import contextlib
import copy
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from socketio.exceptions import ConnectionError

from tests.e2e.sessions import Kind, Session, for_all
from tests.e2e.stack import nodes_of
from tests.support import processes

TIMEOUT_S = 100.0
MAX_LINE_BYTES = 1 << 24
LOOK_INTERVAL_S = 0.05
TRANSPORTS = {"default": ["polling", "websocket"]}
PYTHON, NODE_4, NODE_2 = "python-socketio", "socket.io-client 4", "socket.io-client 2"
VERSIONS = {NODE_4: 4, NODE_2: 2}


@dataclass(frozen=True)
class Group:
    """So many sessions of one client to one place, all in the same way."""

    url: str
    client: str
    kind: Kind
    count: int
    reconnects: bool = False

    def as_wish(self) -> dict[str, Any]:
        """What clients.mjs is to open."""
        transports = TRANSPORTS.get(self.kind.name) or list(self.kind.transports or ())
        version = VERSIONS[self.client]
        return {**asdict(self), "version": version, "transports": transports}


@dataclass
class Seen:
    """What has happened to one session; `replies` since its last connect."""

    group: Group
    sids: list[str]
    replies: list[str]
    disconnects: list[str]
    errors: list[str]
    transport: str
    is_connected: bool

    @property
    def node(self) -> str:
        """The one node that all replies came from."""
        nodes = nodes_of(self.replies)
        assert len(nodes) == 1, f"{self}: replies from {nodes}"
        return nodes.pop()

    def __str__(self) -> str:
        past = f"ids {self.sids}, disconnects {self.disconnects}, errors {self.errors}"
        return f"{self.group.client}, {self.group.kind.name}: {past}, {self.transport}, connected: {self.is_connected}"

    def check(self) -> str:
        """A session without a flaw, which never had another id or node; returns its node."""
        assert self.is_whole, str(self)
        assert self.transport == self.group.kind.ends_with, str(self)
        return self.node

    @property
    def is_whole(self) -> bool:
        return self.is_connected and len(self.sids) == 1 and not self.disconnects and not self.errors

    @property
    def is_reopened(self) -> bool:
        """Lost once, and there again at the first attempt."""
        return self.is_connected and len(self.sids) == 2 and len(self.disconnects) == 1 and not self.errors


class NodeClients:
    """The process of clients.mjs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    async def do(self, what: str, **wish: Any) -> Any:
        """Its answer to one order; AssertionError if it ends instead."""
        assert self._process.stdin
        assert self._process.stdout
        async with self._turn, asyncio.timeout(TIMEOUT_S):
            self._process.stdin.write(json.dumps({"do": what, **wish}).encode() + b"\n")
            answer = await self._process.stdout.readline()
        assert answer, f"clients.mjs ended while it should {what}"
        return json.loads(answer)


@contextlib.asynccontextmanager
async def node_clients(node: str) -> AsyncIterator[NodeClients]:
    """No session yet; `node` is the program. Nothing is left of it when the context is left."""
    script = str(processes.ROOT / "tests" / "e2e" / "clients.mjs")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(node, script, stdin=pipe, stdout=pipe, limit=MAX_LINE_BYTES)
    try:
        yield NodeClients(process)
    finally:
        process.kill()
        await process.wait()


@dataclass
class Crowd:
    """Open sessions; what is done is done with all of them, or with all of some groups."""

    clients: NodeClients
    _groups: list[Group] = field(default_factory=list)  # of Node's clients, as they are numbered there
    _sessions: list[tuple[Group, Session]] = field(default_factory=list)

    async def open(self, *groups: Group) -> None:
        """Connect and hear the welcomes."""
        mine = [group for group in groups if group.client == PYTHON for _ in range(group.count)]
        python = [(group, Session(group.kind, reconnects=group.reconnects)) for group in mine]
        others = [group for group in groups if group.client != PYTHON]
        wishes = [{**group.as_wish(), "number": number} for number, group in enumerate(others, len(self._groups))]
        self._sessions += python
        self._groups += others
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.clients.do("open", groups=wishes))
            tasks.create_task(for_all(python, _open))

    async def talk(self, rounds: int = 2) -> None:
        """Text and binary, each echoed as it was; twice, before and after the upgrades are through."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._talk_in_node(rounds))
            tasks.create_task(for_all(self._sessions, lambda each: each[1].talk(rounds)))

    async def _talk_in_node(self, rounds: int) -> None:
        await self.clients.do("talk", rounds=rounds)
        await self.clients.do("upgraded")

    async def send(self, text: str) -> None:
        """One message of each; nobody waits for its echo, which may have to wait for a poll."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.clients.do("send", text=text))
            tasks.create_task(for_all(self._sessions, lambda each: each[1].client.emit("message", text)))

    async def hear(self, text: str) -> None:
        """Its echo at each of them."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.clients.do("hear", text=text))
            tasks.create_task(for_all(self._sessions, lambda each: each[1].hear(f": {text}")))

    async def close(self, *groups: Group) -> None:
        """Say goodbye for good."""
        await self.clients.do("close", groups=[n for n, group in enumerate(self._groups) if group in groups])
        leaving = [each for each in self._sessions if each[0] in groups]
        self._sessions = [each for each in self._sessions if each[0] not in groups]
        await for_all(leaving, lambda each: each[1].close())

    async def seen(self) -> list[Seen]:
        """All that are open, or were."""
        others = [self._from_node(each) for each in await self.clients.do("report")]
        return others + [self._from_python(*each) for each in self._sessions]

    def _from_node(self, told: dict[str, Any]) -> Seen:
        replies = told["replies"] + told["binary"]
        past = told["sids"], replies, told["disconnects"], told["errors"]
        return Seen(self._groups[told["group"]], *past, told["ended"], told["connected"])

    def _from_python(self, group: Group, session: Session) -> Seen:
        past = copy.deepcopy((session.sids, session.replies, session.disconnects, session.errors))
        return Seen(group, *past, session.transport, session.client.connected)

    async def until(self, condition: Callable[[Seen], bool], what: str) -> None:
        """Return when it holds for each of them; AssertionError with those for which it does not in time."""
        deadline = time.monotonic() + TIMEOUT_S
        while others := [str(seen) for seen in await self.seen() if not condition(seen)]:
            assert time.monotonic() < deadline, f"not within {TIMEOUT_S} s: {what}: {others}"
            await asyncio.sleep(LOOK_INTERVAL_S)


@contextlib.asynccontextmanager
async def crowd(node: str) -> AsyncIterator[Crowd]:
    """Nobody yet; whoever comes is gone when the context is left."""
    async with node_clients(node) as clients:
        everybody = Crowd(clients)
        try:
            yield everybody
        finally:
            await asyncio.gather(*(session.close() for _, session in everybody._sessions), return_exceptions=True)


async def _open(each: tuple[Group, Session]) -> None:
    with contextlib.suppress(ConnectionError):  # the session has kept it
        await each[1].open(each[0].url)


def spread(seen: Sequence[Seen]) -> Counter[str]:
    """Sessions per node, each session checked."""
    return Counter(each.check() for each in seen)
