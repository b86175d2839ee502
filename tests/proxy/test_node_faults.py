"""Nodes that are silent, slow, too early or too generous: the client has what is its own, whole or visibly cut."""

import pytest

from tests.corpus.faults import FAULTS
from tests.corpus.front import Front
from tests.corpus.tunnel_faults import TUNNEL_FAULTS
from tests.support.proxies import World, Worlds, route
from tests.support.punctual import in_time, punctual, within

IDLE_S = 0.4
KNOWN_OF_ENVOY = {
    "an answer too many, just when the next request leaves",
    "interim answers without an end",
    *TUNNEL_FAULTS,
}


@pytest.fixture(scope="module")
def world(worlds: Worlds) -> World:
    """Without a timeout for the answer, but with one for silence."""
    return worlds.start(routes=[route("/", "backend", timeout="0s", idle_timeout=f"{IDLE_S}s")])


@pytest.mark.departure("Envoy has these faults, or some of them")
@pytest.mark.parametrize("name", sorted(KNOWN_OF_ENVOY))
def test_fault_of_the_peers(world: World, name: str) -> None:
    test_fault(world, name)


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in KNOWN_OF_ENVOY])
def test_fault(world: World, name: str) -> None:
    front = Front(world.proxy.port, world.node, world.proxy.process.pid, IDLE_S)
    found = in_time(lambda: FAULTS[name](front), world.settle)
    front.close()
    assert found == ""


@pytest.mark.departure("a limit of ours")
@punctual
def test_too_many_interim_answers_are_counted(world: World) -> None:
    name = "cluster.backend.upstream_rq_interim_overflow"
    before = world.proxy.stats()[name]
    with within(IDLE_S):
        client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
        node = world.node.busy_peer()
        node.read_request()
        node << (b"HTTP/1.1 103 Early Hints\r\nx: " + b"v" * 1000 + b"\r\n\r\n") * 70
    assert client.read_response().status == 502
    assert world.proxy.stats()[name] == before + 1
