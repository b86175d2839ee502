"""What a node does over time, where bytes alone do not say it: silence, slowness, the tail of a tunnel, a race.

Each function plays one fault and returns what is wrong with the outcome, or nothing. They know no proxy.
"""

import time
from collections.abc import Callable
from contextlib import suppress

from tests.corpus.front import Front
from tests.corpus.strict import Stream, read_response
from tests.corpus.tunnel_faults import TUNNEL_FAULTS
from tests.support.adversary import Peer
from tests.support.punctual import within

GET = b"GET /fault HTTP/1.1\r\nhost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
GATEWAY = (502, 503, 504)


def answered(client: Peer) -> int:
    """The status of a complete answer, 0 for one that was visibly cut or none."""
    stream = Stream(lambda data: read_response(data, b"GET", False))
    with suppress(OSError):
        while not any(not each.is_interim for each in stream.messages):
            more = client.read_some()
            if not more:
                break
            stream.feed(more)
    return stream.messages[-1].status if stream.messages else 0


def asked(front: Front) -> tuple[Peer, Peer]:
    """A client, and the node that its request has come to."""
    client = front.client() << GET
    node = front.node.busy_peer()
    node.read_head()
    return client, node


def stall_behind(said: bytes, *allowed: int) -> Callable[[Front], str]:
    """A node that says no more than that; the client must be answered with one of these, 0 being a cut answer."""

    def stall(front: Front) -> str:
        with within(front.stall_s):
            client, node = asked(front)
            node << said
        status = answered(client)
        return "" if status in allowed else f"answered {status}"

    return stall


def trickle(front: Front) -> str:
    """A byte at a time, none later than a timer allows: the answer is the answer."""
    with within(front.stall_s):
        client, node = asked(front)
        node << OK[:1]
    for at in range(1, len(OK)):
        with within(front.stall_s):
            time.sleep(0.001)
            node << OK[at : at + 1]
    status = answered(client)
    return "" if status == 200 else f"answered {status}"


def answer_that_overtakes_a_request(front: Front) -> str:
    """A node says more on a kept connection just when the next request is on its way: that is no answer to it."""
    with within(front.stall_s):
        client, node = asked(front)
        node << OK
    assert answered(client) == 200
    with front.stopped():
        client << GET.replace(b"/fault", b"/next")
        node << b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"
    with suppress(AssertionError, OSError):
        node.socket.settimeout(0.3)
        node.read_head()  # where the request came on this connection, nobody answers it
    client.socket.settimeout(0.3)
    with suppress(OSError):
        return "another's answer" if b"evil" in client.read_some() else ""
    return ""


def head_that_never_ends(front: Front) -> str:
    """A node sends field lines until somebody hangs up."""
    client, node = asked(front)
    node.socket.settimeout(2)
    with suppress(ConnectionResetError, BrokenPipeError, TimeoutError):
        node << b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1_000_000
    status = answered(client)
    return "" if status in GATEWAY else f"answered {status}"


def interim_answers_without_end(front: Front) -> str:
    """A node sends 103 after 103: it is not to keep its client for ever."""
    client, node = asked(front)
    node.socket.settimeout(2)
    sent = 0
    with suppress(ConnectionResetError, BrokenPipeError, TimeoutError):
        while sent < 8_000_000:
            sent += node.socket.send(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 1000)
    if sent >= 8_000_000:
        return f"{sent // 1_000_000} MB of them taken, and no end"
    status = answered(client)
    return "" if status in GATEWAY else f"answered {status}"


FAULTS: dict[str, Callable[[Front], str]] = {
    "a node is silent before its head": stall_behind(b"", *GATEWAY),
    "silent in its head": stall_behind(b"HTTP/1.1 200 OK\r\ncontent-le", *GATEWAY),
    "silent in a body": stall_behind(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", 0),
    "silent in a chunk": stall_behind(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n5\r\nhe", 0),
    "a byte at a time": trickle,
    "an answer too many, just when the next request leaves": answer_that_overtakes_a_request,
    **TUNNEL_FAULTS,
    "a head without an end": head_that_never_ends,
    "interim answers without an end": interim_answers_without_end,
}
