"""Sessions without any identity, all from one address: no cookie, no Referer, no user id, nothing but their `sid`."""

import asyncio
from collections import defaultdict
from pathlib import Path

import pytest

from tests.e2e import servers
from tests.e2e.crowd import Seen, crowd, spread
from tests.e2e.servers import RING_OF_NOTHING, ROUND_ROBIN, Nodes, Server, Way
from tests.e2e.sessions import DEFAULT, POLLING, WEBSOCKET

KINDS = (DEFAULT, POLLING, WEBSOCKET)
COUNT = 12  # sessions by each transport at each listener

pytestmark = pytest.mark.departure("without a key, Envoy chooses a node for each request anew")


def test_every_client_with_every_server_and_transport(clusters: dict[Server, Nodes], tool, tmp_path: Path):
    ways = servers.ways(RING_OF_NOTHING, ROUND_ROBIN)
    hosts = {server: nodes.ports[:3] for server, nodes in clusters.items()}
    with servers.proxied(ways, hosts, tmp_path):
        seen = asyncio.run(visit(ways, tool("node", "nodejs")))
    for way in ways:
        names = clusters[way.server].names(hosts[way.server])
        nodes = spread(seen[way])
        assert set(nodes) == names, f"{way.name}: a node without sessions"
        assert max(nodes.values()) < 2 * min(nodes.values()), f"{way.name}: {nodes}"


async def visit(ways: list[Way], node: str) -> dict[Way, list[Seen]]:
    """What every session saw, by listener."""
    way_of = {way.url: way for way in ways}
    groups = [group for way in ways for group in servers.groups({way.server: way.url}, KINDS, COUNT)]
    async with crowd(node) as sessions:
        await sessions.open(*groups)
        await sessions.talk()
        await sessions.talk()
        by_way = defaultdict(list)
        for each in await sessions.seen():
            by_way[way_of[each.group.url]].append(each)
    return by_way
