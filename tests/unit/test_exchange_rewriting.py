"""What a route changes in a request on its way."""

from fastproxy.model import HeaderHashPolicy, LbPolicy
from tests.unit.engine_world import get, ok


def seen(world, request):
    client, node = world.ask(request)
    head = node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    return head.decode().split("\r\n")[:-2]


def test_the_host_that_the_client_asked_with_is_told(worlds):
    lines = seen(worlds(route={"host_rewrite": "other.example"}), get("/", "x-envoy-original-host: forged"))
    assert lines[1] == "host: other.example"
    assert [line for line in lines if "original" in line] == ["x-envoy-original-host: example.com"]


def test_nothing_is_told_of_a_host_that_stays(world):
    assert not [line for line in seen(world, get()) if "original" in line]


def test_what_is_hashed_is_what_the_route_wrote(worlds):
    """Another path in the request, the same path for the upstream: always the same node."""
    world = worlds(
        3,
        cluster={"lb_policy": LbPolicy.RING_HASH},
        route={"host_rewrite": "other.example", "hash_policies": (HeaderHashPolicy(":authority"),)},
    )
    for host in ("a.example", "b.example", "c.example", "d.example"):
        world.client().send(get().replace(b"example.com", host.encode()))
    world.until(lambda: sum(world.host(index)["rq_total"] for index in range(3)) == 4)
    assert sorted(world.host(index)["rq_total"] for index in range(3)) == [0, 0, 4]
