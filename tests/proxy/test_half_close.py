"""A side that has said all may still listen: the end of one direction of a tunnel leaves the other open."""

import pytest

from tests.support.proxies import World
from tests.support.websocket import tunnel

ENDS_AT_ONCE = pytest.mark.departure("Envoy ends a tunnel when either side has finished")


@ENDS_AT_ONCE
def test_client_first(world: World) -> None:
    client, node = tunnel(world)
    client << b"all"
    client.half_close()
    node >> b"all"
    node.assert_fin()
    for number in range(10):
        node << b"%d" % number
        client >> b"%d" % number
    node << b"x" * 300_000
    node.close()
    assert client.read_to_end() == b"x" * 300_000


@ENDS_AT_ONCE
def test_node_first(world: World) -> None:
    client, node = tunnel(world)
    node << b"all"
    node.half_close()
    client >> b"all"
    client.assert_fin()
    for number in range(10):
        client << b"%d" % number
        node >> b"%d" % number
    client << b"x" * 300_000
    client.close()
    assert node.read_to_end() == b"x" * 300_000


@ENDS_AT_ONCE
def test_both(world: World) -> None:
    """When both directions have ended, both connections are gone."""
    client, node = tunnel(world)
    client.half_close()
    node.assert_fin()
    node << b"rest"
    node.half_close()
    assert client.read_to_end() == b"rest"


@ENDS_AT_ONCE
def test_end_behind_bytes_that_wait(world: World) -> None:
    """The FIN comes behind everything that was held back for a slow reader."""
    client, node = tunnel(world, receive_buffer=4096)
    data = bytes(range(256)) * 4000
    node.socket.sendall(data)
    node.half_close()
    assert client.read_exactly(len(data)) == data
    client.assert_fin()
    client << b"and back"
    node >> b"and back"


def test_reset_after_the_half_close(world: World) -> None:
    client, node = tunnel(world)
    client.half_close()
    node.assert_fin()
    node.reset()
    client.assert_ended()
