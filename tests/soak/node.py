"""A node of the soak: `python -m tests.soak.node PORT`. It does what each request asks, faults included.

It knows its Engine.IO sessions and answers 400 to others. What reaches it garbled it prints, as a line `WRONG ...`.
"""

import asyncio
import base64
import hashlib
import json
import random
import secrets
import socket
import sys
from contextlib import suppress
from dataclasses import replace

import uvloop

from tests.soak import wire
from tests.soak.asks import Ask, parsed
from tests.soak.wire import Cut, Head, Wire

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
UNKNOWN = b'{"code":1,"message":"Session ID unknown"}'
INTERIM = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
BACKLOG = 1024


class Node:
    def __init__(self, port: int) -> None:
        self.name = str(port)
        self._sids: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", int(self.name)))
        listening.listen(BACKLOG)
        listening.setblocking(False)
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(listening)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = loop.create_task(self._serve(Wire(connection)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, peer: Wire) -> None:
        """One connection, request after request."""
        with suppress(Cut, ConnectionError):
            while await self._answer_one(peer):
                pass
        peer.close()

    async def _answer_one(self, peer: Wire) -> bool:
        """Whether the connection can take another request."""
        head = await peer.read_head()
        ask, more = parsed(head.first[1])
        if head.first[0] != ask.method or not ask.id:
            print(f"WRONG request line {head.first}", flush=True)
        if head.has("upgrade", "websocket"):
            return await self._tunnel(peer, head, ask, more)
        if ask.fault == "early":
            await peer.send(self._answer(ask, more))
            await self._read_body(peer, head, ask)
            return ask.framing != "close"
        await self._read_body(peer, head, ask)
        await asyncio.sleep(ask.delay_ms / 1000)
        return await self._send_answer(peer, ask, self._answer(ask, more))

    async def _read_body(self, peer: Wire, head: Head, ask: Ask) -> None:
        try:
            got, wanted = await peer.read_body(head), ask.request_body()
        except Cut as cut:
            got, wanted = cut.body, ask.request_body()[: len(cut.body)]
            raise
        finally:
            if got != wanted:
                print(f"WRONG body of {ask}: {len(got)} bytes, {got[:100]!r}", flush=True)

    async def _send_answer(self, peer: Wire, ask: Ask, answer: bytes) -> bool:
        if ask.fault in ("", "leave"):
            await peer.send(answer)
            return not ask.fault and ask.framing != "close"
        await peer.send(answer[: len(answer) * ask.at // 100])
        if ask.fault == "reset":
            peer.vanish()
        elif ask.fault == "stall":
            await peer.read_to_end()
        return False

    def _answer(self, ask: Ask, more: dict[str, str]) -> bytes:
        """Head and body, as they go over the wire."""
        body = ask.answer_body(self.name)
        sid = more.get("sid")
        if sid is not None and sid not in self._sids:
            ask, body = replace(ask, status=400, framing="length"), UNKNOWN
        elif "EIO" in more and sid is None:
            body = self._open_packet()
        head = f"HTTP/1.1 {ask.status} Told\r\nx-node: {self.name}\r\nx-id: {ask.id}\r\n"
        start = INTERIM * ask.interim + head.encode()
        if ask.framing == "chunked" and ask.status not in (204, 304):
            framing, framed = b"transfer-encoding: chunked\r\n\r\n", wire.chunks(body, random.Random(ask.id))
        elif ask.framing == "close":
            framing, framed = b"connection: close\r\n\r\n", body
        else:
            framing, framed = b"\r\n" if ask.status == 204 else b"content-length: %d\r\n\r\n" % len(body), body
        return start + framing + (framed if ask.has_answer_body else b"")

    def _open_packet(self) -> bytes:
        sid = f"{self.name}-{secrets.token_hex(8)}"
        self._sids.add(sid)
        opening = {"sid": sid, "upgrades": ["websocket"], "pingInterval": 25000, "pingTimeout": 20000}
        return b"0" + json.dumps(opening).encode()

    async def _tunnel(self, peer: Wire, head: Head, ask: Ask, more: dict[str, str]) -> bool:
        """Every message comes back with the node's name before it; some say how the tunnel is to end."""
        if more.get("sid", "") not in self._sids | {""}:
            await peer.send(self._answer(ask, more))
            return False
        digest = hashlib.sha1(head.values["sec-websocket-key"].encode() + GUID).digest()
        accept = base64.b64encode(digest).decode()
        lines = f"x-node: {self.name}\r\nx-id: {ask.id}\r\nsec-websocket-accept: {accept}\r\n"
        start = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        await peer.send(f"{start}{lines}\r\n".encode())
        while True:
            opcode, payload = await peer.read_message()
            if payload == b"reset":
                peer.vanish()
                return False
            if opcode != wire.CLOSE:
                payload = self.name.encode() + b" " + payload
            await peer.send(wire.message(payload, opcode, is_client=False))
            if opcode == wire.CLOSE:
                return False


if __name__ == "__main__":
    uvloop.run(Node(int(sys.argv[1])).listen())
