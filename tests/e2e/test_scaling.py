"""500 sessions live through 3 > 6 > 3 nodes of each server, and not one of them notices."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e import servers
from tests.e2e.crowd import NODE_2, NODE_4, PYTHON, Crowd, Group, Seen, crowd
from tests.e2e.servers import Nodes, Server, Way
from tests.e2e.sessions import DEFAULT, POLLING, WEBSOCKET
from tests.support import proxies

FIRST = 3  # of the nodes of each server
SESSIONS = {
    servers.PYTHON: {PYTHON: 25, NODE_4: 25},
    servers.NODE_4: {PYTHON: 15, NODE_4: 105, NODE_2: 30},
    servers.NODE_2: {NODE_2: 50},
}
NEWCOMERS = 12  # by each transport at each server

pytestmark = pytest.mark.departure("Envoy does not read its file again")


@pytest.mark.timeout(300)
def test_500_sessions_while_nodes_come_and_go(clusters: dict[Server, Nodes], tool, tmp_path: Path):
    """Three nodes join, and new sessions are opened on them; they drain; they leave when these have ended.

    What no proxy can do is not shown: a node that is taken away with its sessions takes them along.
    """
    ways = servers.one_way_each()
    few = {server: nodes.ports[:FIRST] for server, nodes in clusters.items()}
    with servers.proxied(ways, few, tmp_path) as proxy:
        asyncio.run(Scaling(clusters, ways, proxy).live(tool("node", "nodejs")))


class Scaling:
    """The steps, and what each of them must leave as it was."""

    def __init__(self, clusters: dict[Server, Nodes], ways: list[Way], proxy: proxies.Proxy) -> None:
        self.ways = ways
        self.urls = {way.server: way.url for way in ways}
        self.proxy = proxy
        self.few = {server: nodes.ports[:FIRST] for server, nodes in clusters.items()}
        self.many = {server: nodes.ports for server, nodes in clusters.items()}
        self.late = [port for nodes in clusters.values() for port in nodes.ports[FIRST:]]
        self.late_names = [nodes.names(nodes.ports[FIRST:]) for nodes in clusters.values()]

    async def live(self, node: str) -> None:
        async with crowd(node) as sessions:
            await sessions.open(*self.residents())
            await sessions.talk(1)
            home = places(await sessions.seen())
            assert len(home) == 500
            await self.go_on_over(sessions, "six nodes", self.many)
            await sessions.open(*self.newcomers())
            home = places(await sessions.seen())
            assert set().union(*self.late_names) <= set(home.values())
            await self.go_on_over(sessions, "three drain", self.many, self.late)
            assert places(await sessions.seen()) == home
            await self.none_comes_to_those_that_drain(sessions)
            await sessions.close(*self.newcomers())
            await self.go_on_over(sessions, "three nodes", self.few)
            after = places(await sessions.seen())
            assert len(after) == 500
            assert after.items() <= home.items()

    async def go_on_over(self, sessions: Crowd, text: str, hosts: dict[Server, tuple[int, ...]], draining=()) -> None:
        """Reload while everybody talks, and have everybody talk again behind the new configuration."""
        configuration = servers.configuration(self.ways, hosts, self.proxy.admin_port, draining)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(sessions.talk(1))
            tasks.create_task(asyncio.to_thread(self.proxy.reload, configuration))
        await sessions.send(text)
        await sessions.hear(text)

    async def none_comes_to_those_that_drain(self, sessions: Crowd) -> None:
        late = servers.groups(self.urls, [DEFAULT], NEWCOMERS)
        before = places(await sessions.seen())
        await sessions.open(*late)
        await sessions.clients.do("upgraded")
        now = places(await sessions.seen())
        assert not set().union(*self.late_names) & {now[sid] for sid in now.keys() - before.keys()}
        await sessions.close(*late)

    def residents(self) -> list[Group]:
        return [
            Group(way.url, client, kind, count)
            for way in self.ways
            for client, count in SESSIONS[way.server].items()
            for kind in (POLLING, WEBSOCKET)
        ]

    def newcomers(self) -> list[Group]:
        return servers.groups(self.urls, (POLLING, WEBSOCKET), NEWCOMERS)


def places(seen: list[Seen]) -> dict[str, str]:
    """The node of each session, by its id; each session is checked."""
    return {each.sids[0]: each.check() for each in seen}
