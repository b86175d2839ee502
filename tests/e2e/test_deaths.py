"""A node or a worker is killed: who lived there comes back at the first attempt, and nobody else is disturbed."""

import asyncio
import json
import os
import random
import signal
from pathlib import Path

import pytest

from tests.e2e import front, servers
from tests.e2e.crowd import Crowd, Seen, crowd
from tests.e2e.polls import EIO_3, PLAIN, PollingSession
from tests.e2e.servers import NODE_2, Nodes, Server
from tests.e2e.sessions import DEFAULT, POLLING, WEBSOCKET
from tests.support import processes, proxies, socket_tables

COUNT = 6  # sessions by each transport at each server
FIRST = 3  # of the nodes of each server
WORKERS = 3
KILLED = 3  # workers, one after the other
POLLING_SESSIONS = 9  # at each server, of the raw kind

pytestmark = pytest.mark.departure("without a key, Envoy chooses a node for each request anew")


@pytest.fixture
def own_clusters(tmp_path_factory: pytest.TempPathFactory, tool):
    """Three nodes of each of the three servers, for a test that kills some."""
    with servers.running(3, tmp_path_factory.mktemp("own-clusters"), tool("node", "nodejs")) as running:
        yield running


def kill(name: str) -> None:
    """SIGKILL to this node; returns when it is gone."""
    pid = int(name.removeprefix("node#"))
    os.kill(pid, signal.SIGKILL)
    processes.wait_until(lambda: not processes.is_alive(pid), f"{name} is gone")


def test_only_the_sessions_of_a_dead_node_reopen(own_clusters: dict[Server, Nodes], tool, tmp_path: Path):
    """One node of each server is killed under its clients; polls, tunnels and upgrades of all the others go on."""
    ways = servers.one_way_each()
    hosts = {server: nodes.ports for server, nodes in own_clusters.items()}
    urls = {way.server: way.url for way in ways}

    async def lose_nodes() -> None:
        async with crowd(tool("node", "nodejs")) as sessions:
            await sessions.open(*servers.groups(urls, (DEFAULT, POLLING, WEBSOCKET), COUNT, reconnects=True))
            await sessions.talk()
            before = {each.sids[0]: each.check() for each in await sessions.seen()}
            dead = {min(nodes.names() & set(before.values())) for nodes in own_clusters.values()}
            for name in dead:
                kill(name)
            hit = {sid for sid, name in before.items() if name in dead}
            await sessions.until(lambda seen: is_settled(seen, hit), "those of the dead reopen, and only they")
            await sessions.talk()
            for each in await sessions.seen():
                assert is_settled(each, hit), str(each)
                assert each.node not in dead
                assert each.sids[0] in hit or each.node == before[each.sids[0]]

    with servers.proxied(ways, hosts, tmp_path):
        asyncio.run(lose_nodes())


def is_settled(seen: Seen, hit: set[str]) -> bool:
    """Those that were hit are there again, after one attempt; the others never left."""
    return seen.is_reopened if seen.sids[0] in hit else seen.is_whole


def test_a_poll_of_a_dead_node_is_told_at_once(own_clusters: dict[Server, Nodes], tmp_path: Path):
    """400 with code 1, as the server itself says it, so that the client opens a new session; also after a reload.

    A request on its way when the node dies is answered with 503, and the next one as here.
    """
    ways = servers.one_way_each()
    hosts = {server: nodes.ports for server, nodes in own_clusters.items()}
    with servers.proxied(ways, hosts, tmp_path) as proxy:
        for way in ways:
            nodes = own_clusters[way.server]
            shape = EIO_3 if way.server is NODE_2 else PLAIN
            of_node: dict[str, list[PollingSession]] = {}
            for _ in range(POLLING_SESSIONS):
                session = PollingSession(way.port, shape)
                of_node.setdefault(session.hear("welcome"), []).append(session)
            dead, *others = sorted(of_node)
            kill(dead)
            wait_until_noticed(proxy, nodes.address(dead))
            for session in of_node[dead]:
                check_is_lost(session)
            for session in (each for name in others for each in of_node[name]):
                assert session.say("still there?").status == 200
                assert session.hear("still there?") in nodes.names()
        left = {
            server: sorted(processes.listening_ports(nodes.process.children()))
            for server, nodes in own_clusters.items()
        }
        proxy.reload(servers.configuration(ways, left, proxy.admin_port))
        check_is_lost(of_node[dead][0])


def wait_until_noticed(proxy: proxies.Proxy, address: str) -> None:
    """No connection to that dead node is left."""
    no_connection = f"{address}::cx_active::0\n"
    processes.wait_until(lambda: no_connection in proxy.admin("/clusters")[1], f"the end of {address} is noticed")


def check_is_lost(session: PollingSession) -> None:
    for answer in (session.ask(), session.say("is anybody there?")):
        assert answer.status == 400
        assert json.loads(answer.body) == {"code": 1, "message": "Session ID unknown"}


def test_workers_are_killed_at_random(clusters: dict[Server, Nodes], tool, tmp_path: Path):
    """Between two polls of each polling session: they all go on. Of the others, those on the dead worker reconnect.

    A poll that a dead worker had in its hands is lost with it, and the client opens a new session: that is not shown.
    """
    ways = servers.one_way_each()
    hosts = {server: nodes.ports[:FIRST] for server, nodes in clusters.items()}

    async def lose_workers(proxy: proxies.Proxy) -> None:
        async with front.before_all(ways) as before, crowd(tool("node", "nodejs")) as sessions:
            await sessions.open(*servers.groups(front.urls(before), (POLLING, WEBSOCKET), COUNT, reconnects=True))
            await sessions.talk()
            lost = 0
            for _ in range(KILLED):
                await front.between_two_polls(sessions, before)
                lost += await asyncio.to_thread(kill_a_worker, proxy, [way.port for way in ways])
                front.let_polls_go(before)
                await reconnected(sessions, lost)
                await sessions.talk()
            seen = await sessions.seen()
            assert sum(len(each.disconnects) for each in seen) == lost
            check_survivors(seen)

    with servers.proxied(ways, hosts, tmp_path, WORKERS) as proxy:
        asyncio.run(lose_workers(proxy))


async def reconnected(sessions: Crowd, lost: int) -> None:
    """Return when all that were lost so far have noticed it, and all are connected."""

    def are_back(seen: list[Seen]) -> bool:
        return sum(len(each.disconnects) for each in seen) >= lost and all(each.is_connected for each in seen)

    async with asyncio.timeout(front.TIMEOUT_S):
        while not are_back(await sessions.seen()):
            await asyncio.sleep(front.LOOK_INTERVAL_S)


def kill_a_worker(proxy: proxies.Proxy, ports: list[int]) -> int:
    """How many connections of clients the victim had; returns when there is another worker in its place."""
    workers = set(proxy.pids()) - {proxy.process.pid}
    victim = random.choice(sorted(workers))
    processes.rest([victim])  # it closes what it has answered last
    inodes = set(processes.socket_inodes(victim))
    connections = sum(inode in inodes and port in ports for inode, port in socket_tables.connections())
    os.kill(victim, signal.SIGKILL)
    processes.wait_until(
        lambda: len(set(proxy.pids()) - {proxy.process.pid} - workers) == 1, lambda: proxy.process.output
    )
    return connections


def check_survivors(seen: list[Seen]) -> None:
    for each in seen:
        if each.group.kind is POLLING:
            each.check()
        assert len(each.disconnects) == len(each.sids) - 1, str(each)
        assert each.errors == [], str(each)
        assert each.node
