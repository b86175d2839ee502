"""`python -m tests.conformance.echo_node PORT`: a WebSocket server that returns every message, also compressed ones."""

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


async def echo(connection: ServerConnection) -> None:
    """Until either side closes; a message of any size, text as text."""
    try:
        async for message in connection:
            await connection.send(message)
    except ConnectionClosed:
        return  # the peer broke the protocol, and the library has told it so


async def main(port: int) -> None:
    async with serve(echo, "127.0.0.1", port, max_size=None, ping_interval=None):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
