"""Nodes for probes: servers in the loop of the test that answer as it says."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from fastproxy.model import Address

T = TypeVar("T")
Serve = Callable[["Node", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Node:
    """`requests` are the heads and bodies that came, `connections` counts those that were made."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self.address = Address("127.0.0.1", 0)
        self.connections = 0
        self.requests: list[bytes] = []
        self._serving: set[asyncio.Task[None] | None] = set()

    async def __aenter__(self) -> "Node":
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.address = Address("127.0.0.1", self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in filter(None, self._serving):
            task.cancel()
        while self._serving:
            await asyncio.sleep(0)
        await asyncio.sleep(0)  # both ends are told that it is over

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        self._serving.add(task)
        try:
            with suppress(OSError, EOFError, asyncio.CancelledError):
                await self._serve(self, reader, writer)
        finally:
            writer.close()
            self._serving.discard(task)


def answering(*answers: bytes) -> Serve:
    """Each request gets the next answer, the last one for ever; after an empty one the connection is closed."""

    async def serve(node: Node, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            node.requests.append(await read_request(reader))
            answer = answers[min(len(node.requests), len(answers)) - 1]
            if not answer:
                return
            writer.write(answer)

    return serve


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head + (await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b"")


def ok(body: bytes = b"", more: bytes = b"", status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\n%bcontent-length: %d\r\n\r\n%b" % (status, more, len(body), body)


def with_node(serve: Serve, work: Callable[[Node], Awaitable[T]]) -> T:
    """What `work` returns, in front of a node that serves so."""

    async def run() -> T:
        async with Node(serve) as node:
            return await asyncio.wait_for(work(node), 30)

    return asyncio.run(run())
