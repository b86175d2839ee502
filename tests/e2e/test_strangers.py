"""A page of another site in a real Chromium with third-party cookies blocked: its sessions stay."""

import json
from pathlib import Path

import pytest

from tests.e2e import crowd, servers
from tests.e2e.crowd import Group, Seen
from tests.e2e.servers import RING_OF_NOTHING, ROUND_ROBIN, Nodes, Server
from tests.e2e.sessions import DEFAULT, POLLING, WEBSOCKET
from tests.support import processes

COUNT = 2  # sessions of each client and transport at each listener: Chromium has six connections for each
ROUNDS = 3
SCRIPT = processes.ROOT / "tests" / "e2e" / "strangers.mjs"


@pytest.mark.timeout(300)
@pytest.mark.departure("without a key, Envoy chooses a node for each request anew")
def test_a_page_of_another_site_without_cookies(clusters: dict[Server, Nodes], tool, tmp_path: Path):
    """Both clients, all transports, all servers; preflights come first where the server allows them."""
    ways = servers.ways(RING_OF_NOTHING, ROUND_ROBIN)
    hosts = {server: nodes.ports[:3] for server, nodes in clusters.items()}
    groups = [
        Group(way.url, client, kind, COUNT)
        for way in ways
        for client in way.server.clients
        if client != crowd.PYTHON
        for kind in (DEFAULT, POLLING, WEBSOCKET)
    ]
    groups.sort(key=lambda group: group.client == crowd.NODE_2)
    wish = {"chromium": tool("chromium"), "profile": str(tmp_path / "profile"), "rounds": ROUNDS}
    wishes = [{**group.as_wish(), "number": number} for number, group in enumerate(groups)]
    home = next(each for each in wishes if each["client"] == crowd.NODE_2 and "websocket" not in each["transports"])
    with servers.proxied(ways, hosts, tmp_path):
        command = [tool("node", "nodejs"), str(SCRIPT), json.dumps({**wish, "groups": wishes, "home": home})]
        output = processes.run(command, output_path=tmp_path / "strangers.txt", timeout_s=250)
    told = json.loads(output.splitlines()[-1])
    assert len(told["seen"]) == len(groups) * COUNT
    for each in told["seen"]:
        past = each["sids"], each["replies"], each["disconnects"], each["errors"]
        Seen(groups[each["group"]], *past, each["ended"], each["connected"]).check()
        assert len(each["replies"]) == 1 + 4 * ROUNDS  # the welcome; each text comes back as an echo and as an ack
    assert told["cookies"] == []
    assert [cookie["name"] for cookie in told["cookiesOfTheSameSite"]] == ["visitor"]
