"""How tunnels end: what one side has sent, and the proxy has taken, arrives at the other, however slowly that reads.

Each function plays one fault and returns what is wrong with the outcome, or nothing.
"""

import fcntl
import struct
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from tests.corpus.front import Front
from tests.support.adversary import Peer
from tests.support.punctual import within

TAIL_BYTES = 4_000_000
LONG_TAIL_BYTES = 8_000_000
SLOWLY_S = 1.0  # how long a slow reader reads slowly: longer than the proxy's timers
PACE_S = 0.05
AT_ONCE_S = 0.5
HELD_BACK_S = 0.1  # without a byte taken
PIECE_BYTES = 5000  # in PACE_S: 100 kB/s
PATTERN = bytes(range(256))


def tail_of_a_tunnel(front: Front) -> str:
    """A node that sends much and ends, and a client that reads slowly: every byte arrives."""
    client, node = front.tunnel(receive_buffer=4096)
    data = bytes(range(256)) * (TAIL_BYTES // 256)
    node.socket.sendall(data[:-100_000])
    node << data[-100_000:]
    node.half_close()
    received = 0
    more = b"begun"
    with suppress(ConnectionResetError, TimeoutError):
        while more:
            with within(front.stall_s):
                more = client.socket.recv(16384)
                time.sleep(0.0002)
            received += len(more)
    received += len(client._take(1 << 20))
    return "" if received == len(data) else f"{len(data) - received} of {len(data)} bytes are lost"


def client_that_talks_to_an_ended_tunnel(front: Front) -> str:
    """A node sends much and ends while the client goes on sending: what the node sent still arrives."""
    client, node = front.tunnel(receive_buffer=4096)
    data = bytes(range(256)) * 4000
    node.socket.sendall(data)
    node.half_close()
    received = 0
    more = b"begun"
    with suppress(ConnectionResetError, BrokenPipeError, TimeoutError):
        while more:
            with within(front.stall_s):
                more = client.socket.recv(16384)
            received += len(more)
            client << b"still here"
    return "" if received == len(data) else f"{len(data) - received} of {len(data)} bytes are lost"


def release_of_a_tunnels_client(front: Front) -> str:
    """Both directions have ended at the node: the client is told at once. A timer would hold it a second time, too; a
    busy machine does not."""
    waits_s: list[float] = []
    while not waits_s or (min(waits_s) >= AT_ONCE_S and len(waits_s) < 2):
        client, node = front.tunnel()
        began = time.monotonic()
        node.close()
        with suppress(ConnectionResetError):
            client.read_to_end()
        waits_s.append(time.monotonic() - began)
    return "" if min(waits_s) < AT_ONCE_S else f"held for {min(waits_s):.1f} s"


def lost(received: bytes, sent: int) -> str:
    """What is wrong with `received`, which should be so many bytes of the pattern."""
    if received != (PATTERN * (len(received) // len(PATTERN) + 1))[: len(received)]:
        return "other bytes than were sent"
    return "" if len(received) == sent else f"{sent - len(received)} of {sent} bytes are lost"


class Pouring(threading.Thread):
    """One end sends so many bytes, as fast as they are taken, and ends its direction."""

    def __init__(self, peer: Peer, size: int) -> None:
        super().__init__(daemon=True)
        self.peer, self.size = peer, size
        peer.socket.settimeout(30)
        self.start()

    def run(self) -> None:
        with suppress(OSError):
            self.peer.socket.sendall(PATTERN * (self.size // len(PATTERN)))
            self.peer.half_close()


def drink(front: Front, *readers: Peer, slowly_s: float = SLOWLY_S) -> list[bytes]:
    """Read what comes, slowly for so long and then as fast as it comes, up to the end."""
    got = [bytearray() for _ in readers]
    quick = time.monotonic() + slowly_s
    left = set(range(len(readers)))
    while left:
        is_slow = time.monotonic() < quick
        for number in sorted(left):
            data = b""
            with within(front.stall_s), suppress(OSError):
                data = readers[number].socket.recv(PIECE_BYTES if is_slow else 1 << 20)
            got[number] += data
            if not data:
                left.remove(number)
        if is_slow:
            with within(front.stall_s):
                time.sleep(PACE_S)
    return [bytes(each) for each in got]


def slow_client(front: Front) -> str:
    client, node = front.narrow_tunnel()
    Pouring(node, LONG_TAIL_BYTES)
    (got,) = drink(front, client)
    return lost(got, LONG_TAIL_BYTES)


def slow_node(front: Front) -> str:
    client, node = front.narrow_tunnel()
    Pouring(client, LONG_TAIL_BYTES)
    (got,) = drink(front, node)
    return lost(got, LONG_TAIL_BYTES)


def slow_both(front: Front) -> str:
    client, node = front.narrow_tunnel()
    Pouring(node, LONG_TAIL_BYTES)
    Pouring(client, LONG_TAIL_BYTES)
    from_node, from_client = drink(front, client, node)
    return lost(from_node, LONG_TAIL_BYTES) or lost(from_client, LONG_TAIL_BYTES)


def node_goes_on(front: Front) -> str:
    """The client has ended its side, and is still told much."""
    client, node = front.narrow_tunnel()
    client << b"that is all"
    client.half_close()
    Pouring(node, LONG_TAIL_BYTES)
    (got,) = drink(front, client)
    return lost(got, LONG_TAIL_BYTES)


def send_until_held_back(peer: Peer) -> int:
    """Send for as long as the proxy takes anything: how much its kernel has for certain."""
    peer.socket.settimeout(HELD_BACK_S)
    sent = 0
    with suppress(TimeoutError):
        while True:
            sent += peer.socket.send((PATTERN * 257)[sent % len(PATTERN) :])
    return sent - struct.unpack("i", fcntl.ioctl(peer.socket, termios.TIOCOUTQ, bytes(4)))[0]


def gone(front: Front, first: Peer, second: Peer, reset: bool) -> str:
    """One side leaves both ways while the other, which has not read yet, talks to it."""
    sent = send_until_held_back(first)
    with within(front.stall_s - HELD_BACK_S):
        (first.reset if reset else first.close)()
        with suppress(OSError):
            for _ in range(5):
                second << b"still here"
                time.sleep(0.01)
    (got,) = drink(front, second, slowly_s=0)
    return lost(got, max(sent, len(got)))


def client_resets(front: Front) -> str:
    client, node = front.narrow_tunnel()
    return gone(front, client, node, reset=True)


def node_resets(front: Front) -> str:
    client, node = front.narrow_tunnel()
    return gone(front, node, client, reset=True)


def client_closes(front: Front) -> str:
    client, node = front.narrow_tunnel()
    return gone(front, client, node, reset=False)


def node_closes(front: Front) -> str:
    client, node = front.narrow_tunnel()
    return gone(front, node, client, reset=False)


TUNNEL_FAULTS: dict[str, Callable[[Front], str]] = {
    "the tail of a tunnel, the client reads slowly": tail_of_a_tunnel,
    "the tail of a tunnel, the client still sends": client_that_talks_to_an_ended_tunnel,
    "8 MB of tail, the client reads 100 kB/s": slow_client,
    "8 MB of tail, the node reads 100 kB/s": slow_node,
    "8 MB of tail both ways, both read 100 kB/s": slow_both,
    "the client has ended, its node goes on for 8 MB": node_goes_on,
    "the node closes behind a tail, the client still sends": node_closes,
    "the client closes behind a tail, the node still sends": client_closes,
    "the node resets behind a tail, the client still sends": node_resets,
    "the client resets behind a tail, the node still sends": client_resets,
    "the client of a tunnel that has ended is released": release_of_a_tunnels_client,
}
