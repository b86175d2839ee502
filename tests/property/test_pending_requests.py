"""The queue of a host beside a twin of a few lines: who is sent, who waits, who is refused, in which order."""

from collections import deque
from contextlib import closing

from hypothesis import given, settings
from hypothesis import strategies as st

from fastproxy.model import CircuitBreakers, Thresholds
from tests.unit.engine_world import Peer, World, get, ok

COME, ANSWER, CLOSE, LEAVE = "come", "answer", "answer and close", "leave"


class Twin:
    """What becomes of clients, by number."""

    def __init__(self, max_connections: int, max_pending: int) -> None:
        self.limits = max_connections, max_pending
        self.sent: list[int] = []
        self.waiting: deque[int] = deque()
        self.idle = 0
        self.refused: set[int] = set()

    def come(self, client: int) -> None:
        if self.idle and not self.waiting:
            self.idle -= 1
            self.sent.append(client)
        elif len(self.waiting) >= self.limits[1]:
            self.refused.add(client)
        else:
            self.waiting.append(client)
            self.serve()

    def end(self, client: int, *, keeps: bool) -> None:
        self.sent.remove(client)
        self.idle += keeps
        self.serve()

    def serve(self) -> None:
        while self.waiting and (self.idle or len(self.sent) < max(1, self.limits[0])):
            self.idle -= self.idle > 0
            self.sent.append(self.waiting.popleft())


class Scene:
    """A world with one node, and what its ends have seen."""

    def __init__(self, max_connections: int, max_pending: int) -> None:
        breakers = CircuitBreakers(Thresholds(max_connections=max_connections, max_pending_requests=max_pending))
        self.world = World(1, cluster={"circuit_breakers": breakers})
        self.clients: dict[int, Peer] = {}
        self.nodes: list[Peer] = []
        self.at: dict[int, Peer] = {}  # the node's end of the connection that carries a client's request

    def come(self, client: int) -> None:
        self.clients[client] = self.world.client().send(get(f"/{client}"))

    def look(self) -> None:
        """Let everything happen that can, and see which requests have come."""
        self.world.settle()
        while self.world.nodes[0].is_asked():
            self.nodes.append(self.world.nodes[0].accept())
        for node in self.nodes:
            node.read()
            if b"\r\n\r\n" in node.got:
                self.at[int(node.head().split()[1][1:])] = node

    def end(self, client: int, *, keeps: bool) -> None:
        self.at.pop(client).send(ok(b"%d" % client, *([] if keeps else ["connection: close"])))
        assert self.clients[client].response() == (200, b"%d" % client)

    def leave(self, client: int) -> None:
        self.clients[client].close()
        self.at.pop(client, None)


ACTIONS = st.lists(st.tuples(st.sampled_from([COME, COME, COME, ANSWER, CLOSE, LEAVE]), st.integers(0, 9)), max_size=14)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), ACTIONS)
def test_as_the_twin(max_connections: int, max_pending: int, actions: list[tuple[str, int]]) -> None:
    twin, scene = Twin(max_connections, max_pending), Scene(max_connections, max_pending)
    with closing(scene.world):
        for number, (action, choice) in enumerate(actions):
            if action == COME:
                twin.come(number)
                scene.come(number)
            elif action == LEAVE and twin.waiting:
                client = twin.waiting[choice % len(twin.waiting)]
                twin.waiting.remove(client)
                scene.leave(client)
            elif twin.sent and action == LEAVE:
                client = twin.sent[choice % len(twin.sent)]
                twin.end(client, keeps=False)
                scene.leave(client)
            elif twin.sent:
                client = twin.sent[choice % len(twin.sent)]
                twin.end(client, keeps=action == ANSWER)
                scene.end(client, keeps=action == ANSWER)
            scene.look()
            assert set(scene.at) == set(twin.sent)
            assert scene.world.count("upstream_rq_pending_active") == len(twin.waiting)
        for client in twin.refused:
            assert scene.clients[client].response()[0] == 503
