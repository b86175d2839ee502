"""Routes that answer by themselves, and those that do not."""

from tests.unit.engine_world import get, ok


def test_a_route_that_forwards_does_not_answer(world):
    client, node = world.ask(get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert (world.count("rq_redirect"), world.count("rq_direct_response")) == (0, 0)
