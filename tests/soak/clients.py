"""One client connection of the soak: requests out, answers judged against what was asked."""

import asyncio
import base64
import contextlib
import random

from tests.soak.asks import Ask
from tests.soak.tally import CUT, LOST, REFUSED, RIGHT, WRONG, Outcome
from tests.soak.wire import Cut, Head, Wire, chunks

UNKNOWN = b'"code":1'
SHORT = "/short"  # the route whose timeout ends a stalled answer
PLAIN = "/soak"
POLLING = "/socket.io/?EIO=4&transport=polling"
WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"


def request_head(ask: Ask, path: str, more: str = "") -> bytes:
    target = f"{path}{'&' if '?' in path else '?'}{ask.target}"
    framing = "transfer-encoding: chunked\r\n" if ask.is_chunked else ""
    if not framing and (ask.body or ask.method in ("POST", "PUT")):
        framing = f"content-length: {ask.body}\r\n"
    return f"{ask.method} {target} HTTP/1.1\r\nhost: soak\r\n{framing}{more}\r\n".encode()


def request(ask: Ask, path: str, chance: random.Random) -> bytes:
    return request_head(ask, path) + request_body(ask, chance)


def request_body(ask: Ask, chance: random.Random) -> bytes:
    body = ask.request_body()
    return chunks(body, chance) if ask.is_chunked else body


def handshake(ask: Ask, path: str, chance: random.Random) -> bytes:
    key = base64.b64encode(chance.randbytes(16)).decode()
    upgrade = f"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n"
    return request_head(ask, path, upgrade)


async def exchange(wire: Wire, ask: Ask, path: str, chance: random.Random) -> Outcome:
    """Send it and judge the answer, which may come before all is sent."""
    sender = asyncio.ensure_future(wire.send_pieces(request(ask, path, chance), chance))
    try:
        return await answer(wire, ask)
    finally:
        sender.cancel()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await sender


async def expect(wire: Wire, ask: Ask, path: str, chance: random.Random) -> Outcome:
    """The body follows when the other side has said that it may."""
    await wire.send(request_head(ask, path, "expect: 100-continue\r\n"))
    if (head := await wire.read_head()).status != 100:
        return Outcome(WRONG, f"{head.status} instead of 100")
    await wire.send_pieces(request_body(ask, chance), chance)
    return await answer(wire, ask)


async def answer(wire: Wire, ask: Ask) -> Outcome:
    """The next answer on this connection, held against the one that belongs to this request."""
    try:
        head = await wire.read_head()
        while 100 < head.status < 200 and head.status != 101:
            head = await wire.read_head()
    except Cut:
        return Outcome(CUT, "before a head")
    return await judged(wire, ask, head)


async def judged(wire: Wire, ask: Ask, head: Head) -> Outcome:
    closes = head.has("connection", "close")
    node = head.values.get("x-node", "")
    try:
        body = await wire.read_body(head) if has_body(ask, head) else b""
    except Cut as cut:
        wanted = ask.answer_body(node)
        is_beginning = node and head.values.get("x-id") == ask.id and wanted.startswith(cut.body)
        return Outcome(CUT if is_beginning else WRONG, f"{cut.body[:80]!r}, then cut")
    if head.status == 400 and UNKNOWN in body:
        return Outcome(LOST, f"x-node {node!r}", node, closes)
    if not node:
        return Outcome(REFUSED, f"{head.status} {body[:80]!r}", "", closes)
    if head.values.get("x-id") != ask.id or head.status not in (101, ask.status):
        return Outcome(WRONG, f"an answer to {head}", node, closes)
    is_opening = ask.has_answer_body and body.startswith(b"0{")
    if not is_opening and body != (ask.answer_body(node) if has_body(ask, head) else b""):
        return Outcome(WRONG, f"{len(body)} bytes: {body[:80]!r}", node, closes)
    return Outcome(RIGHT, "", node, closes, body)


def has_body(ask: Ask, head: Head) -> bool:
    if head.status == 101:
        return False
    return ask.has_answer_body if "x-node" in head.values else ask.method != "HEAD"
