"""May a request pass, where does it go: the order of the questions, and what each answer leaves behind."""

import pytest

from fastproxy.model import HeaderHashPolicy, LbPolicy
from tests.unit.engine_world import Node, World, get, ok

OPEN = b'0{"sid":"abc","pingInterval":25000,"pingTimeout":20000}'


def asked(world: World) -> Node:
    """The node that a request has gone to."""
    world.until(lambda: any(node.is_asked() for node in world.nodes))
    (node,) = [node for node in world.nodes if node.is_asked()]
    return node


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
