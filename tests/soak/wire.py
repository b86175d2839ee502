"""One end of a connection in asyncio, byte for byte: HTTP/1.1 messages and WebSocket messages, whole or cut off."""

import asyncio
import contextlib
import os
import random
import socket
import struct
from dataclasses import dataclass

READ_BYTES = 262_144
TEXT, CLOSE = 1, 8  # opcodes (RFC 6455, section 5.2)


class Cut(Exception):
    """The stream ended, or was reset, before the message did; `body` is what came of it."""

    def __init__(self, body: bytes = b"") -> None:
        super().__init__(f"after {len(body)} bytes of a body")
        self.body = body


@dataclass(frozen=True, slots=True)
class Head:
    """A request or response head: the three parts of its first line, header values by lower-case name."""

    first: tuple[str, str, str]
    values: dict[str, str]

    @property
    def status(self) -> int:
        return int(self.first[1])

    def has(self, name: str, token: str) -> bool:
        return token in self.values.get(name, "").lower()


class Wire:
    """One socket. `vanish` resets it, `close` ends it with a FIN."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._held = bytearray()
        self._loop = asyncio.get_running_loop()
        self._read_bytes, self._pause_s = READ_BYTES, 0.0

    def read_slowly(self, at_once_bytes: int, pause_s: float) -> None:
        """From now on, so many bytes at a time and nothing in between."""
        self._read_bytes, self._pause_s = at_once_bytes, pause_s

    @classmethod
    async def connect(cls, port: int, receive_buffer_bytes: int = 0) -> "Wire":
        connection = socket.socket()
        if receive_buffer_bytes:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = cls(connection)
        await wire._loop.sock_connect(connection, ("127.0.0.1", port))
        return wire

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._socket, data)

    async def send_pieces(self, data: bytes, chance: random.Random) -> None:
        """Cut at random places, or not at all."""
        cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.choice((0, 0, 1, 3))))
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            await self.send(data[start:end])
            await asyncio.sleep(0)

    async def fill(self) -> None:
        """Take what is there, waiting for it. Cut at the end of the stream, however it ends."""
        if self._pause_s:
            await asyncio.sleep(self._pause_s)
        with contextlib.suppress(ConnectionError):
            if data := await self._loop.sock_recv(self._socket, self._read_bytes):
                self._held += data
                return
        raise Cut

    async def read_to_end(self) -> bytes:
        with contextlib.suppress(Cut):
            while True:
                await self.fill()
        return self._take(len(self._held))

    async def read_exactly(self, size: int) -> bytes:
        while len(self._held) < size:
            try:
                await self.fill()
            except Cut:
                raise Cut(self._take(len(self._held))) from None
        return self._take(size)

    async def read_line(self) -> bytes:
        while (end := self._held.find(b"\r\n")) < 0:
            await self.fill()
        return self._take(end + 2)[:-2]

    async def read_head(self) -> Head:
        while (end := self._held.find(b"\r\n\r\n")) < 0:
            await self.fill()
        start, *lines = self._take(end + 4)[:-4].decode("latin-1").split("\r\n")
        one, two, three = [*start.split(" ", 2), "", ""][:3]
        pairs = (line.partition(":") for line in lines)
        return Head((one, two, three), {name.lower(): value.strip() for name, _, value in pairs})

    async def read_body(self, head: Head) -> bytes:
        """Framed as the head says; Cut with what came when it ends before that."""
        if head.has("transfer-encoding", "chunked"):
            return await self._read_chunked()
        return await self.read_exactly(int(head.values.get("content-length", "0")))

    async def _read_chunked(self) -> bytes:
        body = bytearray()
        try:
            while size := int((await self.read_line()).partition(b";")[0], 16):
                body += await self.read_exactly(size)
                await self.read_exactly(2)
            await self.read_line()
        except Cut as cut:
            raise Cut(bytes(body) + cut.body) from None
        return bytes(body)

    async def read_message(self) -> tuple[int, bytes]:
        """Opcode and payload of one unfragmented WebSocket message, unmasked."""
        opcode, length = await self.read_exactly(2)
        size = length & 127
        if size >= 126:
            size = int.from_bytes(await self.read_exactly(2 if size == 126 else 8), "big")
        key = await self.read_exactly(4) if length & 128 else b""
        payload = await self.read_exactly(size)
        return opcode & 15, masked(payload, key) if key else payload

    def end_sending(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def vanish(self) -> None:
        """Gone with a reset; what was not read or sent yet is lost."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self._socket.close()

    def _take(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken


def masked(payload: bytes, key: bytes) -> bytes:
    size = len(payload)
    mask = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")


def message(payload: bytes, opcode: int = TEXT, *, is_client: bool) -> bytes:
    """A WebSocket message in one frame; a client's is masked."""
    size = len(payload)
    wide = 0 if size < 126 else 2 if size < 65536 else 8
    short = {0: size, 2: 126, 8: 127}[wide]
    head = bytes([0x80 | opcode, 0x80 * is_client | short]) + size.to_bytes(8, "big")[8 - wide :]
    if not is_client:
        return head + payload
    key = os.urandom(4)
    return head + key + masked(payload, key)


def chunks(body: bytes, chance: random.Random) -> bytes:
    """The body in chunks of random sizes, with the last chunk."""
    pieces, at = [], 0
    while at < len(body):
        size = min(len(body) - at, int(2 ** chance.uniform(4, 17)))
        pieces.append(b"%x\r\n%b\r\n" % (size, body[at : at + size]))
        at += size
    return b"".join(pieces) + b"0\r\n\r\n"
