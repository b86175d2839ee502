"""A session stays on the node that issued it: what is learned, and what is asked."""

import pytest

from fastproxy.model import SessionAffinity
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
    world = worlds(2, manager={"affinity": SessionAffinity(protocols=())})
    opened(world)
    assert (world.count("sid_learned"), world.count("sid_known"), world.count("sid_unknown")) == (0, 0, 0)


def test_an_unknown_sid_goes_where_the_balancer_says_where_nobody_is_asked(worlds):
    world = worlds(2, manager={"affinity": SessionAffinity(ask=False)})
    client = world.client().send(get("/socket.io/?EIO=4&transport=polling&sid=nobodys"))
    peer = asked(world).accept()
    peer.head()
    peer.send(ok())
    assert client.response() == (200, b"hello")
    assert (world.count("sid_unknown"), world.count("sid_asked")) == (1, 0)


@pytest.mark.parametrize(
    "packet", [b'0{"sid":"abc","pingInterval":25000}', b'35:0{"sid":"abc","pingInterval":25000}2:40']
)
@pytest.mark.parametrize("cut", [0, 1, 12, 33])
def test_a_sid_is_learned_from_an_open_packet_cut_anywhere(world, packet, cut):
    client, node = world.ask(get("/socket.io/?EIO=4&transport=polling"))
    node.head()
    node.send(ok(packet)[: -len(packet)] + packet[:cut])
    world.settle()
    node.send(packet[cut:])
    assert client.response() == (200, packet)
    assert world.count("sid_learned") == 1


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/socket.io/?EIO=4&transport=polling", ok(b'0{"sid":"abc"}', "content-encoding: br")),
        ("/socket.io/?EIO=4&transport=polling&sid=x", ok(b'0{"sid":"abc"}')),
        ("/socket.io/?EIO=4&transport=polling", ok(b'{"sid":"abc"}')),
        ("/socket.io/?transport=polling", ok(b'0{"sid":"abc"}')),
        ("/socket.io/?EIO=4&transport=polling", ok(b'0{"sid":"abc"}').replace(b"200 OK", b"400 Bad Request")),
    ],
)
def test_what_no_sid_is_learned_from(world, path, answer):
    client, node = world.ask(get(path))
    node.head()
    node.send(answer)
    client.response()
    assert world.count("sid_learned") == 0
