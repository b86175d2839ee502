"""Sessions live on where the proxy knows nothing of them: behind several that share nothing, and after a restart."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from tests.e2e import front, servers
from tests.e2e.crowd import crowd, spread
from tests.e2e.servers import Nodes, Server
from tests.e2e.sessions import DEFAULT, POLLING, WEBSOCKET
from tests.support import processes, proxies

COUNT = 6  # sessions by each transport at each server
FIRST = 3  # of the nodes of each server

pytestmark = pytest.mark.departure("a session id tells Envoy nothing")


def hosts_of(clusters: dict[Server, Nodes]) -> dict[Server, tuple[int, ...]]:
    return {server: nodes.ports[:FIRST] for server, nodes in clusters.items()}


def test_two_proxies_alternate_request_by_request(clusters: dict[Server, Nodes], tool, tmp_path: Path):
    """They share nothing, and neither sees two requests of a session in a row."""
    here, there = servers.one_way_each(), servers.one_way_each()
    hosts = hosts_of(clusters)

    async def alternate() -> None:
        async with front.before_all(here, there) as before, crowd(tool("node", "nodejs")) as sessions:
            await sessions.open(*servers.groups(front.urls(before), (DEFAULT, POLLING, WEBSOCKET), COUNT))
            await sessions.talk()
            await sessions.talk()
            spread(await sessions.seen())

    with servers.proxied(here, hosts, tmp_path / "here"), servers.proxied(there, hosts, tmp_path / "there"):
        asyncio.run(alternate())


def test_the_proxy_is_killed_and_started_between_two_polls(clusters: dict[Server, Nodes], tool, tmp_path: Path):
    """The supervisor and its workers at once, so that nothing can be kept; the next poll meets a new proxy."""
    ways = servers.one_way_each()
    configuration = servers.configuration(ways, hosts_of(clusters), processes.free_port())

    async def live(first: proxies.Proxy) -> None:
        async with front.before_all(ways) as before, crowd(tool("node", "nodejs")) as sessions:
            await sessions.open(*servers.groups(front.urls(before), [POLLING], COUNT * 2))
            await sessions.talk(1)  # nothing is upgraded
            await front.between_two_polls(sessions, before)
            await asyncio.to_thread(first.process.kill)
            ends.callback((await asyncio.to_thread(proxies.Proxy, configuration, tmp_path, 2)).stop)
            front.let_polls_go(before)
            await sessions.hear(front.HELD)
            await sessions.talk(1)
            spread(await sessions.seen())

    with contextlib.ExitStack() as ends:
        proxy = proxies.Proxy(configuration, tmp_path, concurrency=2)
        ends.callback(proxy.process.kill)
        asyncio.run(live(proxy))
