"""Retries where connections are limited, hosts are ejected, and the file is read again."""

import copy
import select
from collections.abc import Iterator

import pytest

from tests.support.adversary import Node, Peer, answering
from tests.support.processes import PATIENCE_S, wait_until
from tests.support.proxies import Json, World, Worlds, cluster, route

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
SID = "abcdefghij0123456789"
OPEN = b'0{"sid":"%s","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}' % SID.encode()
OPENED = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(OPEN) + OPEN
HANDSHAKE = "/engine.io/?EIO=4&transport=polling"
QUEUED, RING, MOVED = 0, (1, 2), (3, 4)
FAST = {"base_interval": "0.001s", "max_interval": "0.001s"}
SLOW = {"base_interval": "0.05s", "max_interval": "0.25s"}
ENDLESS = {"consecutive_5xx": 1, "interval": "0.05s", "base_ejection_time": "300s", "max_ejection_percent": 100}


def policy(retries: int = 1, back_off: Json = FAST) -> Json:
    return {"retry_on": "5xx", "num_retries": retries, "retry_back_off": back_off}


@pytest.fixture(scope="module")
def world(worlds: Worlds) -> World:
    nodes = [Node(), Node(answering(lambda *_: BUSY)), Node(answering(lambda *_: OK)), Node(), Node()]
    one = {"circuit_breakers": {"thresholds": [{"max_connections": 1}]}}
    each = {"circuit_breakers": {"per_host_thresholds": [{"max_connections": 1}]}}
    hashed = [{"header": {"header_name": "x-key"}}]
    return worlds.start(
        nodes=nodes,
        routes=[
            route("/queued", "queued", retry_policy=policy()),
            route("/ring", "ring", retry_policy=policy(50, SLOW), hash_policy=hashed),
            route("/engine.io/", "moved", retry_policy=policy()),
        ],
        clusters=[
            cluster("queued", [nodes[QUEUED].port], **one),
            cluster("ring", [nodes[i].port for i in RING], lb_policy="RING_HASH", outlier_detection=ENDLESS),
            cluster("moved", [nodes[i].port for i in MOVED], **each),
        ],
    )


@pytest.fixture(autouse=True)
def as_before(world: World) -> Iterator[None]:
    """The file is as it was after a test that changes it."""
    before = copy.deepcopy(world.proxy.configuration)
    yield
    if world.proxy.configuration != before:
        world.proxy.reload(before)


def ask(world: World, target: str, *lines: str, body: bytes | None = None) -> Peer:
    length = [] if body is None else [f"content-length: {len(body)}"]
    head = [f"{'GET' if body is None else 'POST'} {target} HTTP/1.1", "host: a", *lines, *length, "", ""]
    return world.client() << "\r\n".join(head).encode() + (body or b"")


def until_waiting(world: World, name: str) -> None:
    stat = f"cluster.{name}.upstream_rq_pending_active"
    wait_until(lambda: world.proxy.stats()[stat] == 1, "a request waits")


def test_a_retry_waits_behind_who_came_before(world: World) -> None:
    first = ask(world, "/queued/1", body=b"first")
    node = world.nodes[QUEUED].accept()
    assert node.read_request().body == b"first"
    second = ask(world, "/queued/2")
    until_waiting(world, "queued")
    node << BUSY
    assert node.read_request().head.target == b"/queued/2"
    until_waiting(world, "queued")
    node << OK
    assert second.read_response().body == b"ok"
    assert node.read_request().body == b"first"
    node << OK
    assert first.read_response().body == b"ok"
    world.nodes[QUEUED].assert_untouched()


def test_a_host_that_is_ejected_during_the_back_off(world: World) -> None:
    """No predicate says so: its hash leads elsewhere as soon as the host is out."""
    bad, good = (world.nodes[i] for i in RING)
    for key in range(100):
        client = ask(world, "/ring", f"x-key: {key}")
        assert client.read_response().body == b"ok"
        if bad.requests:
            break
    assert bad.requests[0].head.get(b"x-key") == good.requests[-1].head.get(b"x-key") == b"%d" % key
    stats = world.proxy.stats()
    assert stats["cluster.ring.upstream_rq_retry_success"] == 1
    assert stats["cluster.ring.outlier_detection.ejections_active"] == 1


@pytest.mark.departure("Envoy does not know sessions")
def test_a_session_that_waits_stays_when_its_host_leaves_the_file(world: World) -> None:
    client = ask(world, HANDSHAKE)
    ready = select.select([world.nodes[i].listener for i in MOVED], [], [], PATIENCE_S)[0]
    place = next(i for i in MOVED if world.nodes[i].listener in ready)
    node = world.nodes[place].accept()
    node.read_request()
    node << OPENED
    assert client.read_response().body == OPEN
    poll = ask(world, f"{HANDSHAKE}&sid={SID}")
    node.read_request()
    post = ask(world, f"{HANDSHAKE}&sid={SID}", body=b"3")
    until_waiting(world, "moved")
    changed = copy.deepcopy(world.proxy.configuration)
    found = next(each for each in changed["static_resources"]["clusters"] if each["name"] == "moved")
    endpoints = found["load_assignment"]["endpoints"][0]["lb_endpoints"]
    del endpoints[MOVED.index(place)]
    found["connect_timeout"] = "4s"
    world.proxy.reload(changed)
    node << b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n2"
    assert poll.read_response().body == b"2"
    other = world.nodes[place].accept()  # the first connection is not kept for a host that has left
    assert other.read_request().body == b"3"
    other << OK
    assert post.read_response().body == b"ok"
    world.nodes[sum(MOVED) - place].assert_untouched()
