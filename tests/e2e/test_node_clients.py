"""Node's socket.io-client through the proxy, with no header of its own: no Referer, no cookie."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.e2e.crowd import node_clients
from tests.e2e.stack import Stack, nodes_of

CLIENTS = 20
ROUNDS = 5
SPLIT = "without a Referer there is nothing to hash, and Envoy chooses a node for each request at random"
Result = dict[str, Any]

ORDERS = [
    pytest.param(["polling", "websocket"], id="default", marks=pytest.mark.departure(SPLIT)),
    pytest.param(["polling"], id="polling", marks=pytest.mark.departure(SPLIT)),
    pytest.param(["websocket"], id="websocket"),
    pytest.param(["websocket", "polling"], id="websocket-first"),
]


@pytest.fixture
def talk(tool):
    """`talk(url, transports)` is what each of 20 clients saw."""

    async def run(url: str, transports: list[str]) -> list[Result]:
        async with node_clients(tool("node", "nodejs")) as clients:
            await clients.do("open", groups=[{"url": url, "version": 4, "transports": transports, "count": CLIENTS}])
            await clients.do("talk", rounds=ROUNDS)
            await clients.do("upgraded")
            await clients.do("talk", rounds=ROUNDS)
            return list(await clients.do("report"))

    return lambda url, transports: asyncio.run(run(url, transports))


def check(result: Result, transports: list[str]) -> str:
    """A session without a flaw; returns its node."""
    assert result["errors"] == []
    assert result["disconnects"] == []
    assert len(result["sids"]) == 1
    assert result["began"] == transports[0]
    assert result["ended"] == ("websocket" if "websocket" in transports else "polling")
    nodes = nodes_of([*result["replies"], *result["binary"]])
    assert len(nodes) == 1, f"replies from {nodes}"
    assert result["binary"] == [f"{node}: \0{chr(number)}\xff" for node in nodes for number in range(ROUNDS)] * 2
    return nodes.pop()


@pytest.mark.parametrize("transports", ORDERS)
def test_sessions_on_the_ring(ring: Stack, talk, transports):
    nodes = Counter(check(result, transports) for result in talk(ring.url, transports))
    assert set(nodes) <= ring.node_names()
    assert len(nodes) > 1  # of 20 sessions without a key all on one node: less likely than 1 to 10^9


@pytest.mark.parametrize("transports", [order.values[0] for order in ORDERS], ids=[order.id for order in ORDERS])
def test_sessions_on_one_node(one_node: Stack, talk, transports):
    nodes = {check(result, transports) for result in talk(one_node.url, transports)}
    assert nodes == one_node.node_names()
