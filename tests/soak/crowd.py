"""Clients that say nothing: a quarter of them has had an answer, a quarter has a tunnel. Afterwards all are served."""

import random
from dataclasses import dataclass

from tests.soak import clients
from tests.soak.actors import Actor, Stage
from tests.soak.asks import Ask
from tests.soak.clients import PLAIN
from tests.soak.tally import RIGHT
from tests.soak.wire import Wire

ANSWER_BYTES = 1000


@dataclass
class Idler:
    """`node` is the tunnel's; none for a connection of requests."""

    wire: Wire
    node: str = ""


class Crowd:
    def __init__(self, stage: Stage, seed: str) -> None:
        self._stage = stage
        self._chance = random.Random(seed)
        self._actor = Actor(stage, f"{seed}.tunnels")
        self._seed = seed
        self._idlers: list[Idler] = []

    async def come(self, count: int) -> None:
        for number in range(count):
            idler = Idler(await Wire.connect(self._stage.port))
            self._idlers.append(idler)
            if number % 4 == 0:
                ask = Ask(f"{self._seed}.tunnel.{number}")
                await idler.wire.send(clients.handshake(ask, "/ws", self._chance))
                outcome = await clients.answer(idler.wire, ask)
                self._stage.tally.note("idle", ask, outcome)
                idler.node = outcome.node
            elif number % 4 == 1:
                await self._ask(idler, f"first.{number}")

    async def go(self) -> None:
        """Each is served once more, then it closes."""
        for number, idler in enumerate(self._idlers):
            if idler.node:
                await self._actor.echo(idler.wire, idler.node, 1)
            else:
                await self._ask(idler, f"last.{number}")
            idler.wire.close()
        self._idlers.clear()

    async def _ask(self, idler: Idler, number: str) -> None:
        ask = Ask(f"{self._seed}.{number}", size=ANSWER_BYTES)
        outcome = await clients.exchange(idler.wire, ask, PLAIN, self._chance)
        self._stage.tally.note("idle", ask, outcome)
        assert outcome.name == RIGHT, outcome
