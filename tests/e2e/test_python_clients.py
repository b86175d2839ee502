"""python-socketio's asyncio client through the proxy: sessions stay whole, whatever transports they use."""

import asyncio
import os
import signal
from collections import Counter

import pytest

from tests.e2e.sessions import DEFAULT, KINDS, POLLING, TIMEOUT_S, WEBSOCKET, Kind, Session, for_all, opened
from tests.e2e.stack import Stack

CLIENTS = 60
IDLE_S = 32.0  # above the 25 s ping interval: a poll is answered, and another one has begun
SPLIT = "the client repeats its headers on no poll, so a hash of Referer splits the session"


def with_identity(number: int) -> str:
    """A page URL that names the user, as in the example's index2.html."""
    return f"http://localhost:9002/index2.html?client_id=user-{number}"


async def whole_sessions(url: str, sessions: list[Session]) -> Counter[str]:
    """Open all, talk, and check each one; returns how many sessions each node has."""
    async with opened(url, sessions):
        await for_all(sessions, Session.talk)
        for session in sessions:
            assert session.transport == session.kind.ends_with
            assert session.disconnects == []
            assert len(session.sids) == 1
        return Counter(session.node for session in sessions)


def check_spread(nodes: Counter[str], ring: Stack) -> None:
    """Every node has its part of 60 sessions; that one stays without is less likely than 1 to 10^9 by chance."""
    assert set(nodes) == ring.node_names()


def every_kind(*split: Kind) -> pytest.MarkDecorator:
    """Parametrize by kind; sessions of the kinds `split` fall apart when nothing but the hash leads them."""
    marks = pytest.mark.departure(SPLIT)
    kinds = [pytest.param(kind, id=kind.name, marks=[marks] if kind in split else []) for kind in KINDS]
    return pytest.mark.parametrize("kind", kinds)


@every_kind(DEFAULT, POLLING)
def test_sessions_without_any_identity(ring: Stack, kind: Kind):
    """No Referer, no cookie, no header: only the session id tells where a request belongs."""
    sessions_of = [kind] * CLIENTS
    nodes = asyncio.run(open_and_check(ring, sessions_of, referers=False))
    check_spread(nodes, ring)


@every_kind(POLLING)
def test_sessions_with_a_referer_on_the_first_request(ring: Stack, kind: Kind):
    """python-socketio sends extra headers with the first request and with the websocket, and with no poll after it."""
    nodes = asyncio.run(open_and_check(ring, [kind] * CLIENTS, referers=True))
    check_spread(nodes, ring)


async def open_and_check(ring: Stack, kinds: list[Kind], *, referers: bool) -> Counter[str]:
    sessions = [Session(kind, with_identity(n) if referers else None) for n, kind in enumerate(kinds)]
    return await whole_sessions(ring.url, sessions)


def test_the_same_referer_leads_to_the_same_node(ring: Stack):
    """Each user comes twice, by default transports or by websocket, and meets the node of the first time."""

    async def users() -> None:
        first = [Session(WEBSOCKET, with_identity(number)) for number in range(12)]
        again = [Session((DEFAULT, WEBSOCKET)[number % 2], with_identity(number)) for number in range(12)]
        async with opened(ring.url, first), opened(ring.url, again):
            assert [session.node for session in first] == [session.node for session in again]

    asyncio.run(users())


def test_one_node_behind_a_dns_name(one_node: Stack):
    """All kinds at once through envoy.json."""
    nodes = asyncio.run(open_and_check(one_node, [*KINDS] * 5, referers=False))
    assert nodes == {one_node.node_names().pop(): 20}


@pytest.mark.timeout(300)
@pytest.mark.departure("a route timeout that no file sets, 15 s, ends an idle poll of 25 s")
def test_an_idle_polling_session_lives_on(one_node: Stack):
    """Nobody says anything for 32 s; then the session is still the same one, on the same node, without a reconnect."""

    async def idle() -> None:
        sessions = [Session(kind, reconnects=True) for kind in (POLLING, POLLING, WEBSOCKET, DEFAULT)]
        async with opened(one_node.url, sessions):
            before = [session.node for session in sessions]
            await asyncio.sleep(IDLE_S)
            await for_all(sessions, Session.talk)
            for session in sessions:
                assert session.disconnects == []
                assert len(session.sids) == 1
            assert [session.node for session in sessions] == before

    asyncio.run(idle())


@pytest.mark.timeout(300)
@pytest.mark.departure("sessions are split from the start")
def test_a_node_dies_under_60_clients(own_ring: Stack):
    """Its clients reconnect by themselves to a live node; the others notice nothing.

    Each client names itself in each handshake, so that the hash goes on leading those of the dead node there.
    """

    async def lose_a_node() -> None:
        kinds = [DEFAULT, POLLING, WEBSOCKET] * (CLIENTS // 3)
        sessions = [Session(kind, with_identity(number), reconnects=True) for number, kind in enumerate(kinds)]
        async with opened(own_ring.url, sessions):
            dead = sessions[0].node
            hit = [session for session in sessions if session.node == dead]
            spared = [session for session in sessions if session.node != dead]
            assert hit
            assert spared
            before = [(session.node, *session.sids) for session in spared]
            os.kill(int(dead.removeprefix("node#")), signal.SIGKILL)
            async with asyncio.timeout(TIMEOUT_S):
                await asyncio.gather(*(reconnected(session) for session in hit))
            await for_all(sessions, Session.talk)
            assert {session.node for session in hit} <= own_ring.node_names()
            assert dead not in own_ring.node_names()
            assert [session.disconnects for session in spared] == [[]] * len(spared)
            assert [(session.node, *session.sids) for session in spared] == before

    asyncio.run(lose_a_node())


async def reconnected(session: Session) -> None:
    """Return when the client is connected again and welcome."""
    while len(session.sids) < 2 or not session.client.connected:
        await asyncio.sleep(0.05)
    await session.hear(": welcome")
