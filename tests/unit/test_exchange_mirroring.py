"""Copies of requests for another cluster."""

import pytest

from fastproxy.model import Cluster, Host
from fastproxy.model_routes import MirrorPolicy
from fastproxy.overload import Overload
from tests.unit.engine_world import Node, World, field, get, handshake, ok, switching


@pytest.fixture
def mirrored(worlds):
    """A world whose requests are copied to a second cluster, and that cluster's node; MirrorPolicy's fields."""
    made = []

    def make(*, world=None, **policy) -> tuple[World, Node]:
        spare = worlds()  # only its node is used: an address that somebody listens on
        node = spare.nodes[0]
        shadow = Cluster("shadow", hosts=(Host(node.address),))
        backend = worlds().nodes[0]
        world = worlds(
            route={"mirrors": (MirrorPolicy("shadow", **policy),)},
            **world or {},
            configuration={"clusters": (Cluster("backend", hosts=(Host(backend.address),)), shadow)},
        )
        world.nodes[0].stop()
        world.nodes[0] = backend
        node.world = backend.world = world
        made.append(world)
        return world, node

    return make


def test_a_copy_of_a_request(mirrored):
    world, shadow = mirrored()
    client, node = world.ask(get("/a", "x-a: b"))
    copy = shadow.accept()
    original, head = node.head(), copy.head()
    assert field(head, b"host") == b"example.com-shadow"
    assert field(head, b"connection") == b"close"
    expected = original.replace(b"host: example.com\r\n", b"host: example.com-shadow\r\n")
    assert head == expected[:-2] + b"connection: close\r\n\r\n"
    copy.send(b"HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\n\r\nnobody sees this")
    copy.close()
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_a_copy_has_the_body(mirrored):
    world, shadow = mirrored()
    client, node = world.ask(get("/", "content-length: 10", method="POST") + b"hello")
    node.head()
    assert not shadow.is_asked()  # it is sent when it is complete
    client.send(b"world")
    assert node.take(10) == b"helloworld"
    copy = shadow.accept()
    copy.head()
    assert copy.take(10) == b"helloworld"
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_a_chunked_body_keeps_its_framing(mirrored):
    world, shadow = mirrored()
    client, node = world.ask(get("/", "transfer-encoding: chunked", method="POST") + b"2\r\nab\r\n0\r\n\r\n")
    copy = shadow.accept()
    copy.head()
    assert copy.take(12) == b"2\r\nab\r\n0\r\n\r\n"
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_a_body_too_large_is_not_copied(mirrored):
    world, shadow = mirrored()
    client, node = world.ask(get("/", "content-length: 70000", method="POST") + b"x" * 70000)
    node.head()
    assert node.take(70000) == b"x" * 70000
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert not shadow.is_asked()


def test_a_mirror_that_refuses_harms_nobody(mirrored):
    world, shadow = mirrored()
    shadow.stop()
    client, node = world.ask(get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_a_mirror_that_is_silent_delays_nobody(mirrored):
    world, shadow = mirrored()
    client, node = world.ask(get())
    copy = shadow.accept()
    copy.head()
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    client.send(get("/again"))
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_handshakes_are_not_copied(mirrored):
    world, shadow = mirrored()
    client, node = world.ask(handshake())
    node.head()
    node.send(switching())
    client.head()
    assert not shadow.is_asked()


@pytest.mark.parametrize(
    ("policy", "host"),
    [({"appends_shadow": False}, b"example.com"), ({"host_rewrite": "other.example"}, b"other.example")],
)
def test_the_host_of_a_copy(mirrored, policy, host):
    world, shadow = mirrored(**policy)
    world.ask(get())
    assert field(shadow.accept().head(), b"host") == host


def test_no_copy_has_a_descriptor_that_is_scarce(mirrored):
    max_fds = Overload(max_fds=1000).other_fds + 60
    world, shadow = mirrored(world={"max_fds": max_fds})
    while world.engine.active + 1 < world.engine.overload.scarce_at:
        world.client()
        world.settle()
    client, node = world.ask(get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert not shadow.is_asked()
    assert world.statistics()["cluster.shadow.upstream_rq_mirror_dropped"] == 1
    assert world.statistics()["cluster.shadow.upstream_cx_connect_fail"] == 0


def test_no_share_no_copy(mirrored):
    world, shadow = mirrored(share=0)
    client, node = world.ask(get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert not shadow.is_asked()
