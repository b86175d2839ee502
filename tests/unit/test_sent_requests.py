"""What is kept of a request is seen where it is needed: at the requests that a node does not answer."""

from tests.unit.engine_world import get, ok


def test_requests_of_one_connection_do_not_mix(world):
    """Each is kept in the memory of the one before, whatever that was."""
    client, node = world.ask(get("/0", "x-a: " + "a" * 500))
    for number in range(1, 4):
        node.head()
        node.send(ok())
        assert client.response() == (200, b"hello")
        client.send(get(f"/{number}", "x-a: " + "a" * (500 // number)))
    third = node.head()
    node.close()
    again = world.nodes[0].accept()
    assert again.head() == third
    again.send(ok())
    assert client.response() == (200, b"hello")
