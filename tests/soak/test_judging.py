"""What the soak takes for wrong, cut, lost or right, and what it forgives."""

import asyncio
import socket

import pytest

from tests.soak import clients
from tests.soak.asks import Ask, parsed
from tests.soak.tally import CROSSED, CUT, LOST, REFUSED, RIGHT, WRONG, Outcome, Tally
from tests.soak.wire import Wire

ASK = Ask("a.1", size=100)
BODY = ASK.answer_body("80")


def answer(body: bytes, *, length: int = 0, id: str = "a.1", status: int = 200, node: str = "x-node: 80\r\n") -> bytes:
    head = f"HTTP/1.1 {status} OK\r\nx-id: {id}\r\n{node}content-length: {length or len(body)}\r\n\r\n"
    return head.encode() + body


def judged(raw: bytes) -> str:
    """The outcome of an answer of these bytes, and then the end."""
    client, node = socket.socketpair()

    async def judge() -> str:
        return (await clients.answer(Wire(client), ASK)).name

    with client, node:
        node.sendall(raw)
        node.shutdown(socket.SHUT_WR)
        return asyncio.run(judge())


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (answer(BODY), RIGHT),
        (b"HTTP/1.1 103 Hints\r\n\r\n" + answer(BODY), RIGHT),
        (answer(BODY[:99]), WRONG),  # an end that looks like one
        (answer(BODY[:99] + b"x"), WRONG),
        (answer(Ask("a.2", size=100).answer_body("80")), WRONG),  # somebody else's
        (answer(ASK.answer_body("81")), WRONG),  # another node's
        (answer(BODY, id="a.2"), WRONG),
        (answer(BODY, status=404), WRONG),
        (answer(BODY[:50], length=100), CUT),
        (answer(b"x" + BODY[1:50], length=100), WRONG),
        (answer(b"", node="", status=503), REFUSED),
        (answer(b'{"code":1}', status=400), LOST),
        (b"HTTP/1.1 200", CUT),
    ],
)
def test_an_answer(raw, name):
    assert judged(raw) == name


@pytest.mark.parametrize(
    ("ask", "kind", "outcome", "counted", "failures"),
    [
        (ASK, "exchange", Outcome(RIGHT), RIGHT, 0),
        (ASK, "exchange", Outcome(CUT), CUT, 1),
        (Ask("b", fault="reset"), "faulty", Outcome(CUT), CUT, 0),
        (Ask("b", fault="reset"), "faulty", Outcome(RIGHT), RIGHT, 1),  # half an answer is none
        (ASK, "exchange", Outcome(REFUSED, "503"), REFUSED, 1),  # may be repeated, so it has to be
        (Ask("b", "POST"), "exchange", Outcome(REFUSED, "503"), CROSSED, 0),
        (ASK, "session", Outcome(REFUSED, "503"), CROSSED, 0),
        (ASK, "session", Outcome(REFUSED, "502"), REFUSED, 1),
        (ASK, "session", Outcome(LOST), LOST, 1),
    ],
)
def test_what_is_forgiven(ask, kind, outcome, counted, failures):
    tally = Tally()
    tally.note(kind, ask, outcome)
    assert tally.outcomes == {(kind, counted): 1}
    assert tally.failed == failures == len(tally.failures)


def test_a_target_says_all():
    ask = Ask("c", "PUT", 5, True, 7, "chunked", 404, 3, 1, "stall", 12)
    assert parsed(f"/socket.io/?EIO=4&sid=1&{ask.target}") == (ask, {"EIO": "4", "sid": "1"})
