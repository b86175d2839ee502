"""Who is taken in: overload, connections of all workers, and descriptors that run out."""

import socket
from dataclasses import replace

from fastproxy.model import LoadShedPoint, OverloadAction, OverloadManager, OverloadTrigger, TriggeredAction
from fastproxy.overload import Overload
from tests.unit.engine_world import get, ok


def counted(world, name):
    """A counter of the listener."""
    return world.statistics()[f"listener.127.0.0.1_1.{name}"]


def test_a_client_whose_connection_is_shed_is_closed_and_counted(worlds):
    point = LoadShedPoint.TCP_LISTENER_ACCEPT
    action = TriggeredAction(point, (OverloadTrigger("", 1, 1),))
    world = worlds(configuration={"overload": OverloadManager(actions=(action,))})
    world.shed(point)
    assert world.client().end() == b""
    assert counted(world, "downstream_cx_overload_reject") == 1
    assert world.statistics()[f"overload.{point.value}.shed_load_count"] == 1


def test_a_client_that_is_rejected_is_closed_and_counted(world):
    world.act(OverloadAction.REJECT_INCOMING_CONNECTIONS)
    assert world.client().end() == b""
    assert counted(world, "downstream_cx_overload_reject") == 1
    assert world.count("downstream_cx_total") == 0
    world.act(OverloadAction.REJECT_INCOMING_CONNECTIONS, 0)
    client, node = world.ask(get())
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_who_comes_while_nothing_is_accepted_waits_in_the_queue(world):
    world.act(OverloadAction.STOP_ACCEPTING_CONNECTIONS)
    client = world.client().send(get())
    world.settle()
    assert world.count("downstream_cx_total") == 0
    world.act(OverloadAction.STOP_ACCEPTING_CONNECTIONS, 0)
    node = world.nodes[0].accept()
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert counted(world, "downstream_cx_overflow") == 0


def test_to_stop_accepting_half_way_is_not_to_stop(world):
    world.act(OverloadAction.STOP_ACCEPTING_CONNECTIONS, 99)
    client, node = world.ask(get())
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_connections_of_all_workers_together_are_limited(worlds):
    world = worlds(configuration={"overload": OverloadManager(max_downstream_connections=2)})
    first, _ = world.client(), world.client()
    world.until(lambda: world.count("downstream_cx_active") == 2)
    assert world.client().end() == b""
    assert counted(world, "downstream_global_cx_overflow") == 1
    first.close()
    world.until(lambda: world.count("downstream_cx_active") == 1)
    client, node = world.ask(get())
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_a_reload_changes_the_limit(worlds):
    world = worlds(configuration={"overload": OverloadManager(max_downstream_connections=1)})
    world.client()
    world.until(lambda: world.count("downstream_cx_active") == 1)
    world.reload(replace(world.configuration, overload=OverloadManager()))
    client, node = world.ask(get())
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_descriptors_that_run_out_stop_a_listener_for_a_while(worlds):
    world = worlds(max_fds=Overload(max_fds=1000).other_fds + 40)
    overload = world.engine.overload
    asking = []
    while world.engine.active < overload.full_at:
        client, node = world.ask(get())
        asking.append((client, node))
    waiting = world.client().send(get())
    world.until(lambda: counted(world, "downstream_cx_overflow") > 0)
    total = world.count("downstream_cx_total")
    world.settle()
    assert world.count("downstream_cx_total") == total == len(asking)
    for client, node in asking:
        node.head()
        node.send(ok(b"kept"))
        assert client.response() == (200, b"kept")
        client.close()
    node = world.nodes[0]
    world.until(lambda: world.count("downstream_cx_total") == total + 1)
    kept = [peer for _, peer in asking]
    world.until(lambda: any(b"GET" in peer.got for peer in kept if peer.read() is None) or node.is_asked())
    peer = next((peer for peer in kept if b"GET" in peer.got), None) or node.accept()
    peer.head()
    peer.send(ok(b"late"))
    assert waiting.response() == (200, b"late")


def test_idle_clients_make_room_for_new_ones(worlds):
    world = worlds(max_fds=Overload(max_fds=1000).other_fds + 60)
    idle = [world.client() for _ in range(200)]
    world.until(lambda: world.count("downstream_cx_total") == 200)
    assert world.engine.active <= world.engine.overload.scarce_at
    assert world.count("downstream_cx_overload_idle_close") >= 100
    assert counted(world, "downstream_cx_overflow") == 0
    client, node = world.ask(get())
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert sum(peer.read() is None and peer.ended for peer in idle) >= 100


def test_a_client_that_sends_while_others_are_closed_is_not(worlds):
    """Its request stands in the kernel and nobody has told the engine yet."""
    world = worlds(max_fds=Overload(max_fds=1000).other_fds + 60)
    while world.engine.active < world.engine.overload.scarce_at - 1:
        world.client()
        world.settle()
    clients = list(world.peers)
    for client in clients:
        client.send(get("/", "connection: close"))
    extra = socket.create_connection(world.listener.getsockname())
    world.hold(extra)
    for _ in clients:
        node = world.nodes[0].accept()
        node.head()
        node.send(ok())
    for client in clients:
        assert client.response() == (200, b"hello")
