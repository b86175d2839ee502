"""How many connections, tunnels and new sessions there may be: all workers together, and after a worker's death."""

from typing import Any

import pytest

from tests.support import processes
from tests.support.adversary import Node, Peer
from tests.support.engine_io import engine_io
from tests.support.proxies import ROUTER, World, Worlds, bootstrap, cluster, connection_manager, departures, route
from tests.support.punctual import punctual, within
from tests.support.websocket import handshake, switching

GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
_LIMIT = "type.googleapis.com/envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit"

ours = pytest.mark.departure("Envoy has no such limits")


def is_closed(client: Peer) -> bool:
    """Whether the proxy has closed without a word."""
    try:
        return client.socket.recv(1) == b""
    except ConnectionResetError:
        return True


def limited(worlds: Worlds, most: int, concurrency: int = 1, **fields: Any) -> World:
    """A listener whose filter chain takes so many connections."""
    node = Node(engine_io())
    port, admin_port = processes.free_ports(2)
    manager = connection_manager([route("/", "backend")], http_filters=[ROUTER])
    configuration = bootstrap(port, admin_port, manager, [cluster("backend", [node.port])])
    limit = {"@type": _LIMIT, "stat_prefix": "edge", "max_connections": most, **fields}
    chain = configuration["static_resources"]["listeners"][0]["filter_chains"][0]
    chain["filters"].insert(0, {"name": "limit", "typed_config": limit})
    return worlds.run_file(configuration, [node], concurrency)


def statistic(world: World, name: str) -> int:
    return world.proxy.stats().get(name, 0)


def test_a_filter_chain_takes_so_many(worlds: Worlds) -> None:
    world = limited(worlds, 3)
    held = [world.client() for _ in range(3)]
    assert is_closed(world.client())
    active, turned_away = (f"connection_limit.edge.{name}_connections" for name in ("active", "limited"))
    processes.wait_until(lambda: statistic(world, active) == 3, "three are counted")
    assert statistic(world, turned_away) == 1
    held.pop().close()
    processes.wait_until(lambda: statistic(world, active) == 2, "one is gone")
    client = world.client() << GET
    assert client.read_response().status == 200


@punctual
def test_one_too_many_waits_for_its_end(worlds: Worlds) -> None:
    world = limited(worlds, 1, delay="0.3s")
    world.client()
    with within(0.3):
        late = world.client()
        late.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            late.socket.recv(1)
    late.socket.settimeout(processes.PATIENCE_S)
    assert is_closed(late)


@pytest.fixture(scope="module")
def greedy(worlds: Worlds) -> World:
    """Two workers, which share what is limited by client."""
    tunnels = {"max_concurrent": 2, "concurrent_per": "query:user"}
    return worlds.start(
        http_filters=departures(
            max_connections_per_address=8,
            handshake_rate_per_address={"per_second": 0.01, "burst": 3},
            tunnel_limits=tunnels,
        ),
        concurrency=2,
    )


@ours
def test_an_address_has_so_many(greedy: World) -> None:
    held = [greedy.client() for _ in range(8)]
    processes.wait_until(lambda: statistic(greedy, "http.ingress_http.downstream_cx_active") == 8, "eight are counted")
    assert is_closed(greedy.client())
    greedy.client(source="127.0.0.2") << b"GET"  # another address
    assert statistic(greedy, "http.ingress_http.downstream_cx_address_limited") == 1
    for client in held:
        client.close()
    processes.wait_until(lambda: statistic(greedy, "http.ingress_http.downstream_cx_active") <= 1, "they are gone")
    assert_served(greedy)


def assert_served(world: World) -> None:
    """A new connection is answered by the node."""
    client = world.client() << b"GET /x HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.busy_peer()
    node.read_request()
    node << b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    assert client.read_response().status == 200


def refused(world: World, request: bytes) -> bytes:
    """The body of the 429."""
    client = world.client() << request
    response = client.read_response()
    assert response.status == 429
    return bytes(response.body)


def open_tunnel(world: World, user: str) -> Peer:
    client = world.client() << handshake(f"/ws?user={user}".encode())
    node = world.node.busy_peer()
    node.read_head()
    node << switching()
    assert client.read_head().status == 101
    return client


@ours
def test_a_user_has_so_many_tunnels_and_a_dead_worker_none(greedy: World) -> None:
    for user in ("a", "a", "b"):
        open_tunnel(greedy, user)
    assert refused(greedy, handshake(b"/ws?user=a")) == b"too many tunnels"
    assert statistic(greedy, "http.ingress_http.tunnel_concurrent_limited") == 1
    greedy.proxy.replace_workers()
    for client in greedy.clients:
        client.close()
    greedy.node.hang_up()
    for _ in range(2):
        open_tunnel(greedy, "a")


@ours
def test_new_sessions_of_an_address(greedy: World) -> None:
    poll = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: a\r\n\r\n"
    for _ in range(3):
        client = greedy.client() << poll
        node = greedy.node.busy_peer()
        node.read_request()
        node << b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        assert client.read_response().status == 200
    for _ in range(4):  # whichever worker it is
        assert refused(greedy, poll) == b"too many new sessions"
    assert statistic(greedy, "http.ingress_http.sid_handshake_limited") == 4
    assert_served(greedy)
