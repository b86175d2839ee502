"""What is refused and given up under pressure, and what is not."""

import pytest

from fastproxy.model import LoadShedPoint, OverloadAction, OverloadManager, OverloadTrigger, TriggeredAction
from fastproxy.overload import Overload
from tests.unit.engine_world import field, get, handshake, ok, switching

POLL = "/socket.io/?EIO=4&transport=polling"
OPEN = b'0{"sid":"abc","pingInterval":25000,"pingTimeout":20000}'
BODY = b"envoy overloaded"


def test_requests_are_refused_on_connections_that_stay(world):
    world.act(OverloadAction.STOP_ACCEPTING_REQUESTS)
    client = world.client()
    for _ in range(2):
        assert client.send(get()).response() == (503, BODY)
    assert world.count("downstream_rq_overload_close") == 2
    world.act(OverloadAction.STOP_ACCEPTING_REQUESTS, 0)
    client.send(get())
    node = world.nodes[0].accept()
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_connections_end_with_their_responses(world):
    world.act(OverloadAction.DISABLE_HTTP_KEEPALIVE)
    client, node = world.ask(get())
    node.head()
    node.send(ok())
    head = client.head()
    assert field(head, b"connection") == b"close"
    assert client.end() == b"hello"
    assert world.count("downstream_cx_overload_disable_keepalive") == 1


@pytest.fixture
def session(world):
    """A client of session abc, and the connection to the node that issued it."""
    client, node = world.ask(get(POLL))
    node.head()
    node.send(ok(OPEN))
    assert client.response() == (200, OPEN)
    return client, node


@pytest.mark.parametrize("request_", [get(POLL), handshake("/socket.io/?EIO=4&transport=websocket"), handshake("/ws")])
def test_new_sessions_are_refused(world, request_):
    world.act(OverloadAction.REFUSE_NEW_SESSIONS)
    client = world.client().send(request_)
    head = client.head()
    assert head.startswith(b"HTTP/1.1 503 ")
    assert field(head, b"retry-after") == b"5"
    assert client.take(len(BODY)) == BODY
    assert world.count("downstream_rq_overload_new_session") == 1
    assert not world.nodes[0].is_asked()


def test_sessions_that_stand_go_on(world, session):
    world.act(OverloadAction.REFUSE_NEW_SESSIONS)
    client, node = session
    client.send(get(f"{POLL}&sid=abc"))
    node.head()
    node.send(ok(b"6"))
    assert client.response() == (200, b"6")
    client.send(handshake("/socket.io/?EIO=4&transport=websocket&sid=abc"))
    node.head()
    node.send(switching())
    assert client.head().startswith(b"HTTP/1.1 101 ")


def test_plain_requests_go_on_while_sessions_are_refused(world):
    world.act(OverloadAction.REFUSE_NEW_SESSIONS)
    client, node = world.ask(get("/page"))
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_only_a_share_of_the_sessions_is_refused(world):
    world.act(OverloadAction.REFUSE_NEW_SESSIONS, 50)
    refused = 0
    for _ in range(200):
        client = world.client().send(handshake("/ws"))
        world.until(lambda client=client: (client.read() is None and bool(client.got)) or world.nodes[0].is_asked())
        refused += bool(client.got)
        if not client.got:
            world.nodes[0].accept()
    assert 50 < refused < 150


def test_new_sessions_are_refused_when_descriptors_are_scarce(worlds):
    world = worlds(max_fds=Overload(max_fds=1000).other_fds + 40)
    client, node = world.ask(get(POLL))
    node.head()
    node.send(ok(OPEN, "connection: close"))
    assert client.response() == (200, OPEN)
    while world.engine.active < world.engine.overload.scarce_at:
        world.ask(get("/busy"))
    assert world.client().send(get(POLL)).response() == (503, BODY)
    client.send(get(f"{POLL}&sid=abc"))
    node = world.nodes[0].accept()
    node.head()
    node.send(ok(b"6"))
    assert client.response() == (200, b"6")


def test_a_head_that_comes_slowly_is_given_up(worlds):
    world = worlds(max_fds=Overload(max_fds=1000).other_fds + 60)
    slow = [world.client().send(b"GET / HTTP/1.1\r\n") for _ in range(10)]
    world.until(lambda: world.engine.active == 11)
    while world.engine.active < world.engine.overload.scarce_at:
        world.ask(get("/busy"))
    world.client()
    world.settle()
    assert not any(peer.read() is None and peer.ended for peer in slow)

    def comes_late():
        world.client()
        world.settle()
        return any(peer.read() is None and peer.ended for peer in slow)

    world.until(comes_late)


# --- load shed points -------------------------------------------------------------------------------------------------

POINTS = tuple(TriggeredAction(point, (OverloadTrigger("", 1, 1),)) for point in LoadShedPoint)


@pytest.fixture
def shedder(worlds):
    """A world whose configuration has all points."""
    return worlds(configuration={"overload": OverloadManager(actions=POINTS)})


def shed_count(world, point):
    return world.statistics()[f"overload.{point.value}.shed_load_count"]


def test_requests_are_shed_behind_their_heads(shedder):
    shedder.shed(LoadShedPoint.HTTP_CONNECTION_MANAGER_DECODE_HEADERS)
    client = shedder.client()
    for _ in range(2):
        assert client.send(get()).response() == (503, BODY)
    assert shedder.count("downstream_rq_overload_close") == 2
    assert shed_count(shedder, LoadShedPoint.HTTP_CONNECTION_MANAGER_DECODE_HEADERS) == 2


def test_requests_are_shed_in_front_of_the_nodes(shedder):
    shedder.shed(LoadShedPoint.HTTP_DOWNSTREAM_FILTER_CHECK)
    assert shedder.client().send(get()).response() == (503, BODY)
    assert shedder.count("rq_overload_local_reply") == 1
    assert shed_count(shedder, LoadShedPoint.HTTP_DOWNSTREAM_FILTER_CHECK) == 1


def test_bytes_that_are_not_looked_at_close_their_connection(shedder):
    client, silent = shedder.client(), shedder.client()
    exchanged, node = shedder.ask(get())
    node.head()
    node.send(ok())
    assert exchanged.response() == (200, b"hello")
    shedder.shed(LoadShedPoint.HTTP1_SERVER_ABORT_DISPATCH)
    for each in (client, exchanged):
        each.send(get()[:10])
        head = each.head()
        assert head.startswith(b"HTTP/1.1 500 ")
        assert field(head, b"connection") == b"close"
        assert each.end() == b"Internal Server Error"
    assert shedder.count("downstream_rq_overload_close") == 2
    shedder.shed(LoadShedPoint.HTTP1_SERVER_ABORT_DISPATCH, 0)
    silent.send(get())
    node.head()
    node.send(ok())
    assert silent.response() == (200, b"hello")


def test_the_rest_of_a_body_is_not_looked_at_either(shedder):
    client = shedder.client().send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nab")
    node = shedder.nodes[0].accept()
    node.head()
    shedder.shed(LoadShedPoint.HTTP1_SERVER_ABORT_DISPATCH)
    client.send(b"cd")
    assert client.response() == (500, b"Internal Server Error")
    assert node.end() == b"ab"


def test_a_tunnel_is_looked_at(shedder):
    client, node = shedder.ask(handshake())
    node.head()
    node.send(switching())
    client.head()
    shedder.shed(LoadShedPoint.HTTP1_SERVER_ABORT_DISPATCH)
    shedder.shed(LoadShedPoint.HCM_ONDATA_CREATING_CODEC)
    client.send(b"still there")
    assert node.take(11) == b"still there"


def test_a_connection_closes_with_its_first_bytes(shedder):
    client, node = shedder.ask(get())
    node.head()
    node.send(ok())
    client.response()
    shedder.shed(LoadShedPoint.HCM_ONDATA_CREATING_CODEC)
    client.send(get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert shedder.client().send(get()).end() == b""
    assert shedder.count("downstream_rq_overload_close") == 1
    assert shed_count(shedder, LoadShedPoint.HCM_ONDATA_CREATING_CODEC) == 1


def test_no_connection_to_a_node_is_opened(shedder):
    kept, node = shedder.ask(get())
    node.head()
    node.send(ok())
    kept.response()
    shedder.shed(LoadShedPoint.CONNECTION_POOL_NEW_CONNECTION)
    busy = shedder.client().send(get())
    node.head()
    client = shedder.client().send(get())
    head = client.head()
    assert head.startswith(b"HTTP/1.1 503 ")
    assert field(head, b"x-envoy-overloaded") == b"true"
    node.send(ok())
    assert busy.response() == (200, b"hello")
    assert shedder.count("upstream_rq_pending_overflow") == 0


def test_a_point_that_the_configuration_has_no_more_counts_nowhere(shedder):
    shedder.shed(LoadShedPoint.HTTP_DOWNSTREAM_FILTER_CHECK)
    shedder.change()
    assert shedder.client().send(get()).response() == (503, BODY)
    assert not any("shed_load_count" in name for name in shedder.statistics())
