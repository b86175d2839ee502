"""Which sessions stay on their nodes: what the `fastproxy` filter says of it for a listener and for routes.

Each level may say some of the keys; what it leaves out is what the next less specific level says.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastproxy._sessions import region_bytes
from fastproxy.config.build_origins import build_origins, origin_policy
from fastproxy.config.build_own_limits import LIMIT_KEYS, MAX_CONNECTIONS_PER_ADDRESS, limit_value, own_limits
from fastproxy.config.build_session_protocols import build_protocols
from fastproxy.config.own_values import flag, whole
from fastproxy.config.tree import Node, Report, did_you_mean, words
from fastproxy.config.v3 import View
from fastproxy.model_affinity import DEFAULT_AFFINITY, ENGINE_IO, SessionAffinity
from fastproxy.model_routes import OriginPolicy

NAME = "fastproxy"
OUR_FILTER = "fastproxy.v1.HttpFilter"
TYPED_STRUCT = "xds.type.v3.TypedStruct"
FILTER_CONFIG = "envoy.config.route.v3.FilterConfig"
KEYS = (
    words("sid_affinity learn ask_unknown max_asked_body_bytes least_sessions allowed_origins require_origin")
    | LIMIT_KEYS
)
"""Of every level."""
SESSION_TABLE_SLOTS = "session_table_slots"

_OF_LISTENERS = (
    "polls_outlive_default_timeout",
    "connect_failover",
    SESSION_TABLE_SLOTS,
    MAX_CONNECTIONS_PER_ADDRESS,
)
MAX_ASKED_BODY_BYTES = 64 << 20
MIN_SLOTS = 1024
MAX_SLOTS = 1 << 28

_NO_AFFINITY = SessionAffinity(protocols=())
_PER_FILTER = "typed_per_filter_config"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the levels so far say: values of KEYS, and whether the filter is disabled."""

    values: Mapping[str, Any] = field(default_factory=dict)
    is_disabled: bool = False

    def affinity(self) -> SessionAffinity:
        if self.is_disabled:
            return _NO_AFFINITY
        value, default = self.values.get, DEFAULT_AFFINITY
        engine_io = (ENGINE_IO,) if value("sid_affinity", True) else ()
        return SessionAffinity(
            engine_io + value("learn", ()),
            value("ask_unknown", default.ask),
            value("max_asked_body_bytes", default.max_asked_body_bytes),
            value("least_sessions", default.least_sessions),
        )

    def origins(self) -> OriginPolicy | None:
        if self.is_disabled:
            return None
        return origin_policy(self.values.get("allowed_origins"), self.values.get("require_origin", False))

    def limits(self) -> dict[str, Any]:
        """The fields of model.TrafficLimits that the filter fills."""
        return own_limits({} if self.is_disabled else self.values)


def is_ours(config: View) -> bool:
    """Whether the configuration of a filter is for our own."""
    return config.type_name == TYPED_STRUCT and config.value("type_url").rpartition("/")[2] == OUR_FILTER


def our_filters(manager: View) -> list[View]:
    """Our own among the HTTP filters of a connection manager."""
    return [view for view in manager.items("http_filters") if is_ours(view.child("typed_config"))]


def own_settings(view: View) -> list[View]:
    """What a route configuration, virtual host or route has for our filter, whatever the name and disabled or not."""
    found = (config.child("config") if config.type_name == FILTER_CONFIG else config for config in _per_filter(view))
    return [config for config in found if is_ours(config)]


def _per_filter(view: View) -> Iterable[View]:
    return view.entries(_PER_FILTER).values()


def listener_settings(manager: View, report: Report) -> Settings:
    """What a connection manager's own entries say. A disabled one has no session looked for."""
    found = Settings()
    for view in our_filters(manager):
        values = _values(view.child("typed_config").node_of("value"), report)
        found = Settings({**found.values, **values}, view.value("disabled"))
    return found


class Levels:
    """The levels of one connection manager, from the listener down to its routes."""

    def __init__(self, manager: View, report: Report) -> None:
        self._report = report
        self._names = {NAME} | {view.value("name") for view in our_filters(manager)}
        self.listener = listener_settings(manager, report)

    def at(self, view: View, above: Settings) -> Settings:
        """What holds at a route configuration, virtual host or route: `above` itself where it says nothing."""
        for name, config in view.entries(_PER_FILTER).items():
            is_wrapped = config.type_name == FILTER_CONFIG
            inner = config.child("config") if is_wrapped else config
            if is_ours(inner) and name not in self._names:
                self._report.error(inner.node, f'settings of this filter stand under its name, "{NAME}"')
            elif is_ours(inner) and not (is_wrapped and config.value("disabled")):
                members = inner.node_of("value")
                _check_keys(members, self._report)
                above = Settings({**above.values, **_values(members, self._report)})
            elif is_wrapped and name in self._names:
                above = Settings(above.values, config.value("disabled"))
        return above


def _check_keys(node: Node, report: Report) -> None:
    """Reports the keys that do not belong to a route."""
    for key, member in node.members().items():
        if key in _OF_LISTENERS:
            report.error(member, "counts for a whole listener; write it to the entry in http_filters", at_key=True)
        elif key not in KEYS:
            report.error(member, f"there is no such key for a route{did_you_mean(key, KEYS)}", at_key=True)


def _values(node: Node, report: Report) -> dict[str, Any]:
    """The values of KEYS that an object has, without those that are mistaken."""
    found: dict[str, Any] = {}
    for key, member in node.members().items():
        if key == "learn":
            found[key] = build_protocols(member, report)
        elif key == "allowed_origins":
            origins = build_origins(member, report)
            found |= {} if origins is None else {key: origins}
        elif key == "max_asked_body_bytes":
            value = whole(member, 0, MAX_ASKED_BODY_BYTES, "each request that is asked for is held in memory", report)
            found |= {} if value is None else {key: value}
        elif key in LIMIT_KEYS:
            limit = limit_value(key, member, report)
            found |= {} if limit is None else {key: limit}
        elif key in KEYS and (value := flag(member, report)) is not None:
            found[key] = value
    return found


def table_slots(node: Node, report: Report) -> int | None:
    """The size of the session table, from the entry of a listener."""
    most_bytes = region_bytes(MAX_SLOTS)
    memory = f"{most_bytes // MAX_SLOTS} bytes each, {most_bytes >> 30} GiB at most"
    return whole(node, MIN_SLOTS, MAX_SLOTS, memory, report)


def session_table_slots(resources: View, default: int) -> int:
    """The largest number of slots that an entry of the file asks for; `default` where none does."""
    ignored = Report("")
    nodes = (each.child("typed_config").node_of("value").get(SESSION_TABLE_SLOTS) for each in _all(resources))
    found = [slots for node in nodes if node is not None and (slots := table_slots(node, ignored)) is not None]
    return max(found, default=default)


def _all(resources: View) -> Iterator[View]:
    """Our own filters of all connection managers."""
    for listener in resources.items("listeners"):
        chains: Iterable[View] = (*listener.items("filter_chains"), listener.child("default_filter_chain"))
        for manager in (each.child("typed_config") for chain in chains for each in chain.items("filters")):
            if "http_filters" in manager.message.DESCRIPTOR.fields_by_name:
                yield from our_filters(manager)
