"""`python -m tests.conformance.orderly_node PORT`: an echo whose words depend on nothing but the bytes that it gets.

Each frame is answered before the next one is looked at, however they arrive: so two transcripts can be compared.
"""

import asyncio
import sys
from contextlib import suppress

import wsproto
from wsproto.events import CloseConnection, Event, Message, Ping, Request
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import RemoteProtocolError

READ_BYTES = 65536
NO_UTF_8 = 1007


class Orderly:
    """One connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._protocol = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        self._writer = writer
        self._message: list[str | bytes | bytearray] = []
        self.has_ended = False

    def take(self, data: bytes) -> None:
        """Answer all that is complete. `has_ended` afterwards when the connection is over."""
        try:
            self._protocol.receive_data(data)
            for event in self._protocol.events():
                self._answer(event)
                if self.has_ended:
                    return
        except RemoteProtocolError as error:
            if error.event_hint is not None:
                self._send(error.event_hint)
            self.has_ended = True

    def _answer(self, event: Event) -> None:
        if isinstance(event, Request):
            self._send(wsproto.events.AcceptConnection(extensions=[PerMessageDeflate()]))
        elif isinstance(event, Message):
            self._message.append(event.data)
            if event.message_finished:
                whole = type(event.data)().join(self._message)
                self._message.clear()
                self._send(wsproto.events.Message(data=whole))
        elif isinstance(event, Ping):
            self._send(event.response())
        elif isinstance(event, CloseConnection):
            self.has_ended = True
            self._send(event.response())

    def _send(self, event: Event) -> None:
        if isinstance(event, CloseConnection) and event.code == NO_UTF_8:
            event = CloseConnection(code=NO_UTF_8)  # the decoder's words tell where in the piece that it had at a time
        self._writer.write(self._protocol.send(event))


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one side ends; whatever else the client sends is read, so that the end is no reset."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        orderly = Orderly(writer)
        orderly.take(await reader.readuntil(b"\r\n\r\n"))  # alone: the library forgets what stands behind it
        while not orderly.has_ended and (data := await reader.read(READ_BYTES)):
            orderly.take(data)
            await writer.drain()
        writer.write_eof()
        while await reader.read(READ_BYTES):
            pass
    writer.close()


async def main(port: int) -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
