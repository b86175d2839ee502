"""Retries and the queue of a host beside a twin of a few lines: who is sent, who waits, who is refused, who is answered
what.

The node says to each of its requests when the test wants it to: an answer, an answer that asks for a retry, or one of
both with the end of its connection.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from fastproxy.counters import ClusterCounter
from fastproxy.model import CircuitBreakers, Thresholds
from fastproxy.model_routes import RetryPolicy
from tests.property.scenes import ended
from tests.property.test_pending_requests import Scene, Twin
from tests.unit.engine_world import World, ok

RETRIES = int(ClusterCounter.__members__["cluster_rq_retry_active"])
COME, ANSWER, BUSY, LEAVE = "come", "answer", "busy", "leave"
RETRIED = b"upstream connect error or disconnect/reset before headers. retried and the latest reset reason: overflow"
REFUSED = b"upstream connect error or disconnect/reset before headers. reset reason: overflow"


class RetryingTwin(Twin):
    """`answers` are bodies by client."""

    def __init__(self, max_connections: int, max_pending: int, max_retries: int, tries: int) -> None:
        super().__init__(max_connections, max_pending)
        self.max_retries, self.tries = max_retries, tries
        self.tried: dict[int, int] = {}
        self.retrying: set[int] = set()
        self.answers: dict[int, bytes] = {}

    def come(self, client: int) -> None:
        super().come(client)
        if client in self.refused:
            self.answers[client] = RETRIED if client in self.tried else REFUSED
            self.retrying.discard(client)

    def end(self, client: int, *, keeps: bool) -> None:
        self.retrying.discard(client)
        super().end(client, keeps=keeps)

    def busy(self, client: int, *, keeps: bool) -> None:
        """The answer asks for another try."""
        self.end(client, keeps=keeps)
        if self.tried.get(client, 0) < self.tries and len(self.retrying) < self.max_retries:
            self.tried[client] = self.tried.get(client, 0) + 1
            self.retrying.add(client)
            self.come(client)
        else:
            self.answers[client] = b"busy"

    def leave(self, client: int) -> None:
        self.retrying.discard(client)
        if client in self.waiting:
            self.waiting.remove(client)
        else:
            self.end(client, keeps=False)


class RetryingScene(Scene):
    """A world whose requests are tried again."""

    def __init__(self, twin: RetryingTwin) -> None:
        limits = Thresholds(*twin.limits, max_retries=twin.max_retries)
        policy = RetryPolicy(("5xx",), twin.tries, back_off_base_s=0.001, back_off_max_s=0.001)
        cluster = {"circuit_breakers": CircuitBreakers(limits)}
        self.world = World(1, cluster=cluster, route={"retry_policy": policy})
        self.clients, self.nodes, self.at = {}, [], {}

    def answer(self, client: int, status: str, body: bytes, *, keeps: bool) -> None:
        lines = [] if keeps else ["connection: close"]
        self.at.pop(client).send(ok(body, *lines).replace(b"200 OK", status.encode()))

    def wait_for(self, twin: RetryingTwin) -> None:
        """Until all is as the twin says; if it never is, the assertions tell what differs."""

        def look() -> bool:
            self.look()
            return self.seen() == (set(twin.sent), len(twin.waiting), len(twin.retrying))

        self.world.until(look)

    def seen(self) -> tuple[set[int], int, int]:
        retrying = self.world.row[self.world.layout.cluster("backend") + RETRIES]
        return set(self.at), self.world.count("upstream_rq_pending_active"), retrying


ACTIONS = st.lists(
    st.tuples(st.sampled_from([COME, COME, ANSWER, BUSY, BUSY, LEAVE]), st.integers(0, 9), st.booleans()), max_size=16
)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 3), st.integers(0, 2), ACTIONS)
def test_as_the_twin(
    max_connections: int, max_pending: int, max_retries: int, tries: int, actions: list[tuple[str, int, bool]]
) -> None:
    twin = RetryingTwin(max_connections, max_pending, max_retries, tries)
    scene = RetryingScene(twin)
    with ended(scene):
        for number, (action, choice, keeps) in enumerate(actions):
            there = [*twin.sent, *twin.waiting] if action == LEAVE else twin.sent
            if action == COME:
                twin.come(number)
                scene.come(number)
            elif there:
                client = there[choice % len(there)]
                if action == LEAVE:
                    twin.leave(client)
                    scene.leave(client)
                elif action == BUSY:
                    twin.busy(client, keeps=keeps)
                    scene.answer(client, "503 Busy", b"busy", keeps=keeps)
                else:
                    twin.answers[client] = b"fine"
                    twin.end(client, keeps=keeps)
                    scene.answer(client, "200 OK", b"fine", keeps=keeps)
            scene.wait_for(twin)
        for client, body in twin.answers.items():
            assert scene.clients[client].response()[1] == body
