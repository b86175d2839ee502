"""What a connection says about its host."""

import asyncio

import pytest

from fastproxy.health.checks import Outcome
from fastproxy.health.client import MAX_ANSWER_BYTES, Connection
from fastproxy.health.tcp_probe import TcpProber
from fastproxy.model import TcpProbe
from tests.unit.probed_nodes import Node, with_node


def saying(*pieces):
    """Waits for four bytes each time, then says all pieces."""

    async def serve(node: Node, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            node.requests.append(await reader.readexactly(4))
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            if not pieces:
                return

    return serve


def found(serve, times=1, **fields):
    async def work(node):
        prober = TcpProber(TcpProbe(**fields), Connection(node.address))
        outcomes = [(await prober.ask()).outcome for _ in range(times)]
        prober.close()
        return outcomes, node

    return with_node(serve, work)


def test_a_connection_is_enough():
    outcomes, node = found(saying(), times=3)
    assert outcomes == [Outcome.SUCCESS] * 3
    assert node.connections == 3


def test_words():
    outcomes, node = found(saying(b"--PO", b"NG--"), times=3, send=b"PING", receive=(b"PO", b"NG"))
    assert outcomes == [Outcome.SUCCESS] * 3
    assert (node.connections, node.requests) == (1, [b"PING"] * 3)


@pytest.mark.parametrize(
    ("pieces", "outcome"), [((), Outcome.NETWORK), ((bytes(MAX_ANSWER_BYTES + 1),), Outcome.FAILURE)]
)
def test_no_words(pieces, outcome):
    outcomes, _ = found(saying(*pieces), send=b"PING", receive=(b"PONG",))
    assert outcomes == [outcome]


def test_nobody_listens():
    async def work(node):
        await node.__aexit__()
        return await TcpProber(TcpProbe(), Connection(node.address)).ask()

    finding = with_node(saying(), work)
    assert (finding.outcome, finding.reason) == (Outcome.NETWORK, "Connection refused")
