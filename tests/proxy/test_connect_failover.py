"""A connect that fails goes on to the next host along the ring: nothing was sent, so nothing can happen twice."""

from collections.abc import Iterator

import pytest

from tests.support.adversary import FullQueue, Node
from tests.support.engine_io import ask, ask_upgrade, engine_io, node_of
from tests.support.processes import free_port, free_ports
from tests.support.proxies import World, Worlds, cluster, departures, route

KEYS = range(40)
RING = {"hash_policy": [{"header": {"header_name": "x-key"}}]}
REFUSED = b"upstream connect error or disconnect/reset before headers. reset reason: remote connection failure"
GOES_ON = pytest.mark.departure("Envoy answers 503 unless a retry policy says otherwise")


def named_cluster(name: str, ports: list[int], **fields: object) -> dict:
    """A ring on which host n stands at the same places whatever its port."""
    found = cluster(name, ports, lb_policy="RING_HASH", **fields)
    for number, host in enumerate(found["load_assignment"]["endpoints"][0]["lb_endpoints"]):
        host["metadata"] = {"filter_metadata": {"envoy.lb": {"hash_key": f"host-{number}"}}}
    return found


@pytest.fixture(scope="module")
def full_queue() -> Iterator[FullQueue]:
    queue = FullQueue()
    yield queue
    queue.close()


@pytest.fixture(scope="module")
def world(worlds: Worlds, full_queue: FullQueue) -> World:
    hosts = [Node(engine_io()) for _ in range(3)]
    ports = [node.port for node in hosts]
    clusters = [
        named_cluster("alive", ports),
        named_cluster("first-dead", [free_port(), *ports[1:]]),
        named_cluster("two-dead", [*free_ports(2), ports[2]]),
        named_cluster("all-dead", free_ports(3)),
        named_cluster("stuck", [full_queue.port, *ports[1:]], connect_timeout="0.2s"),
        cluster("round-robin", [free_port(), *ports[1:]]),
    ]
    routes = [route(f"/{each['name']}", each["name"], **RING) for each in clusters]
    return worlds.start(nodes=hosts, routes=routes, clusters=clusters)


def key(number: int) -> dict[str, str]:
    return {"x-key": f"key {number}"}


def owners(world: World, path: str) -> list[int]:
    """The node that each key reaches; every one has to be answered."""
    answers = [ask(world, path, headers=key(number)) for number in KEYS]
    assert {answer.status for answer in answers} == {200}
    return [node_of(answer) for answer in answers]


@GOES_ON
@pytest.mark.parametrize("path", ["/first-dead", "/stuck"])
def test_only_keys_of_the_dead_host_move(world: World, path: str) -> None:
    alive, left = owners(world, "/alive"), owners(world, path)
    dead = world.nodes[0].port
    assert dead in alive
    assert dead not in left
    assert [(before, after) for before, after in zip(alive, left, strict=True) if before not in (dead, after)] == []
    assert len({after for before, after in zip(alive, left, strict=True) if before == dead}) == 2, "they spread"


@GOES_ON
def test_the_next_host_is_always_the_same(world: World) -> None:
    assert owners(world, "/first-dead") == owners(world, "/first-dead")


@GOES_ON
def test_until_one_is_found(world: World) -> None:
    assert set(owners(world, "/two-dead")) == {world.nodes[2].port}


@GOES_ON
def test_round_robin(world: World) -> None:
    assert set(owners(world, "/round-robin")) == {node.port for node in world.nodes[1:]}


@GOES_ON
def test_posts_go_on_with_their_body(world: World) -> None:
    for number in KEYS:
        answer = ask(world, "/first-dead", method="POST", headers=key(number))
        assert answer.status == 200
    assert {request.body for node in world.nodes for request in node.requests} == {b"3"}


@GOES_ON
def test_upgrades_go_on(world: World) -> None:
    for number in KEYS:
        assert ask_upgrade(world, "/first-dead", b"x-key: key %d\r\n" % number).status == 101


def test_all_dead(world: World) -> None:
    for number in KEYS[:5]:
        answer = ask(world, "/all-dead", headers=key(number))
        assert (answer.status, answer.body) == (503, REFUSED)


@GOES_ON
def test_each_remaining_host_is_tried_once(world: World) -> None:
    before = world.proxy.stats()["cluster.all-dead.upstream_cx_connect_fail"]
    assert ask(world, "/all-dead", headers=key(0)).status == 503
    assert world.proxy.stats()["cluster.all-dead.upstream_cx_connect_fail"] == before + 3


def test_switched_off(worlds: Worlds) -> None:
    """As Envoy: keys of the dead host are refused, the others are served."""
    node = Node(engine_io())
    clusters = [named_cluster("half", [free_port(), node.port])]
    off = departures(connect_failover=False)
    world = worlds.start(nodes=[node], routes=[route("/half", "half", **RING)], clusters=clusters, http_filters=off)
    statuses = [ask(world, "/half", headers=key(number)).status for number in KEYS]
    assert set(statuses) == {200, 503}
    assert statuses == [ask(world, "/half", headers=key(number)).status for number in KEYS]
