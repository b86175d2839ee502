"""New sessions without a hash begin where the fewest live, whichever worker they come to."""

from collections import Counter

import pytest

from tests.support.adversary import Node
from tests.support.engine_io import ask, ask_upgrade, engine_io, node_of, sid_in
from tests.support.proxies import Worlds

OPEN = "/socket.io/?EIO=4&transport=polling"
WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"
SESSIONS = 60


@pytest.mark.departure("Envoy takes turns in each worker, and knows nothing of sids")
def test_sixty_sessions_over_two_workers_spread_and_stay(worlds: Worlds) -> None:
    world = worlds.start(nodes=[Node(engine_io()) for _ in range(3)], concurrency=2)
    home = {}
    for number in range(SESSIONS):
        if number % 3:
            answer = ask(world, OPEN)
            home[sid_in(answer.body)] = node_of(answer)
        else:
            home[f"tunnel {number}"] = node_of(ask_upgrade(world, WEBSOCKET))
    spread = Counter(home.values())
    assert sorted(spread) == sorted(node.port for node in world.nodes)
    assert max(spread.values()) - min(spread.values()) <= 2  # both within one of the mean
    polling = {sid: node for sid, node in home.items() if not sid.startswith("tunnel")}
    for sid, node in polling.items():
        answer = ask(world, f"{OPEN}&sid={sid}")
        assert (answer.status, node_of(answer)) == (200, node)
    for sid, node in list(polling.items())[:10]:
        assert node_of(ask_upgrade(world, f"{WEBSOCKET}&sid={sid}")) == node
    stats = world.proxy.stats()
    (cluster,) = {name.split(".")[1] for name in stats if name.endswith(".sid_live_most")}
    assert stats[f"cluster.{cluster}.sid_live"] == SESSIONS
    assert stats[f"cluster.{cluster}.sid_live_most"] - stats[f"cluster.{cluster}.sid_live_least"] <= 2
    for port, number in spread.items():
        endpoint = f"cluster.{cluster}.endpoint.127.0.0.1_{port}"
        assert stats[f"{endpoint}.sid_live"] == number
        assert stats[f"{endpoint}.sid_opened_polling"] + stats[f"{endpoint}.sid_opened_websocket"] == number
