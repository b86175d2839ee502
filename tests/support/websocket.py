"""Handshakes as browsers send them and nodes answer them (RFC 6455, section 4), byte for byte."""

import base64
import hashlib
import os

from tests.support.adversary import Peer
from tests.support.messages import Head
from tests.support.proxies import World

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_of(key: bytes) -> bytes:
    return base64.b64encode(hashlib.sha1(key + _GUID).digest())


def new_key() -> bytes:
    return base64.b64encode(os.urandom(16))


def handshake(target: bytes = b"/ws", *, connection: bytes = b"Connection: Upgrade\r\n", more: bytes = b"") -> bytes:
    return (
        b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n" + connection + b"Upgrade: websocket\r\n"
        b"Sec-WebSocket-Key: " + KEY + b"\r\nSec-WebSocket-Version: 13\r\n" + more + b"\r\n"
    )


def switching(key: bytes = KEY, more: bytes = b"") -> bytes:
    """The 101 that answers a handshake with that key."""
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept_of(key) + b"\r\n" + more + b"\r\n"
    )


def frame(payload: bytes, opcode: int = 1, *, final: bool = True, masked: bool = False) -> bytes:
    """One frame (RFC 6455, section 5.2); `opcode` may have bits of extensions."""
    size = len(payload)
    wide = 0 if size < 126 else 2 if size < 65536 else 8
    length, more = {0: size, 2: 126, 8: 127}[wide], size.to_bytes(8, "big")[8 - wide :]
    key = os.urandom(4) if masked else b""
    if masked:
        payload = bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))
    return bytes([0x80 * final | opcode, 0x80 * masked | length]) + more + key + payload


def upgrade_seen(head: Head) -> bool:
    """Whether a node takes this request for a websocket handshake."""
    tokens = b",".join(head.all(b"connection")).lower().split(b",")
    protocols = [each.lower() for each in head.all(b"upgrade")]
    return b"upgrade" in [each.strip() for each in tokens] and protocols == [b"websocket"]


def tunnel(world: World, **how: int) -> tuple[Peer, Peer]:
    """A client and a node with an open tunnel between them."""
    client = world.client(**how) << handshake()
    node = world.node.busy_peer()
    assert upgrade_seen(node.read_head())
    node << switching()
    assert client.read_head().status == 101
    return client, node
