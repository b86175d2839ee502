"""Nodes that speak as much Engine.IO as a proxy sees: open packets with a `sid`, and no mercy for unknown ones."""

import json
import secrets
from collections.abc import Callable

from tests.support.adversary import Node, Peer, cut
from tests.support.messages import Head, Message
from tests.support.proxies import World, query
from tests.support.websocket import handshake, switching, upgrade_seen

SESSION_UNKNOWN = b'{"code":1,"message":"Session ID unknown"}'


def response(node: Node, body: bytes, status: bytes = b"200 OK", more: bytes = b"") -> bytes:
    """Every response names its node."""
    head = b"HTTP/1.1 %b\r\nx-node: %d\r\n%bcontent-length: %d\r\n\r\n"
    return head % (status, node.port, more, len(body)) + body


def open_packet(sid: str, eio: str = "4") -> bytes:
    """The body of the answer to a polling handshake, of Engine.IO protocol 3 or 4."""
    opening = {"sid": sid, "upgrades": ["websocket"], "pingInterval": 25000, "pingTimeout": 20000}
    packet = "0" + json.dumps(opening, separators=(",", ":"))
    return (packet if eio == "4" else f"{len(packet)}:{packet}2:40").encode()


def engine_io(
    *,
    encode: Callable[[Node, bytes], bytes] = response,
    how: str = "whole",
    mint: Callable[[], str] = secrets.token_hex,
) -> Callable[[Node, Peer], None]:
    """A `serve` function: sessions live on one node, and every request of another one's is refused.

    `encode` frames the answer with the open packet, `how` cuts it on its way, `mint` makes sids.
    """

    def serve(node: Node, peer: Peer) -> None:
        while True:
            request = peer.read_request()
            node.requests.append(request)
            if upgrade_seen(request.head):
                _websocket(node, peer, request.head)
                return
            for piece in cut(_answer(node, request, encode, mint), how):
                peer << piece

    return serve


def sessions(node: Node) -> set[bytes]:
    """The sids that this node has issued."""
    return node.__dict__.setdefault("sessions", set())


def _answer(node: Node, request: Message, encode: Callable[[Node, bytes], bytes], mint: Callable[[], str]) -> bytes:
    parameters = query(request.head.target)
    if "EIO" not in parameters:
        return response(node, b"page")
    if "sid" not in parameters:
        sid = mint()
        sessions(node).add(sid.encode())
        return encode(node, open_packet(sid, parameters["EIO"][0]))
    known = parameters["sid"][0].encode() in sessions(node)
    return response(node, b"ok") if known else response(node, SESSION_UNKNOWN, b"400 Bad Request")


def _websocket(node: Node, peer: Peer, head: Head) -> None:
    (key,) = head.all(b"sec-websocket-key")
    sid = query(head.target).get("sid", [""])[0].encode()
    if sid and sid not in sessions(node):
        peer << response(node, SESSION_UNKNOWN, b"400 Bad Request", b"connection: close\r\n")
        return
    peer << switching(key, b"X-Node: %d\r\n" % node.port)
    while data := peer.socket.recv(65536):
        peer << data


def ask(
    world: World, target: str, *, method: str = "GET", headers: dict[str, str] | None = None, peer: Peer | None = None
) -> Message:
    """One request, on a connection of its own unless `peer` is given."""
    client = peer or world.client()
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    length = "content-length: 1\r\n" if method == "POST" else ""
    client << f"{method} {target} HTTP/1.1\r\nhost: a\r\n{lines}{length}\r\n{'3' if method == 'POST' else ''}".encode()
    return client.read_response(to=method)


def ask_upgrade(world: World, target: str, headers: bytes = b"") -> Head:
    client = world.client() << handshake(target.encode(), more=headers)
    return client.read_head()


def node_of(answer: Message | Head) -> int:
    """The port of the node that answered."""
    head = answer.head if isinstance(answer, Message) else answer
    return int(head.get(b"x-node") or 0)


def sid_in(body: bytes) -> str:
    """The sid of an open packet of either protocol."""
    return str(json.loads(body[body.index(b"{") : body.index(b"}") + 1])["sid"])
