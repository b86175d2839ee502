"""May a request pass, where does it go: the order of the questions, and what each answer leaves behind."""

import pytest

from fastproxy.model import HeaderHashPolicy, LbPolicy
from fastproxy.model_routes import CorsPolicy, OriginPolicy, StringMatch, StringMatcher
from tests.unit.engine_world import Node, World, get, handshake, ok, switching

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


FOREIGN = "Origin: https://evil.test"


@pytest.mark.parametrize("request_head", [handshake("/", FOREIGN), get("/?EIO=4&transport=polling", FOREIGN)])
def test_pages_of_other_origins(worlds, request_head):
    """They are told so, the node is not asked, and what others do is not hindered."""
    world = worlds(route={"origins": OriginPolicy(("same", "https://app.test"))})
    assert world.client().send(request_head).response() == (403, b"origin not allowed")
    assert not world.nodes[0].is_asked()
    assert world.count("origin_refused") == 1
    good = request_head.replace(b"evil.test", b"app.test")
    client, node = world.ask(good)
    assert b"origin: https://app.test" in node.head()
    node.send(switching() if request_head.startswith(b"GET / ") else ok())
    assert client.head().split()[1] in (b"101", b"200")
    assert world.count("origin_refused") == 1


def test_a_refused_handshake_ends_its_connection(worlds):
    """Who sends frames right behind it has nobody who would read them as requests."""
    world = worlds(route={"origins": OriginPolicy(("same",), is_required=True)})
    for head in (handshake("/", FOREIGN), handshake("/")):
        client = world.client().send(head + b"GET / HTTP/1.1\r\nhost: example.com\r\n\r\n")
        assert client.response() == (403, b"origin not allowed")
        assert client.end() == b""
    assert not world.nodes[0].is_asked()


def test_a_preflight_is_for_the_cors_policy(worlds):
    """The route's list is asked about the request that follows."""
    cors = CorsPolicy((StringMatcher(StringMatch.EXACT, "https://evil.test"),))
    world = worlds(route={"origins": OriginPolicy(("same",)), "cors": cors})
    client = world.client().send(get("/", FOREIGN, "Access-Control-Request-Method: GET", method="OPTIONS"))
    assert client.response() == (200, b"")
    client.send(get("/", FOREIGN))
    assert client.response()[0] == 403
