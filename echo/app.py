"""One echo node: what it answers to Socket.IO clients, and the pages it serves.

Every reply names the node (`node#<pid>`), so that whoever reads them can tell whether a session stayed where
it began. Knows nothing of processes or ports.
"""

import json
import os
from pathlib import Path
from typing import Any

import socketio

STATIC = Path(__file__).resolve().parent / "static"
CLIENT_LIBRARY = STATIC.parents[1] / "node_modules" / "socket.io-client" / "dist" / "socket.io.min.js"


def node_name() -> str:
    """This node's name, read at each call: the process may have been forked since the module was loaded."""
    return f"node#{os.getpid()}"


def answer(payload: Any) -> str | bytes:
    """The reply to a message: text for text, bytes for bytes, JSON for anything else, led by `node#<pid>: `."""
    prefix = f"{node_name()}: "
    if isinstance(payload, bytes | bytearray):
        return prefix.encode() + payload
    return prefix + (payload if isinstance(payload, str) else json.dumps(payload, default=repr))


class EchoEvents:
    """The handlers of one node; what a handler returns is the ack of the event."""

    def __init__(self, server: socketio.AsyncServer) -> None:
        self._server = server
        for handler in (self.connect, self.message, self.join, self.leave, self.room, self.latency):
            server.on(handler.__name__, handler)

    async def connect(self, sid: str, environ: dict[str, Any]) -> None:
        await self._server.emit("message", answer("welcome"), to=sid)

    async def message(self, sid: str, payload: Any = "") -> str | bytes:
        reply = answer(payload)
        await self._server.emit("message", reply, to=sid)
        return reply

    async def join(self, sid: str, room: str) -> str | bytes:
        await self._server.enter_room(sid, room)
        return answer(f"joined {room}")

    async def leave(self, sid: str, room: str) -> str | bytes:
        await self._server.leave_room(sid, room)
        return answer(f"left {room}")

    async def room(self, sid: str, room: str, payload: Any = "") -> str | bytes:
        """Send to everybody in the room on this node, the sender included if it joined."""
        reply = answer(payload)
        await self._server.emit("room", (room, reply), room=room)
        return reply

    async def latency(self, sid: str) -> str:
        """An ack and nothing else: the shortest round trip there is."""
        return node_name()


def build_server() -> socketio.AsyncServer:
    """A Socket.IO server with the library's own defaults that accepts pages of any origin.

    `always_connect`: the welcome must not overtake the answer to the client's connect packet.
    """
    server = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*", always_connect=True)
    EchoEvents(server)
    return server


def pages() -> dict[str, str]:
    """URL path to file. The client library is left out where npm has not fetched it; the pages cope with that."""
    files = {
        "/": "index.html",
        "/index.html": "index.html",
        "/index2.html": "index.html",
        "/echo.css": "echo.css",
        "/echo.js": "echo.js",
    }
    library = {"/socket.io.min.js": str(CLIENT_LIBRARY)} if CLIENT_LIBRARY.is_file() else {}
    return {path: str(STATIC / name) for path, name in files.items()} | library


def build_app() -> socketio.ASGIApp:
    """The ASGI application of one node."""
    return socketio.ASGIApp(build_server(), static_files=pages())
