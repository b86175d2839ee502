"""The overload manager of the file, and its mistakes."""

import pytest

from fastproxy.config.build_overload import build_overload
from fastproxy.model import (
    LoadShedPoint,
    OverloadAction,
    OverloadManager,
    OverloadTrigger,
    ResourceKind,
    ResourceMonitor,
    ScaledTimer,
    TimerType,
    TriggeredAction,
)
from tests.unit.config_files import errors, v3_file, view, warnings

TYPES = "type.googleapis.com/envoy.extensions.resource_monitors"
HEAP = "envoy.resource_monitors.fixed_heap"
STOP = "envoy.overload_actions.stop_accepting_requests"
REDUCE = "envoy.overload_actions.reduce_timeouts"
SCALE = "type.googleapis.com/envoy.config.overload.v3.ScaleTimersOverloadActionConfig"
POINTS = "envoy.load_shed_points."
CHECK = "http_downstream_filter_check"


def monitor(name, kind, **fields):
    package, message = kind
    return {"name": name, "typed_config": {"@type": f"{TYPES}.{package}.v3.{message}", **fields}}


FIXED_HEAP = ("fixed_heap", "FixedHeapConfig")
CONNECTIONS = ("downstream_connections", "DownstreamConnectionsConfig")
CGROUP = ("cgroup_memory", "CgroupMemoryConfig")
INJECTED = ("injected_resource", "InjectedResourceConfig")


def action(name=STOP, *triggers):
    return {"name": name, "triggers": list(triggers)}


def threshold(value, name=HEAP):
    return {"name": name, "threshold": {"value": value}}


def scaled(first, last, name=HEAP):
    return {"name": name, "scaled": {"scaling_threshold": first, "saturation_threshold": last}}


def build(manager=None, **bootstrap):
    document = v3_file()
    document.update(bootstrap)
    if manager is not None:
        document["overload_manager"] = manager
    tree, report = view(document)
    return build_overload(tree, report), report


def test_without_one_nothing_is_watched():
    found, report = build()
    assert found == OverloadManager()
    assert warnings(report) == []


def test_monitors_and_actions():
    found, report = build(
        {
            "refresh_interval": "0.25s",
            "resource_monitors": [
                monitor(HEAP, FIXED_HEAP, max_heap_size_bytes=1 << 30),
                monitor("connections", CONNECTIONS, max_active_downstream_connections=100),
                monitor("group", CGROUP),
                monitor("file", INJECTED, filename="/run/pressure"),
            ],
            "actions": [
                action(STOP, threshold(0.95), scaled(0.5, 0.75, "group")),
                action("fastproxy.overload_actions.refuse_new_sessions", threshold(0.8, "connections")),
            ],
        }
    )
    assert errors(report) == []
    assert found == OverloadManager(
        0.25,
        (
            ResourceMonitor(HEAP, ResourceKind.FIXED_HEAP, 1 << 30),
            ResourceMonitor("connections", ResourceKind.DOWNSTREAM_CONNECTIONS, 100),
            ResourceMonitor("group", ResourceKind.CGROUP_MEMORY),
            ResourceMonitor("file", ResourceKind.INJECTED_RESOURCE, path="/run/pressure"),
        ),
        (
            TriggeredAction(
                OverloadAction.STOP_ACCEPTING_REQUESTS,
                (OverloadTrigger(HEAP, 0.95, 0.95), OverloadTrigger("group", 0.5, 0.75)),
            ),
            TriggeredAction(OverloadAction.REFUSE_NEW_SESSIONS, (OverloadTrigger("connections", 0.8, 0.8),)),
        ),
        100,
    )


ONE_MONITOR = [monitor(HEAP, FIXED_HEAP, max_heap_size_bytes=1)]


@pytest.mark.parametrize(
    ("manager", "words"),
    [
        ({"resource_monitors": [monitor(HEAP, FIXED_HEAP)]}, "max_heap_size_bytes has to be above 0"),
        ({"resource_monitors": ONE_MONITOR * 2}, "already"),
        ({"resource_monitors": [{"name": HEAP}]}, "of this type are not supported"),
        (
            {"resource_monitors": [monitor("x", ("cpu_utilization", "CpuUtilizationConfig"))]},
            "of this type are not supported",
        ),
        ({"actions": [action("envoy.overload_actions.stop_accepting_request", threshold(1))]}, "did you mean"),
        ({"resource_monitors": ONE_MONITOR, "actions": [action(STOP, threshold(1))] * 2}, "already"),
        ({"actions": [action(STOP)]}, "needs triggers"),
        ({"actions": [action(STOP, threshold(1))]}, "there is no resource monitor"),
        ({"resource_monitors": ONE_MONITOR, "actions": [action(STOP, threshold(1), threshold(1))]}, "already"),
        ({"resource_monitors": ONE_MONITOR, "actions": [action(STOP, scaled(0.9, 0.5))]}, "below saturation"),
        ({"resource_monitors": ONE_MONITOR, "actions": [action(STOP, {"name": HEAP})]}, "a trigger needs"),
    ],
)
def test_mistakes(manager, words):
    _, report = build(manager)
    ((_, message),) = errors(report)
    assert words in message


def test_actions_and_points_without_effect_are_told_of():
    for name in ("reset_high_memory_stream", "close_idle_http_connections"):
        actions = [action(f"envoy.overload_actions.{name}", threshold(1))]
        found, report = build({"resource_monitors": ONE_MONITOR, "actions": actions})
        assert found.actions == ()
        ((_, message),) = warnings(report)
        assert "no effect" in message
    points = [action(f"{POINTS}http2_server_go_away_on_dispatch", threshold(1))]
    found, report = build({"resource_monitors": ONE_MONITOR, "loadshed_points": points})
    assert found.actions == ()
    assert len(warnings(report)) == 1


def test_points():
    points = [action(f"{POINTS}tcp_listener_accept", threshold(0.9)), action(f"{POINTS}{CHECK}", scaled(0.5, 0.75))]
    found, report = build({"resource_monitors": ONE_MONITOR, "loadshed_points": points})
    assert errors(report) == warnings(report) == []
    assert found.actions == (
        TriggeredAction(LoadShedPoint.TCP_LISTENER_ACCEPT, (OverloadTrigger(HEAP, 0.9, 0.9),)),
        TriggeredAction(LoadShedPoint.HTTP_DOWNSTREAM_FILTER_CHECK, (OverloadTrigger(HEAP, 0.5, 0.75),)),
    )


def reduce_timeouts(*factors):
    return {**action(REDUCE, scaled(0.5, 1)), "typed_config": {"@type": SCALE, "timer_scale_factors": list(factors)}}


def test_timers_that_are_reduced():
    factors = [
        {"timer": "HTTP_DOWNSTREAM_CONNECTION_IDLE", "min_timeout": "2s"},
        {"timer": "HTTP_DOWNSTREAM_STREAM_IDLE", "min_scale": {"value": 10}},
        {"timer": "TRANSPORT_SOCKET_CONNECT", "min_timeout": "1s"},
    ]
    found, report = build({"resource_monitors": ONE_MONITOR, "actions": [reduce_timeouts(*factors)]})
    assert errors(report) == []
    assert found.timers == (
        ScaledTimer(TimerType.HTTP_DOWNSTREAM_CONNECTION_IDLE, 2.0),
        ScaledTimer(TimerType.HTTP_DOWNSTREAM_STREAM_IDLE, None, 0.1),
    )
    ((_, message),) = warnings(report)
    assert "TLS" in message


IDLE = {"timer": "HTTP_DOWNSTREAM_CONNECTION_IDLE", "min_timeout": "2s"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"actions": [reduce_timeouts(IDLE, IDLE)]}, "stands here already"),
        ({"actions": [reduce_timeouts({"timer": "HTTP_DOWNSTREAM_CONNECTION_IDLE"})]}, "min_timeout"),
        ({"actions": [action(REDUCE, threshold(1))]}, "needs a typed_config"),
        ({"loadshed_points": [action(f"{POINTS}tcp_listener_accepts", threshold(1))]}, "did you mean"),
        ({"loadshed_points": [action(f"{POINTS}{CHECK}", threshold(1))] * 2}, "already"),
        ({"loadshed_points": [action(f"{POINTS}{CHECK}", threshold(1, "other"))]}, "there is no resource monitor"),
    ],
)
def test_mistakes_about_timers_and_points(fields, words):
    _, report = build({"resource_monitors": ONE_MONITOR, **fields})
    ((_, message),) = errors(report)
    assert words in message


@pytest.mark.parametrize(
    "layer",
    [
        {"overload.global_downstream_max_connections": 50},
        {"overload": {"global_downstream_max_connections": 50}},
        {"overload": {"global_downstream_max_connections": 50}, "other": 1},
    ],
)
def test_the_runtimes_limit(layer):
    layers = [{"name": "a", "static_layer": {"overload.global_downstream_max_connections": 7}}]
    layers.append({"name": "b", "static_layer": layer})
    found, report = build(layered_runtime={"layers": layers})
    assert found.max_downstream_connections == 50
    assert len(warnings(report)) == len(layer) - 1


def test_a_monitor_of_connections_counts_instead_of_the_runtime():
    layers = [{"name": "a", "static_layer": {"overload.global_downstream_max_connections": 7}}]
    connections = monitor("c", CONNECTIONS, max_active_downstream_connections=3)
    found, _ = build({"resource_monitors": [connections]}, layered_runtime={"layers": layers})
    assert found.max_downstream_connections == 3


def test_a_limit_that_is_no_number():
    layers = [{"name": "a", "static_layer": {"overload.global_downstream_max_connections": "many"}}]
    _, report = build(layered_runtime={"layers": layers})
    ((_, message),) = errors(report)
    assert "number of connections" in message
