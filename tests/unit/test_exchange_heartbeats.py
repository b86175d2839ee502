"""A session tells how long it may be silent; timers that end it sooner are told of, once for each route."""

import pytest

from fastproxy.exchange.heartbeats import MAX_LINES, Heartbeats
from fastproxy.model import Departures, Route, RouteMatch
from fastproxy.model_routes import RetryPolicy
from tests.unit.engine_world import get, ok

OPEN = b'0{"sid":"%b","pingInterval":25000,"pingTimeout":20000}'
ENDING = "and a session there may be silent for 45 s (pingInterval + pingTimeout); what waits longer is cut"


def open_session(world, sid=b"abc"):
    client = world.client().send(get("/socket.io/?EIO=4&transport=polling"))
    node = world.nodes[0].accept()
    node.head()
    node.send(ok(OPEN % sid))
    assert client.response() == (200, OPEN % sid)
    client.close()
    node.close()
    world.settle()


def told(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "fastproxy.affinity"]


@pytest.mark.parametrize(
    ("settings", "timer"),
    [
        ({"route": {"timeout_s": 44.9, "timeout_is_set": True}}, "timeout is 44.9 s"),
        ({"route": {"idle_timeout_s": 30.0}}, "idle_timeout is 30 s"),
        ({"route": {"retry_policy": RetryPolicy(per_try_timeout_s=9)}}, "per_try_timeout is 9 s"),
        ({"route": {"retry_policy": RetryPolicy(per_try_idle_timeout_s=8)}}, "per_try_idle_timeout is 8 s"),
        ({"route": {"max_stream_duration_s": 40.0}}, "max_stream_duration is 40 s"),
        ({"manager": {"stream_idle_timeout_s": 44.0}}, "stream_idle_timeout is 44 s"),
        ({"manager": {"departures": Departures(polls_outlive_default_timeout=False)}}, "timeout is 15 s"),
    ],
)
def test_a_timer_below_the_heartbeat_is_told_of_once(worlds, caplog, settings, timer):
    world = worlds(**settings)
    open_session(world)
    open_session(world, b"def")
    assert told(caplog) == [f'the route for prefix "/": {timer}, {ENDING}']


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"route": {"timeout_s": 45.0, "timeout_is_set": True}},
        {"route": {"timeout_s": None, "timeout_is_set": True}},
        {"route": {"idle_timeout_s": 45.0, "max_stream_duration_s": 45.0}},
        {"route": {"idle_timeout_s": 0.0}, "manager": {"stream_idle_timeout_s": 5.0}},
    ],
)
def test_of_the_others_nothing_is_said(worlds, caplog, settings):
    open_session(worlds(**settings))
    assert told(caplog) == []


def route(number):
    return Route(RouteMatch(prefix=f"/{number}"), "c", "a name" if number == 0 else "")


def test_a_name_is_told_where_there_is_one(caplog):
    Heartbeats().tell(route(0), "timeout", 500, 45)
    assert told(caplog) == [f"route 'a name': timeout is 0.5 s, {ENDING}"]


def test_the_number_of_lines_is_bounded(caplog):
    heartbeats = Heartbeats()
    for number in range(MAX_LINES + 10):
        heartbeats.tell(route(number), "timeout", 500, 45)
    assert len(told(caplog)) == MAX_LINES
