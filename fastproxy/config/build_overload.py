"""The overload manager of the bootstrap, and the connection limit that the runtime's layers may hold.

Owns the names of monitors and actions; reports what does not fit together in Envoy's words.
"""

from fastproxy.config import codes
from fastproxy.config.tree import Node, Report, did_you_mean, shorten
from fastproxy.config.v3 import View
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

CONNECTION_LIMIT_KEY = "overload.global_downstream_max_connections"

_MONITORS = "envoy.extensions.resource_monitors."
_KINDS = {f"{_MONITORS}{kind.value}.v3": kind for kind in ResourceKind}
_ACTIONS = {action.value: action for action in OverloadAction}
_POINTS = {point.value: point for point in LoadShedPoint}
_IDLE_ACTIONS = {
    "envoy.overload_actions.reset_high_memory_stream": "as in Envoy it concerns HTTP/2; here all buffers are bounded",
    "envoy.overload_actions.close_idle_http_connections": "as in Envoy it concerns HTTP/3",
}
"""Actions of Envoy's that do nothing to HTTP/1."""
_TIMERS = "envoy.config.overload.v3.ScaleTimersOverloadActionConfig"
_IDLE_TIMERS = {
    "TRANSPORT_SOCKET_CONNECT": "as in Envoy it concerns TLS, which is not spoken yet",
    "HTTP_DOWNSTREAM_STREAM_FLUSH": "as in Envoy it concerns HTTP/2; slow readers have other timers",
}


def build_overload(bootstrap: View, report: Report) -> OverloadManager:
    """What is watched and done. Without a monitor of connections the runtime's limit for them counts, as in Envoy."""
    view = bootstrap.child("overload_manager")
    monitors = _monitors(view, report)
    limits = [each.limit for each in monitors if each.kind is ResourceKind.DOWNSTREAM_CONNECTIONS]
    names = frozenset(each.name for each in monitors)
    runtime_limit = _runtime_limit(bootstrap.child("layered_runtime"), report)
    return OverloadManager(
        view.seconds("refresh_interval", None) or OverloadManager().refresh_interval_s,
        monitors,
        _actions(view, names, report) + _points(view, names, report),
        limits[0] if limits else runtime_limit,
        _timers(view, report),
    )


def _monitors(view: View, report: Report) -> tuple[ResourceMonitor, ...]:
    found: dict[str, ResourceMonitor] = {}
    for each in view.items("resource_monitors"):
        name = each.value("name")
        if name in found:
            report.error(each.node, f'there is a resource monitor "{shorten(name)}" already')
        monitor = _monitor(name, each.child("typed_config"), report)
        if monitor is not None:
            found[name] = monitor
    return tuple(found.values())


def _monitor(name: str, settings: View, report: Report) -> ResourceMonitor | None:
    kind = _KINDS.get(settings.type_name.rpartition(".")[0])
    if kind is None:
        if not settings.node.damaged:
            kinds = ", ".join(each.value for each in ResourceKind)
            report.error(settings.node, f"resource monitors of this type are not supported; there are {kinds}")
        return None
    match kind:
        case ResourceKind.FIXED_HEAP:
            return ResourceMonitor(name, kind, _above_zero(settings, "max_heap_size_bytes", report))
        case ResourceKind.DOWNSTREAM_CONNECTIONS:
            return ResourceMonitor(name, kind, _above_zero(settings, "max_active_downstream_connections", report))
        case ResourceKind.CGROUP_MEMORY:
            return ResourceMonitor(name, kind, settings.value("max_memory_bytes"))
        case ResourceKind.INJECTED_RESOURCE:
            return ResourceMonitor(name, kind, path=settings.value("filename"))


def _above_zero(settings: View, field: str, report: Report) -> int:
    value = int(settings.value(field))
    if value <= 0 and not settings.node.damaged:
        report.error(settings.node_of(field), f"{field} has to be above 0")
    return value


def _actions(view: View, monitors: frozenset[str], report: Report) -> tuple[TriggeredAction, ...]:
    found: dict[OverloadAction, TriggeredAction] = {}
    for each in view.items("actions"):
        name = each.value("name")
        if name in _IDLE_ACTIONS:
            report.warning(each.node_of("name"), f"has no effect here: {_IDLE_ACTIONS[name]}")
            continue
        action = _ACTIONS.get(name)
        if action is None:
            report.error(each.node_of("name"), f'no overload action "{shorten(name)}"{did_you_mean(name, _ACTIONS)}')
        elif action in found:
            report.error(each.node_of("name"), f'there is an overload action "{shorten(name)}" already')
        else:
            found[action] = TriggeredAction(action, _triggers(each, monitors, report))
            if action is not OverloadAction.REDUCE_TIMEOUTS and each.has("typed_config"):
                report.warning(each.node_of("typed_config"), "has no effect here", code=codes.NO_EFFECT)
    return tuple(found.values())


def _points(view: View, monitors: frozenset[str], report: Report) -> tuple[TriggeredAction, ...]:
    """Where load is shed."""
    found: dict[LoadShedPoint, TriggeredAction] = {}
    for each in view.items("loadshed_points"):
        name, node = each.value("name"), each.node_of("name")
        point = _POINTS.get(name)
        if point in found:
            report.error(node, f'there is a load shed point "{shorten(name)}" already')
        elif point is not None:
            found[point] = TriggeredAction(point, _triggers(each, monitors, report))
        elif "http2" in name or "http3" in name:
            report.warning(node, "has no effect here: only HTTP/1 is spoken to clients", code=codes.NO_EFFECT)
        else:
            report.error(node, f'no load shed point "{shorten(name)}"{did_you_mean(name, _POINTS)}')
    return tuple(found.values())


def _timers(view: View, report: Report) -> tuple[ScaledTimer, ...]:
    """How short the action that reduces timeouts makes which of them."""
    found: dict[TimerType, ScaledTimer] = {}
    for action in view.items("actions"):
        if action.value("name") != OverloadAction.REDUCE_TIMEOUTS.value:
            continue
        config = action.child("typed_config")
        if config.type_name != _TIMERS:
            if not action.node.damaged:
                report.error(action.node, f"reduce_timeouts needs a typed_config: {_TIMERS}")
            continue
        for each in config.items("timer_scale_factors"):
            name, node = each.enum_name("timer"), each.node_of("timer")
            if name in _IDLE_TIMERS:
                report.warning(node, f"has no effect here: {_IDLE_TIMERS[name]}", code=codes.NO_EFFECT)
            elif name not in TimerType.__members__ or TimerType[name] in found:
                why = "stands here already" if name in TimerType.__members__ else "no timer to reduce"
                report.error(node, f"{name or 'it'}: {why}")
            else:
                found[TimerType[name]] = _timer(TimerType[name], each, report)
    return tuple(found.values())


def _timer(timer: TimerType, view: View, report: Report) -> ScaledTimer:
    if view.has("min_scale"):
        return ScaledTimer(timer, None, view.child("min_scale").value("value") / 100)
    if not view.has("min_timeout") and not view.node.damaged:
        report.error(view.node, 'a timer needs "min_timeout" or "min_scale"')
    return ScaledTimer(timer, view.seconds("min_timeout", 0.0))


def _triggers(action: View, monitors: frozenset[str], report: Report) -> tuple[OverloadTrigger, ...]:
    found: dict[str, OverloadTrigger] = {}
    if not action.value("triggers") and not action.node.damaged:
        report.error(action.node_of("triggers"), "an overload action needs triggers")
    for each in action.items("triggers"):
        name = each.value("name")
        if name in found:
            report.error(each.node_of("name"), f'"{shorten(name)}" is a trigger of this action already')
        elif name not in monitors and not each.node.damaged:
            hint = did_you_mean(name, monitors)
            report.error(each.node_of("name"), f'there is no resource monitor "{shorten(name)}"{hint}')
        found[name] = _trigger(name, each, report)
    return tuple(found.values())


def _trigger(name: str, view: View, report: Report) -> OverloadTrigger:
    if not view.has("scaled"):
        value = view.child("threshold").value("value")
        if not view.has("threshold") and not view.node.damaged:
            report.error(view.node, 'a trigger needs a "threshold" or "scaled"')
        return OverloadTrigger(name, value, value)
    scaled = view.child("scaled")
    trigger = OverloadTrigger(name, scaled.value("scaling_threshold"), scaled.value("saturation_threshold"))
    if not trigger.is_scaled and not scaled.node.damaged:
        report.error(scaled.node, "scaling_threshold has to be below saturation_threshold")
    return trigger


def _runtime_limit(runtime: View, report: Report) -> int:
    """The connection limit of the last layer that has one; 0: none. No other key has an effect."""
    limit = 0
    for layer in runtime.items("layers"):
        if layer.has("static_layer"):
            for key, node in _flat(layer.node_of("static_layer")).items():
                if key != CONNECTION_LIMIT_KEY:
                    report.warning(node, "has no effect here: no runtime is read, what the file says counts")
                elif isinstance(node.value, int) and not isinstance(node.value, bool) and node.value > 0:
                    limit = node.value
                else:
                    report.error(node, "has to be a number of connections above 0")
    return limit


def _flat(node: Node, prefix: str = "") -> dict[str, Node]:
    """The keys of a layer, those of tables within it joined with dots, as Envoy reads them."""
    found: dict[str, Node] = {}
    for key, member in node.members().items():
        inner = member.members()
        found |= _flat(member, f"{prefix}{key}.") if inner else {f"{prefix}{key}": member}
    return found
