"""The nodes of the golden recordings, rebuilt from what they were seen to do."""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.support.adversary import Node, Peer
from tests.support.messages import Head
from tests.support.websocket import KEY, accept_of, upgrade_seen

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
TAKEN_S = 3.0  # has the proxy to read what it was sent
Serve = Callable[[Node, Peer], None]
_SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
_UNTIL_CLOSE = ("/r/eof", "/r/eof10", "/r/cl10", "/r/close", "/r/short", "/r/nothing")


@cache
def canned() -> dict[str, bytes]:
    """The odd responses of family 09 by path; one of them is described rather than given."""
    from tests.support import golden

    given = golden.read(golden.FOLDER / "09-responses.json")["upstream_responses"]
    big = b"HTTP/1.1 200 OK\r\nx-big: " + b"a" * 70_000 + b"\r\ncontent-length: 2\r\n\r\nok"
    return {path: big if isinstance(raw, dict) else raw.encode("latin-1") for path, raw in given.items()}


def as_played(response: bytes) -> bytes:
    """A recorded stream, changed where these nodes do more than the recorded ones.

    The 101s of family 10 had no `sec-websocket-accept`, which is no answer to a handshake (RFC 6455, section 4.2.2).
    """
    head, end, rest = response.partition(b"\r\n\r\n")
    if b"connection: Upgrade" in head and b"sec-websocket-accept" not in head:
        head += b"\r\nsec-websocket-accept: " + accept_of(KEY)
    return head + end + rest


def forget(node: Node) -> None:
    """Begin a new vector: what was received so far is not asked for again."""
    node.__dict__.update(received=bytearray(), count=0)


def received(node: Node) -> bytes:
    """Everything since `forget`, but for the request that shows whether a connection lives."""
    return bytes(node.__dict__["received"]).partition(b"GET /probe ")[0]


def count(node: Node) -> int:
    """Whole requests since `forget`; heads for a node that does not read on, connections for one that reads none."""
    return int(node.__dict__["count"])


def _record(node: Node, peer: Peer) -> Head:
    """The next request's head; everything received goes to the node's recording as it comes."""
    raw = b""
    while not raw.endswith(b"\r\n\r\n"):
        raw += peer.read_exactly(1)
    node.__dict__["received"] += raw
    head = Head.parse(raw)
    return Head(head.start, tuple((name.lower(), value) for name, value in head.lines))


def _record_body(node: Node, peer: Peer, head: Head) -> None:
    _read_body(node, peer, head)
    node.__dict__["count"] += head.target != b"/probe"


def _read_body(node: Node, peer: Peer, head: Head) -> None:
    if head.get(b"transfer-encoding") == b"chunked":
        raw = b""
        while not raw.endswith(b"0\r\n\r\n"):
            byte = peer.read_exactly(1)
            raw += byte
            node.__dict__["received"] += byte
        return
    for _ in range(int(head.get(b"content-length") or 0)):
        node.__dict__["received"] += peer.read_exactly(1)


def _by_path(node: Node, peer: Peer) -> None:
    """Family 09: canned responses below /r/, a websocket echo, else `ok`."""
    while True:
        head = _record(node, peer)
        if upgrade_seen(head):
            _echo(node, peer)
            return
        _record_body(node, peer, head)
        path = head.target.decode("latin-1")
        answer = canned().get(path, OK)
        if head.method == b"HEAD":
            answer = answer[: answer.index(b"\r\n\r\n") + 4]
        peer << answer
        if path in _UNTIL_CLOSE:
            return


def _echo(node: Node, peer: Peer) -> None:
    """Answers the handshake, then `echo:` and what came; ends after `bye`."""
    peer << _SWITCHING + b"Sec-WebSocket-Accept: " + accept_of(KEY) + b"\r\n\r\n"
    while data := peer.read_some():
        node.__dict__["received"] += data
        if data == b"bye":
            peer << b"closing"
            return
        peer << b"echo:" + data


def _websocket(node: Node, peer: Peer) -> None:
    if upgrade_seen(_record(node, peer)):
        node.__dict__["count"] += 1
        _echo(node, peer)
    else:
        peer << OK


def _answering(answer: bytes, *, delay_s: float = 0) -> Serve:
    def serve(node: Node, peer: Peer) -> None:
        while True:
            head = _record(node, peer)
            _record_body(node, peer, head)
            time.sleep(delay_s)
            peer << (answer[: answer.index(b"\r\n\r\n") + 4] if head.method == b"HEAD" else answer)

    return serve


def _better_at_the_second_try(node: Node, peer: Peer) -> None:
    while True:
        _record_body(node, peer, _record(node, peer))
        status = b"503 Service Unavailable" if count(node) == 1 else b"200 OK"
        peer << b"HTTP/1.1 %b\r\ncontent-length: 3\r\nx-try: %d\r\n\r\n%b" % (status, count(node), status[:3])


def _after_head(answer: bytes, end: Callable[[Peer], None]) -> Serve:
    """Reads a head, sends something, ends when the proxy has it: a reset would take it along."""

    def serve(node: Node, peer: Peer) -> None:
        head = _record(node, peer)
        node.__dict__["count"] += head.target != b"/probe"
        if answer:
            peer << answer
            _let_it_be_read(peer)
        end(peer)

    return serve


def _let_it_be_read(peer: Peer) -> None:
    """Also by a proxy that wants no more of it."""
    deadline = time.monotonic() + TAKEN_S
    while peer.unread_by_proxy() and time.monotonic() < deadline:
        time.sleep(0.001)


def _hold(peer: Peer) -> None:
    peer.socket.settimeout(60)
    peer.read_to_end()


def _at_once(end: Callable[[Peer], None]) -> Serve:
    def serve(node: Node, peer: Peer) -> None:
        node.__dict__["count"] += 1
        end(peer)

    return serve


_HALF_LENGTH = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"
_HALF_CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"
_EARLY = b"HTTP/1.1 413 Payload Too Large\r\ncontent-length: 3\r\n\r\nbig"
_STATUS = {
    "s500": b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\n\r\nbody",
    "s503": b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbody",
    "s404": b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nbody",
    "s409": b"HTTP/1.1 409 Conflict\r\ncontent-length: 4\r\n\r\nbody",
    "s503over": b"HTTP/1.1 503 Service Unavailable\r\nx-envoy-overloaded: true\r\nretry-after: 5\r\n"
    b"content-length: 4\r\n\r\nbody",
}
_STATUS |= dict.fromkeys(("fa", "fb", "fc"), _STATUS["s503"])
_BEHAVIOURS: dict[str, Serve] = {
    "by path": _by_path,
    "b_ok": _answering(OK),
    "b_slow": _answering(OK, delay_s=0.6),
    "b_ws": _websocket,
    "b_hang": _after_head(b"", _hold),
    "b_stall": _after_head(_HALF_LENGTH, _hold),
    "b_rst_before": _after_head(b"", Peer.reset),
    "b_fin_before": _after_head(b"", Peer.close),
    "b_rst_accept": _at_once(Peer.reset),
    "b_fin_accept": _at_once(Peer.close),
    "b_mid_cl_rst": _after_head(_HALF_LENGTH, Peer.reset),
    "b_mid_cl_fin": _after_head(_HALF_LENGTH, Peer.close),
    "b_mid_chunk_rst": _after_head(_HALF_CHUNKED, Peer.reset),
    "b_mid_chunk_fin": _after_head(_HALF_CHUNKED, Peer.close),
    "b_partial_head": _after_head(b"HTTP/1.1 200 OK\r\nx-a: ", Peer.close),
    "b_garbage": _after_head(b"garbage\r\n\r\n", _hold),
    "b_bighead": _after_head(b"HTTP/1.1 200 OK\r\nx-big: " + b"a" * 200_000 + b"\r\n\r\n", _hold),
    "b_early": _after_head(_EARLY, _hold),
    "b_closed_keepalive": _after_head(OK, Peer.close),
}


def behaviour(name: str, upstream: dict[str, Any]) -> Serve:
    """The node called `name` in a recording; "f" is a function of the recorder, known by what it answered."""
    kind = str(upstream["behaviour"])
    if kind != "f":
        return _BEHAVIOURS[kind]
    return _answering(_STATUS[name]) if name in _STATUS else _better_at_the_second_try
