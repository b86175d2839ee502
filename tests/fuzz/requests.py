"""A target for atheris: whatever a client sends, the node gets whole requests that nobody can read in two ways.

The bytes go through an engine with real sockets. What reaches the node is read by a plain reader: no byte may be left
that belongs to no request, and the node's answers reach the client in their number.
"""

import re
from contextlib import suppress

from tests.fuzz.fuzzing import Cutter, fuzz
from tests.fuzz.plain_heads import fields_of, is_plain, read_chunks
from tests.unit.engine_world import Peer, World, ok

WORLD = World()
_REQUEST = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [^\x00-\x20\x7f]+ HTTP/1\.1", re.DOTALL)


def body_end(head: bytes, rest: bytes) -> int | None:
    """How many bytes behind the head are its body; None when not all of them are there."""
    fields = dict(fields_of(head))
    if b"transfer-encoding" in fields:
        assert fields[b"transfer-encoding"] == b"chunked"
        read = read_chunks(rest)
        return None if read is None else len(rest) - len(read[1])
    length = int(fields.get(b"content-length", b"0"))
    return length if length <= len(rest) else None


def requests_in(data: bytes) -> tuple[int, bytes]:
    """How many whole requests there are, and the beginning of another one."""
    count = 0
    while b"\r\n\r\n" in data:
        end = data.index(b"\r\n\r\n") + 4
        head = data[:end]
        assert _REQUEST.fullmatch(head.partition(b"\r\n")[0]), head
        assert is_plain(head), head
        assert [name for name, _ in fields_of(head)].count(b"host") == 1, head
        size = body_end(head, data[end:])
        if size is None:
            return count, data
        count, data = count + 1, data[end + size :]
    return count, data


class Upstream:
    """The node's end of every connection: answers each whole request with 200."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.answered: dict[Peer, int] = {}

    def turn(self) -> None:
        while WORLD.nodes[0].is_asked():
            self.peers.append(WORLD.nodes[0].accept())
        for peer in self.peers:
            peer.read()
            count, _ = requests_in(peer.got)
            for _ in range(count - self.answered.get(peer, 0)):
                with suppress(OSError):
                    peer.sock.send(ok(b"yes"))
            self.answered[peer] = count

    def close(self) -> None:
        for peer in self.peers:
            peer.sock.close()
            WORLD.peers.remove(peer)


def one_input(data: bytes) -> None:
    client, upstream = WORLD.client(), Upstream()
    try:
        for piece in Cutter(data[:8192]).pieces():
            with suppress(OSError):
                client.sock.send(piece)
            turn(client, upstream)
        with suppress(OSError):
            client.shut()
        for _ in range(1000):
            turn(client, upstream)
            if client.ended:
                break
        assert client.ended, "the client waits in vain"
        answers = client.got.count(b"\r\n\r\nyes")
        assert answers <= sum(upstream.answered.values())
    finally:
        client.sock.close()
        WORLD.peers.remove(client)
        upstream.close()
        WORLD.until(lambda: WORLD.engine.active == WORLD.listening)


def turn(client: Peer, upstream: Upstream) -> None:
    WORLD.turn(0.001)
    upstream.turn()
    client.read()


if __name__ == "__main__":
    fuzz(one_input)
