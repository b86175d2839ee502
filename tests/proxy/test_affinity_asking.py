"""A session whose beginning this proxy has not seen: its nodes are asked whose it is, once."""

import secrets
from functools import partial

import pytest

from tests.support.adversary import Node
from tests.support.engine_io import SESSION_UNKNOWN, ask, ask_upgrade, engine_io, node_of, sid_in
from tests.support.processes import wait_until
from tests.support.proxies import World, Worlds, cluster, connection_manager, route

OPEN = "/socket.io/?EIO=4&transport=polling"
POLL = OPEN + "&sid={sid}"
UPGRADE = "/socket.io/?EIO=4&transport=websocket&sid={sid}"
NODES = 4
SESSIONS = 12
pytestmark = pytest.mark.departure("Envoy knows nothing of sids")


def nodes() -> list[Node]:
    return [Node(engine_io()) for _ in range(NODES)]


def opened(world: World, count: int = SESSIONS) -> dict[str, int]:
    """Sessions of this proxy: the ports of their nodes by their sids."""
    answers = [ask(world, OPEN) for _ in range(count)]
    return {sid_in(answer.body): node_of(answer) for answer in answers}


def stat(world: World, name: str) -> int:
    return world.proxy.stats()[f"http.ingress_http.{name}"]


def assert_at_home(world: World, sid: str, node: int, method: str = "GET") -> None:
    answer = ask(world, POLL.format(sid=sid), method=method)
    assert (answer.status, node_of(answer)) == (200, node)


def test_two_proxies_that_share_nothing_but_the_nodes(worlds: Worlds) -> None:
    """Every request of a session comes by way of the other proxy; either asks once for those it did not see begin."""
    hosts = nodes()
    one, other = worlds.start(nodes=hosts), worlds.start(nodes=hosts)
    sessions = opened(one)
    for sid, node in sessions.items():
        for method in ("GET", "POST", "GET"):
            assert_at_home(other, sid, node, method)
            assert_at_home(one, sid, node, method)
        head = ask_upgrade(other, UPGRADE.format(sid=sid))
        assert (head.status, node_of(head)) == (101, node)
    assert (stat(one, "sid_asked"), stat(other, "sid_asked"), stat(other, "sid_found")) == (0, SESSIONS, SESSIONS)
    assert SESSIONS <= stat(other, "sid_asked_rq") <= SESSIONS * NODES


def test_an_upgrade_by_way_of_the_other_proxy(worlds: Worlds) -> None:
    hosts = nodes()
    one, other = worlds.start(nodes=hosts), worlds.start(nodes=hosts)
    for sid, node in opened(one).items():
        head = ask_upgrade(other, UPGRADE.format(sid=sid))
        assert (head.status, node_of(head)) == (101, node)


def test_sessions_outlive_the_proxy(worlds: Worlds) -> None:
    hosts = nodes()
    before = worlds.start(nodes=hosts)
    sessions = opened(before)
    before.settle()
    worlds.live.remove(before)
    before.proxy.stop()
    after = worlds.start(nodes=hosts, concurrency=2)
    for sid, node in sessions.items():
        assert_at_home(after, sid, node, "POST")
    for sid, node in sessions.items():
        assert_at_home(after, sid, node)
    assert (stat(after, "sid_asked"), stat(after, "sid_known")) == (SESSIONS, SESSIONS)


def test_two_clusters_issue_the_same_ids(worlds: Worlds) -> None:
    """As servers do that count their sessions from 1."""
    clusters = {name: [Node(engine_io(mint=partial(str, sid))) for sid in "12"] for name in ("here", "there")}
    manager = connection_manager([route("/there", "there"), route("/", "here")])
    models = [cluster(name, [node.port for node in nodes]) for name, nodes in clusters.items()]
    world = worlds.run(manager, models, [node for nodes in clusters.values() for node in nodes])
    answers = [(prefix, ask(world, prefix + OPEN)) for prefix in ("", "", "/there", "/there")]
    homes = {(prefix, sid_in(answer.body)): node_of(answer) for prefix, answer in answers}
    assert len(set(homes.values())) == 4
    for method in ("GET", "POST", "GET"):
        for (prefix, sid), home in homes.items():
            answer = ask(world, prefix + POLL.format(sid=sid), method=method)
            assert (answer.status, node_of(answer)) == (200, home)
    assert (stat(world, "sid_lost_host_gone"), stat(world, "sid_lost_unknown")) == (0, 0)


def test_made_up_ids(worlds: Worlds) -> None:
    """Each costs a request to every node, and when it comes again nothing."""
    world = worlds.start(nodes=nodes())
    peer = world.client()
    made_up = [secrets.token_hex(10) for _ in range(50)]
    for _ in range(3):
        for sid in made_up:
            answer = ask(world, POLL.format(sid=sid), peer=peer)
            assert (answer.status, answer.body, node_of(answer)) == (400, SESSION_UNKNOWN, 0)
    assert stat(world, "sid_asked") == stat(world, "sid_lost_unknown") == 50
    assert stat(world, "sid_declined_cached") == 100
    assert stat(world, "sid_asked_rq") == world.proxy.stats()["cluster.backend.upstream_rq_total"] == 50 * NODES
    assert world.proxy.stats()["cluster.backend.upstream_cx_total"] == NODES


def test_a_node_that_died(worlds: Worlds) -> None:
    """Its sessions are told so at once; nobody else's is touched."""
    hosts = nodes()
    world = worlds.start(nodes=hosts)
    sessions = opened(world)
    hosts[0].close()
    for sid, node in sessions.items():
        answer = ask(world, POLL.format(sid=sid))
        assert (answer.status, node_of(answer)) == ((400, 0) if node == hosts[0].port else (200, node))
    lost = next(sid for sid, node in sessions.items() if node == hosts[0].port)
    line = f"sid {lost[:4]}.. was issued by {hosts[0].address}, which cannot be connected"
    wait_until(lambda: line in world.proxy.process.output, line)
    assert stat(world, "sid_lost_connect_fail") == list(sessions.values()).count(hosts[0].port) > 0


def test_a_node_that_left(worlds: Worlds) -> None:
    hosts = nodes()
    world = worlds.start(nodes=hosts)
    sessions = opened(world)
    fewer = [node.port for node in hosts[1:]]
    configuration = dict(world.proxy.configuration)
    resources = {**configuration["static_resources"], "clusters": [cluster("backend", fewer)]}
    world.proxy.reload({**configuration, "static_resources": resources})
    for sid, node in sessions.items():
        answer = ask(world, POLL.format(sid=sid))
        assert (answer.status, node_of(answer)) == ((400, 0) if node == hosts[0].port else (200, node))
    line = f"was issued by {hosts[0].address}, which left "
    wait_until(lambda: line in world.proxy.process.output, line)
