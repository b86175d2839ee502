"""The supervisor's part of the overload manager: measures, decides, and writes what every worker reads.

`overload` is the workers' part. Knows nothing of processes and sockets: how to measure is given.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fastproxy.model import (
    LoadShedPoint,
    OverloadAction,
    OverloadManager,
    ResourceKind,
    ResourceMonitor,
    TriggeredAction,
)
from fastproxy.process_memory import cgroup_bytes, heap_bytes
from fastproxy.stats import Statistic

log = logging.getLogger("fastproxy.overload")

TELL_EVERY_S = 10.0
"""An action that comes and goes is told of that often at most."""

POINTS_AT = 8
_PLACES: dict[OverloadAction | LoadShedPoint, int] = {action: place for place, action in enumerate(OverloadAction)}
_PLACES |= {point: POINTS_AT + place for place, point in enumerate(LoadShedPoint)}

Measure = Callable[[ResourceMonitor], float]
"""The pressure on a resource; OSError or ValueError when it cannot be known now."""


@dataclass(slots=True)
class Resource:
    """A watched resource; `pressure` is the last one that could be measured."""

    monitor: ResourceMonitor
    pressure: float = 0.0
    failed_updates: int = 0

    def update(self, measure: Measure) -> None:
        try:
            self.pressure = max(0.0, measure(self.monitor))
        except (OSError, ValueError):
            self.failed_updates += 1


@dataclass(slots=True)
class ActionState:
    """How far an action goes, in percent."""

    model: TriggeredAction
    percent: int = 0
    told_at: float = field(default=float("-inf"))
    was_told: bool = False


class OverloadWatch:
    """`scales` are the bytes that workers read, one for each action and each point, in percent."""

    def __init__(self, scales: memoryview, measure: Measure, clock: Callable[[], float] = time.monotonic) -> None:
        self._scales = scales
        self._measure = measure
        self._clock = clock
        self._resources: dict[str, Resource] = {}
        self._states: list[ActionState] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.interval_s = 0.0
        """How often to refresh; 0: there is nothing to watch."""

    def run(self, loop: asyncio.AbstractEventLoop, model: OverloadManager) -> None:
        """Watch what this model says, as often as it says."""
        self._loop = loop
        self.adopt(model)

    def adopt(self, model: OverloadManager) -> None:
        """Watch what this model says from now on. Actions that it has not end with the next refresh."""
        before = self._resources
        self._resources = {
            monitor.name: before[monitor.name]
            if monitor.name in before and before[monitor.name].monitor == monitor
            else Resource(monitor)
            for monitor in model.monitors
        }
        known = {state.model.action: state for state in self._states}
        self._states = [self._state(each, known) for each in model.actions]
        self.interval_s = model.refresh_interval_s if model.monitors else 0.0
        self._turn()

    def _turn(self) -> None:
        """Refresh now, and once more after the interval; there is one timer at most."""
        self.refresh()
        if self._timer is not None:
            self._timer.cancel()
        if self._loop is not None:
            self._timer = self._loop.call_later(self.interval_s, self._turn) if self.interval_s else None

    def _state(
        self, model: TriggeredAction, known: Mapping[OverloadAction | LoadShedPoint, ActionState]
    ) -> ActionState:
        state = known.get(model.action, ActionState(model))
        state.model = model
        return state

    def refresh(self) -> None:
        """Measure all resources, and have the workers do what follows."""
        for resource in self._resources.values():
            resource.update(self._measure)
        for state in self._states:
            scale = max(
                (trigger.scale(self._pressure(trigger.monitor)) for trigger in state.model.triggers), default=0.0
            )
            state.percent = max(1, int(scale * 100)) if scale else 0
            self._tell(state)
        percents = {state.model.action: state.percent for state in self._states}
        for action, place in _PLACES.items():
            self._scales[place] = percents.get(action, 0)

    def _pressure(self, monitor: str) -> float:
        return self._resources[monitor].pressure if monitor in self._resources else 0.0

    def _tell(self, state: ActionState) -> None:
        is_active = state.percent > 0
        if is_active == state.was_told or self._clock() - state.told_at < TELL_EVERY_S:
            return
        state.told_at, state.was_told = self._clock(), is_active
        name = state.model.action.value
        if not is_active:
            log.info("%s has ended", name)
            return
        pressures = (f"{each.monitor} at {self._pressure(each.monitor):.0%}" for each in state.model.triggers)
        log.warning("%s is active, %d%%: %s", name, state.percent, ", ".join(pressures))

    def statistics(self) -> Iterator[Statistic]:
        """Under Envoy's names."""
        for name, resource in self._resources.items():
            yield Statistic(f"overload.{name}.pressure", int(resource.pressure * 100), True)
            yield Statistic(f"overload.{name}.failed_updates", resource.failed_updates)
            yield Statistic(f"overload.{name}.skipped_updates", 0)
        for state in self._states:
            if isinstance(state.model.action, OverloadAction):
                yield Statistic(f"overload.{state.model.action.value}.active", int(state.percent >= 100), True)
            yield Statistic(f"overload.{state.model.action.value}.scale_percent", state.percent, True)


def pressure(monitor: ResourceMonitor, pids: Callable[[], Iterable[int]], connections: Callable[[], int]) -> float:
    """The pressure on a resource of these processes, which have so many downstream connections together.

    OSError or ValueError when it cannot be measured.
    """
    match monitor.kind:
        case ResourceKind.FIXED_HEAP:
            return heap_bytes(pids()) / monitor.limit
        case ResourceKind.DOWNSTREAM_CONNECTIONS:
            return connections() / monitor.limit
        case ResourceKind.CGROUP_MEMORY:
            used, limit = cgroup_bytes()
            return used / (min(monitor.limit, limit) if monitor.limit else limit)
        case ResourceKind.INJECTED_RESOURCE:
            with open(monitor.path) as file:
                return float(file.read())


def watch(scales: memoryview, pids: Callable[[], Iterable[int]], connections: Callable[[], int]) -> OverloadWatch:
    """A watch over these processes and their connections."""
    return OverloadWatch(scales, lambda monitor: pressure(monitor, pids, connections))
