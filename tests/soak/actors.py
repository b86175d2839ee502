"""The people of the soak: each does one thing after the other, drawn at random by a seed of its own."""

import asyncio
import contextlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.soak import clients, wire
from tests.soak.asks import CRASHES, FAULTS, Ask, drawn, marked, size
from tests.soak.clients import PLAIN, POLLING, SHORT, WEBSOCKET
from tests.soak.tally import CUT, LEFT, LOST, RIGHT, WRONG, Outcome, Tally
from tests.soak.wire import Cut, Wire

PATIENCE_S = 40.0
STALLED_S = 0.3  # that a client waits for a stalled answer
MOST_MESSAGE_BYTES = 256 << 10
SLOW_BUFFER_BYTES = 4096
# kinds, and how often each is drawn
WEIGHTS = {
    "exchanges": 4,
    "pipeline": 2,
    "expecting": 1,
    "vanishing": 3,
    "slow": 1,
    "faulty": 4,
    "session": 4,
    "tunnel": 3,
}


@dataclass
class Stage:
    """What all actors share: the proxy's port, the tally, the end."""

    port: int
    tally: Tally
    is_over: Callable[[], bool]
    most_bytes: int


class Actor:
    def __init__(self, stage: Stage, seed: str) -> None:
        self._stage = stage
        self._tally = stage.tally
        self._seed = seed
        self._chance = random.Random(seed)
        self._count = 0
        self._last: Ask | None = None
        self._wires: list[Wire] = []

    async def run(self) -> None:
        """Until it is over; what is under way then is brought to its end."""
        while not self._stage.is_over():
            (kind,) = self._chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
            await self.do(kind)

    async def do(self, kind: str) -> None:
        """One thing, all its connections closed afterwards; whatever goes wrong is in the tally."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await getattr(self, kind)()
        except Exception as error:
            self._tally.fail(f"{kind}: {type(error).__name__} {error} at {self._count}, {self._last}")
        for each in self._wires:
            each.close()
        self._wires.clear()

    async def exchanges(self) -> None:
        """Some requests, one after the other, on one connection as long as it lasts."""
        client = await self._connect()
        for _ in range(self._chance.randint(1, 6)):
            ask = self._drawn()
            if self._chance.random() < 0.1:
                ask = replace(ask, fault="leave")
            outcome = await clients.exchange(client, ask, PLAIN, self._chance)
            self._note("exchange", ask, outcome)
            if outcome.closes or outcome.name != RIGHT:
                client = await self._connect()

    async def pipeline(self) -> None:
        client = await self._connect()
        asks = [self._drawn(self._stage.most_bytes // 8) for _ in range(self._chance.randint(2, 6))]
        requests = b"".join(clients.request(ask, PLAIN, self._chance) for ask in asks)
        sender = asyncio.ensure_future(client.send_pieces(requests, self._chance))
        for ask in asks:
            outcome = await clients.answer(client, ask)
            self._note("pipelined", ask, outcome)
            if outcome.closes:
                break
        with contextlib.suppress(OSError):
            await sender

    async def expecting(self) -> None:
        ask = replace(self._drawn(), method="PUT", body=size(self._chance, self._stage.most_bytes))
        client = await self._connect()
        self._note("expecting", ask, await clients.expect(client, ask, PLAIN, self._chance))

    async def vanishing(self) -> None:
        """Gone amid the request, before its answer, or in the answer's middle."""
        ask, client = self._drawn(), await self._connect()
        raw = clients.request(ask, PLAIN, self._chance)
        with contextlib.suppress(OSError, Cut, TimeoutError):
            if self._chance.random() < 0.5:
                await client.send(raw[: self._chance.randrange(len(raw))])
            else:
                await client.send(raw)
                await asyncio.sleep(self._chance.choice((0, 0.001, 0.02)))
                async with asyncio.timeout(STALLED_S):  # there may be less to read
                    await client.read_exactly(self._chance.randrange(ask.size + 200))
        self._leave(client)
        self._note("vanishing", replace(ask, fault="stall"), Outcome(LEFT))

    async def slow(self) -> None:
        """A large answer, read through a small window."""
        client = await self._connect(SLOW_BUFFER_BYTES)
        client.read_slowly(self._stage.most_bytes // 16, 0.01)
        ask = replace(self._drawn(), method="GET", body=0, is_chunked=False, size=self._stage.most_bytes, status=200)
        self._note("slow", ask, await clients.exchange(client, ask, PLAIN, self._chance))

    async def faulty(self) -> None:
        """The node fails while it answers, and the client is told, or sees the answer end."""
        ask, client = self._with_fault(self._chance.choice(FAULTS)), await self._connect()
        if ask.fault != "stall":
            return self._note("faulty", ask, await clients.exchange(client, ask, PLAIN, self._chance))
        if self._chance.random() < 0.2:
            return self._note("faulty", ask, await clients.exchange(client, ask, SHORT, self._chance))
        try:
            async with asyncio.timeout(STALLED_S):
                outcome = await clients.exchange(client, ask, PLAIN, self._chance)
        except TimeoutError:
            self._leave(client)
            outcome = Outcome(LEFT)
        self._note("faulty", ask, outcome)

    async def session(self) -> None:
        """An Engine.IO session: all its requests come to the node that issued its id, by whatever worker."""
        opening = Ask(self._id(), size=1)
        first = await clients.exchange(await self._connect(), opening, POLLING, self._chance)
        self._note("session", opening, first)
        if first.name != RIGHT:
            return
        sid = json.loads(first.body[1:])["sid"]
        self._tally.sessions += 1
        for _ in range(self._chance.randint(1, 8)):
            methods = self._chance.choice((["GET"], ["POST"], ["POST", "GET"]))
            await asyncio.gather(*(self._poll(sid, method) for method in methods))
        if self._chance.random() < 0.6:
            await self._in_tunnel(f"{WEBSOCKET}&sid={sid}", sid.partition("-")[0])

    async def _poll(self, sid: str, method: str) -> None:
        """One request of a session, on a connection of its own, sometimes with a fault of its node."""
        ask = replace(self._drawn(), method=method, status=200)
        ask = replace(ask, body=ask.body if method == "POST" else 0, is_chunked=ask.is_chunked and method == "POST")
        if self._chance.random() < 0.15:
            at = self._chance.randrange(100)
            ask = replace(ask, fault=self._chance.choice((*CRASHES, "leave")), framing="length", at=at)
        client = await self._connect()
        outcome = await clients.exchange(client, ask, f"{POLLING}&sid={sid}", self._chance)
        if outcome.node not in ("", sid.partition("-")[0]):
            outcome = Outcome(LOST, f"{outcome.node} answers for {sid}")
        self._note("session", ask, outcome)

    async def tunnel(self) -> None:
        await self._in_tunnel("/ws", "")

    async def _in_tunnel(self, path: str, node: str) -> None:
        """A WebSocket, some messages, and an end by one of both sides."""
        ask, client = Ask(self._id()), await self._connect()
        await client.send_pieces(clients.handshake(ask, path, self._chance), self._chance)
        outcome = await clients.answer(client, ask)
        self._note("session" if node else "tunnel", ask, outcome)
        if outcome.name != RIGHT:
            return
        if node not in ("", outcome.node):
            self._tally.fail(f"tunnel: {ask} of {node} is at {outcome.node}")
        for _ in range(self._chance.randint(0, 6)):
            await self.echo(client, outcome.node, self._chance.randint(1, 4))
        await self._end(client)

    async def echo(self, client: Wire, node: str, count: int) -> None:
        """So many messages at once; each comes back whole, in order, from that node."""
        sizes = [min(size(self._chance, MOST_MESSAGE_BYTES), self._stage.most_bytes // 4) for _ in range(count)]
        payloads = [marked(f"message {self._id()}", each) for each in sizes]
        frames = b"".join(wire.message(each, is_client=True) for each in payloads)
        sender = asyncio.ensure_future(client.send_pieces(frames, self._chance))
        for payload in payloads:
            opcode, echoed = await client.read_message()
            is_right = (opcode, echoed) == (wire.TEXT, node.encode() + b" " + payload)
            self._tally.messages += 1
            if not is_right:
                self._tally.outcomes["message", WRONG] += 1
                self._tally.fail(f"message: {echoed[:80]!r} instead of {payload[:80]!r}")
        await sender

    async def _end(self, client: Wire) -> None:
        end = self._chance.choice(("goodbye", "node", "fin", "vanish"))
        if end == "goodbye":
            await client.send(wire.message(b"\x03\xe8", wire.CLOSE, is_client=True))
            if await client.read_message() != (wire.CLOSE, b"\x03\xe8"):
                self._tally.fail("tunnel: no goodbye")
            await self._see_end(client)
        elif end == "node":
            await client.send(wire.message(b"reset", is_client=True))
            await self._see_end(client)
        elif end == "fin":
            client.end_sending()
            await self._see_end(client)
        else:
            client.vanish()

    async def _see_end(self, client: Wire) -> None:
        if rest := await client.read_to_end():
            self._tally.fail(f"tunnel: {rest[:80]!r} before the end")

    def _with_fault(self, fault: str) -> Ask:
        """A close amid an answer that only the close ends would not be one: such answers are reset."""
        ask = replace(self._drawn(), fault=fault, at=self._chance.randrange(100))
        self._last = replace(ask, framing="length") if fault == "close" and ask.framing == "close" else ask
        return self._last

    def _leave(self, client: Wire) -> None:
        client.vanish() if self._chance.random() < 0.5 else client.close()

    def _note(self, kind: str, ask: Ask, outcome: Outcome) -> None:
        self._tally.note(kind, ask, outcome)
        self._tally.bytes += len(outcome.body) * (outcome.name != CUT)

    def _drawn(self, most_bytes: int = 0) -> Ask:
        self._last = drawn(self._chance, self._id(), most_bytes or self._stage.most_bytes)
        return self._last

    def _id(self) -> str:
        self._count += 1
        return f"{self._seed}.{self._count}"

    async def _connect(self, receive_buffer_bytes: int = 0) -> Wire:
        self._wires.append(await Wire.connect(self._stage.port, receive_buffer_bytes))
        return self._wires[-1]
