"""Nodes that say in their answer which one they are and what they were sent."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    port = writer.get_extra_info("sockname")[1]
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head[:-4].decode("latin-1").split("\r\n")
            body = json.dumps({"node": port, "first": first, "lines": lines}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nx-node: n\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


@contextmanager
def serving(ports: list[int]) -> Iterator[None]:
    """Nodes on these ports of 127.0.0.1, in a thread of their own."""
    loop = asyncio.new_event_loop()

    async def start() -> list[asyncio.Server]:
        return [await asyncio.start_server(_serve, "127.0.0.1", port) for port in ports]

    servers = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for server in servers:
            server.close()
        loop.close()
