"""May a request pass, where does it go: the order of the questions, and what each answer leaves behind."""

import pytest

from fastproxy.model import Departures, HeaderHashPolicy, LbPolicy
from tests.unit.engine_world import Node, Peer, World, get, handshake, ok

OPEN = b'0{"sid":"abc","pingInterval":25000,"pingTimeout":20000}'


def asked(world: World) -> Node:
    """The node that a request has gone to."""
    world.until(lambda: any(node.is_asked() for node in world.nodes))
    (node,) = [node for node in world.nodes if node.is_asked()]
    return node


def opened(world: World) -> tuple[Node, Peer]:
    """The node that issued session abc, and the connection kept to it."""
    client = world.client().send(get("/socket.io/?EIO=4&transport=polling"))
    home = asked(world)
    peer = home.accept()
    peer.head()
    peer.send(ok(OPEN))
    assert client.response() == (200, OPEN)
    return home, peer


def test_an_upgrade_takes_the_way_of_its_poll(worlds):
    world = worlds(3)
    _, peer = opened(world)
    world.client().send(handshake("/socket.io/?EIO=4&transport=websocket&sid=abc"))
    assert peer.head().startswith(b"GET /socket.io/?EIO=4&transport=websocket&sid=abc ")


def test_a_preflight_takes_the_way_of_its_session(worlds):
    world = worlds(3)
    _, peer = opened(world)
    client = world.client().send(get("/socket.io/?EIO=4&transport=polling&sid=abc", method="OPTIONS"))
    peer.head()
    peer.send(ok())
    assert client.response() == (200, b"hello")


def test_sessions_can_be_left_to_the_balancer(worlds):
    world = worlds(2, manager={"departures": Departures(sid_affinity=False)})
    opened(world)
    assert (world.count("sid_learned"), world.count("sid_known"), world.count("sid_unknown")) == (0, 0, 0)


def test_an_unknown_sid_goes_where_the_balancer_says(worlds):
    world = worlds(2)
    client = world.client().send(get("/socket.io/?EIO=4&transport=polling&sid=nobodys"))
    peer = asked(world).accept()
    peer.head()
    peer.send(ok())
    assert client.response() == (200, b"hello")
    assert world.count("sid_unknown") == 1


def test_a_session_whose_node_cannot_be_reached_goes_on_to_another(worlds):
    world = worlds(2)
    home, peer = opened(world)
    home.stop()
    peer.close()
    world.settle()
    client = world.client().send(get("/socket.io/?EIO=4&transport=polling&sid=abc"))
    (other,) = [node for node in world.nodes if node is not home]
    again = other.accept()
    again.head()
    again.send(ok(b"who?"))
    assert client.response() == (200, b"who?")


def test_one_key_one_node(worlds):
    policies = (HeaderHashPolicy("x-user"),)
    world = worlds(3, cluster={"lb_policy": LbPolicy.RING_HASH}, route={"hash_policies": policies})
    homes = set()
    for _ in range(6):
        client = world.client().send(get("/", "x-user: 17"))
        node = asked(world)
        homes.add(node.address.port)
        peer = node.accept()
        peer.head()
        peer.send(ok(b"", "connection: close"))
        client.response()
    assert len(homes) == 1


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (get().replace(b"host: example.com\r\n", b""), 400),
        (get().replace(b"example.com", b"a b"), 400),
        (get("/a#b"), 400),
        (get("/", "connection: x-forwarded-for"), 400),
        (get("example.com:443", method="CONNECT"), 404),
        (get("/", "connection: upgrade", "upgrade: smtp"), 403),
    ],
)
def test_what_does_not_pass(world, request_head, status):
    client = world.client().send(request_head)
    assert client.response()[0] == status
    assert client.end() == b""
    assert not world.nodes[0].is_asked()
