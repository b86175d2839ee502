"""Pressure makes timers shorter, those that run already too; sessions and tunnels are left alone."""

import pytest

from fastproxy.model import OverloadAction, OverloadManager, ScaledTimer, TimerType
from tests.unit.engine_world import get, handshake, ok, switching

HOUR = 3600.0
POLL = "/socket.io/?EIO=4&transport=polling"


@pytest.fixture
def pressed(worlds):
    """Makes a world in which pressure reduces all timers to an instant; nothing would end in it for an hour."""

    def make(**manager):
        timers = tuple(ScaledTimer(each, 0.001) for each in TimerType)
        settings = {"idle_timeout_s": HOUR, "stream_idle_timeout_s": HOUR, "drain_timeout_s": 0.0, **manager}
        return worlds(manager=settings, configuration={"overload": OverloadManager(timers=timers)})

    return make


def press(world, percent=100):
    world.act(OverloadAction.REDUCE_TIMEOUTS, percent)
    world.settle()
    world.engine.sweep()


def test_an_idle_connection_closes(pressed):
    world = pressed()
    client = world.client()
    world.settle()
    world.engine.sweep()
    assert world.engine.active == 2
    press(world)
    assert client.end() == b""
    assert world.count("downstream_cx_idle_timeout") == 1


def test_an_exchange_that_is_silent_ends(pressed):
    world = pressed()
    client, node = world.ask(get())
    node.head()
    press(world)
    assert client.response() == (504, b"stream timeout")
    assert world.count("downstream_rq_idle_timeout") == 1


def test_a_connection_that_lasted_closes_with_its_response(pressed):
    world = pressed(max_connection_duration_s=HOUR, stream_idle_timeout_s=None)
    client, node = world.ask(get())
    node.head()
    press(world)
    node.send(ok())
    assert b"\r\nconnection: close\r\n" in client.head()
    assert client.end() == b"hello"


def test_a_poll_that_a_node_holds_goes_on(pressed):
    world = pressed()
    client, node = world.ask(get(f"{POLL}&sid=abc"))
    node.head()
    press(world)
    world.settle()
    node.send(ok(b"6"))
    assert client.response() == (200, b"6")


def test_a_tunnel_goes_on(pressed):
    world = pressed(max_connection_duration_s=HOUR)
    client, node = world.ask(handshake())
    node.head()
    node.send(switching())
    client.head()
    press(world)
    world.settle()
    client.send(b"still there")
    assert node.take(11) == b"still there"


def test_half_the_way_leaves_half_the_time(pressed):
    world = pressed()
    client = world.client()
    press(world, 50)
    world.settle()
    client.send(get())
    node = world.nodes[0].accept()
    node.head()
    press(world, 50)
    world.settle()
    node.send(ok())
    assert client.response() == (200, b"hello")
    press(world)
    assert client.end() == b""
