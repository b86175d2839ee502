"""The official MCP SDK's client and its stateful servers, three of them, with nothing but the protocol's session id."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from mcp import Client
from mcp.client.sse import sse_client

from tests.support import processes, proxies

CLIENTS = 6
CALLS = 3

pytestmark = pytest.mark.departure("Envoy has no affinity by a session id")

Connect = Callable[[int], Client]


def streamable(port: int) -> Client:
    return Client(f"http://127.0.0.1:{port}/mcp", mode="legacy", read_timeout_seconds=60)


def sse(port: int) -> Client:
    return Client(sse_client(f"http://127.0.0.1:{port}/sse"), mode="legacy", read_timeout_seconds=60)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory) -> Iterator[list[int]]:
    ports = processes.free_ports(3)
    output = tmp_path_factory.mktemp("mcp") / "nodes.txt"
    argv = [sys.executable, "-m", "tests.e2e.mcp_nodes", *map(str, ports)]
    process = processes.start(argv, output_path=output, ports=ports)
    yield ports
    process.kill()


@pytest.fixture
def proxy(nodes, tmp_path) -> Iterator[proxies.Proxy]:
    manager = proxies.connection_manager(
        [proxies.route("/", "mcp", timeout="0s")], http_filters=proxies.departures(learn=["mcp"])
    )
    port, admin_port = processes.free_ports(2)
    configuration = proxies.bootstrap(port, admin_port, manager, [proxies.cluster("mcp", nodes)])
    running = proxies.Proxy(configuration, tmp_path, concurrency=2)
    yield running
    running.stop()


@contextlib.asynccontextmanager
async def opened(connect: Connect, port: int) -> AsyncIterator[list[Client]]:
    """All clients, connected: each has a session of its own."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(connect(port)) for _ in range(CLIENTS)]


async def node_of(client: Client, word: str) -> str:
    """The node that answered, which has understood what it was told."""
    result: Any = await client.call_tool("remember", {"word": word})
    told = result.content[0].text.split()
    assert told[-1] == word
    return str(told[0])


@pytest.mark.parametrize("connect", [streamable, sse])
def test_each_session_stays_on_its_node(proxy: proxies.Proxy, connect: Connect):
    async def talk() -> list[set[str]]:
        async with opened(connect, proxy.port) as clients:
            heard: list[set[str]] = [set() for _ in clients]
            for number in range(CALLS):
                names = await asyncio.gather(*(node_of(client, f"word-{number}") for client in clients))
                for seen, name in zip(heard, names, strict=True):
                    seen.add(name)
            return heard

    heard = asyncio.run(talk())
    assert [len(names) for names in heard] == [1] * CLIENTS
    assert len(set.union(*heard)) == 3, "every node has its part of the sessions"


def test_sessions_outlive_the_proxy_where_they_are_more_than_one_connection(proxy: proxies.Proxy, tmp_path):
    """Over SSE a session is the connection that carries its events; over streamable HTTP it is an id."""

    def restart() -> None:
        proxy.process.kill()
        argv = proxies.command(proxy.file, 2)
        proxy.process = processes.start(argv, output_path=tmp_path / "again.txt", ports=[proxy.port, proxy.admin_port])

    async def talk() -> None:
        async with opened(streamable, proxy.port) as clients:
            before = [await node_of(client, "before") for client in clients]
            await asyncio.to_thread(restart)
            assert [await node_of(client, "after") for client in clients] == before

    asyncio.run(talk())
