"""The bodies of local replies are Envoy's, word for word; which situation has which, the other tests say."""

from fastproxy.exchange import local_replies
from tests.unit.engine_world import get


def test_they_are_what_clients_are_sent(worlds):
    world = worlds(0)
    client = world.client().send(get())
    assert client.response() == (503, b"no healthy upstream")


def test_the_module_offers_nothing_to_python():
    assert not [name for name in vars(local_replies) if not name.startswith("__")]
