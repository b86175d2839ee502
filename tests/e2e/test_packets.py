"""Packets in the polls of real servers are counted one by one, in every shape that is read."""

from collections.abc import Iterator

import pytest

from tests.e2e import servers
from tests.e2e.polls import EIO_3, PLAIN, Answer, PollingSession, Shape
from tests.e2e.servers import NODE_2, NODE_4, PYTHON, RING_OF_NOTHING, Nodes, Server
from tests.support import processes
from tests.support.proxies import Proxy

SAID = ["one", "é€😀" * 20, "three"]
BINARY, GZIP = Shape("eio3-binary", 3), Shape("eio4-gzip", headers={"accept_encoding": "gzip"})
SHAPES = [
    (PYTHON, PLAIN), (NODE_4, PLAIN), (NODE_4, EIO_3), (NODE_4, BINARY), (NODE_2, EIO_3), (NODE_2, BINARY),
    (NODE_4, GZIP), (NODE_4, Shape("eio4-jsonp", 4, "&j=7")),
]  # fmt: skip

pytestmark = pytest.mark.departure("Envoy counts no packets")


@pytest.fixture(scope="module")
def front(clusters: dict[Server, Nodes], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, dict]]:
    """A proxy, and its ways by their server."""
    ways = servers.ways(RING_OF_NOTHING)
    hosts = {server: nodes.ports[:3] for server, nodes in clusters.items()}
    with servers.proxied(ways, hosts, tmp_path_factory.mktemp("packets"), concurrency=1) as proxy:
        yield proxy, {way.server: way for way in ways}


class Recorded(PollingSession):
    """Keeps what its requests were answered."""

    def __init__(self, port: int, shape: Shape) -> None:
        self.fetched: list[Answer] = []
        self.brought = 0
        super().__init__(port, shape)

    def ask(self, method: str = "GET", body: str | None = None, **headers: str) -> Answer:
        answer = super().ask(method, body, **headers)
        assert answer.status == 200
        if method == "GET":
            self.fetched.append(answer)
        else:
            self.brought += 1
        return answer


def packets_in(body: bytes, eio: int) -> int:
    if eio == 4:
        return len(body.split(b"\x1e"))
    if body[0] > 1:
        return text_packets_in(body.decode())
    number = 0
    while body:
        digits, _, rest = body[1:].partition(b"\xff")
        body = rest[int("".join(map(str, digits))) :]
        number += 1
    return number


def text_packets_in(text: str) -> int:
    number = 0
    while text:
        size, _, rest = text.partition(":")
        text = rest.encode("utf-16-le")[2 * int(size) :].decode("utf-16-le")
        number += 1
    return number


@pytest.mark.parametrize(("server", "shape"), [pytest.param(*row, id=f"{row[0].name}-{row[1].name}") for row in SHAPES])
def test_packets_of_polls(front: tuple[Proxy, dict], server: Server, shape: Shape):
    proxy, ways = front
    names = [f"http.{ways[server].name}.packets_{what}" for what in ("rx_total", "tx_total", "unread_polls")]

    def counted() -> list[int]:
        stats = proxy.stats()
        return [stats[name] for name in names]

    before = counted()
    session = Recorded(ways[server].port, shape)
    for text in SAID:
        session.say(text)
        session.hear("node#")
    fetched = sum(packets_in(answer.body, shape.eio) for answer in session.fetched if not shape.is_jsonp)
    expected = [session.brought, fetched, 0]
    if shape.is_jsonp:
        expected = [0, 0, session.brought + len(session.fetched)]
    elif shape is GZIP:
        expected = [session.brought, 0, len(session.fetched)]
    processes.wait_until(
        lambda: [now - then for now, then in zip(counted(), before, strict=True)] == expected,
        lambda: f"{expected}, not {before} to {counted()}",
    )
