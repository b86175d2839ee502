"""The supervisor's part of the overload manager: pressures, what follows, and what is told."""

import logging
import os

import pytest

from fastproxy.model import (
    LoadShedPoint,
    OverloadAction,
    OverloadManager,
    OverloadTrigger,
    ResourceKind,
    ResourceMonitor,
    TriggeredAction,
)
from fastproxy.overload_watch import POINTS_AT, TELL_EVERY_S, OverloadWatch, pressure

HEAP = ResourceMonitor("heap", ResourceKind.FIXED_HEAP, 1000)
MODEL = OverloadManager(
    0.5,
    (HEAP,),
    (
        TriggeredAction(OverloadAction.STOP_ACCEPTING_REQUESTS, (OverloadTrigger("heap", 0.9, 0.9),)),
        TriggeredAction(OverloadAction.REFUSE_NEW_SESSIONS, (OverloadTrigger("heap", 0.5, 1.0),)),
    ),
)


class Scene:
    def __init__(self, model=MODEL):
        self.pressure, self.now = 0.0, 100.0
        self.scales = bytearray(64)
        self.watch = OverloadWatch(memoryview(self.scales), self.measure, lambda: self.now)
        self.watch.adopt(model)

    def measure(self, monitor):
        if self.pressure is None:
            raise OSError("gone")
        return self.pressure

    def at(self, pressure):
        self.pressure = pressure
        self.watch.refresh()
        return self.scales[0], self.scales[list(OverloadAction).index(OverloadAction.REFUSE_NEW_SESSIONS)]

    def stats(self):
        return {each.name: each.value for each in self.watch.statistics()}


def test_workers_read_how_far_each_action_goes():
    scene = Scene()
    assert [scene.at(each) for each in (0.0, 0.5, 0.501, 0.75, 0.9, 2.0, 0.1)] == [
        (0, 0), (0, 0), (0, 1), (0, 50), (100, 80), (100, 100), (0, 0)
    ]  # fmt: skip


def test_the_statistics_have_envoys_names():
    scene = Scene()
    scene.at(0.75)
    assert scene.stats() == {
        "overload.heap.pressure": 75,
        "overload.heap.failed_updates": 0,
        "overload.heap.skipped_updates": 0,
        "overload.envoy.overload_actions.stop_accepting_requests.active": 0,
        "overload.envoy.overload_actions.stop_accepting_requests.scale_percent": 0,
        "overload.fastproxy.overload_actions.refuse_new_sessions.active": 0,
        "overload.fastproxy.overload_actions.refuse_new_sessions.scale_percent": 50,
    }


def test_points_stand_in_a_word_of_their_own():
    point = LoadShedPoint.HTTP1_SERVER_ABORT_DISPATCH
    scene = Scene(OverloadManager(0.5, (HEAP,), (TriggeredAction(point, (OverloadTrigger("heap", 0.5, 1.0),)),)))
    scene.at(0.75)
    assert scene.scales[POINTS_AT + 2] == 50
    assert scene.scales[:POINTS_AT] == bytes(POINTS_AT)
    assert {name: value for name, value in scene.stats().items() if "heap" not in name} == {
        "overload.envoy.load_shed_points.http1_server_abort_dispatch.scale_percent": 50
    }


def test_what_cannot_be_measured_leaves_things_as_they_are():
    scene = Scene()
    scene.at(0.95)
    assert scene.at(None) == scene.at(None) == (100, 89)
    assert scene.stats()["overload.heap.failed_updates"] == 2


def test_another_configuration_ends_what_it_does_not_say():
    scene = Scene()
    scene.at(0.95)
    scene.watch.adopt(OverloadManager(0.5, (HEAP,), MODEL.actions[:1]))
    assert scene.scales[0] == 100
    assert not any(scene.scales[1:])
    scene.watch.adopt(OverloadManager())
    assert not any(scene.scales)
    assert scene.watch.interval_s == 0


def test_an_action_that_comes_and_goes_is_told_of_now_and_then(caplog):
    caplog.set_level(logging.INFO)
    scene = Scene(OverloadManager(0.5, (HEAP,), MODEL.actions[:1]))
    for _ in range(50):
        scene.at(0.95)
        scene.at(0.1)
    assert [record.getMessage() for record in caplog.records] == [
        "envoy.overload_actions.stop_accepting_requests is active, 100%: heap at 95%"
    ]
    scene.now += TELL_EVERY_S
    scene.at(0.1)
    assert caplog.messages[-1] == "envoy.overload_actions.stop_accepting_requests has ended"


def test_pressures(tmp_path):
    def of(monitor):
        return pressure(monitor, lambda: [os.getpid()], lambda: 3)

    file = tmp_path / "pressure"
    file.write_text("0.25\n")
    assert of(ResourceMonitor("", ResourceKind.DOWNSTREAM_CONNECTIONS, 12)) == 0.25
    assert of(ResourceMonitor("", ResourceKind.INJECTED_RESOURCE, path=str(file))) == 0.25
    assert of(ResourceMonitor("", ResourceKind.FIXED_HEAP, 1 << 62)) < 0.01 < 1 < of(HEAP)
    file.write_text("much")
    with pytest.raises(ValueError, match="much"):
        of(ResourceMonitor("", ResourceKind.INJECTED_RESOURCE, path=str(file)))
