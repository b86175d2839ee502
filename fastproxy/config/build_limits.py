"""How much clients may ask for: Envoy's filters `local_ratelimit` and `buffer`, of a connection manager and of routes.

As in Envoy the most specific of a route, its virtual host and the route configuration counts, whole; where none of
them says anything, it is what stands among the filters.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from google.protobuf import json_format

from fastproxy.config import codes
from fastproxy.config.build_affinity import FILTER_CONFIG, Settings, listener_settings
from fastproxy.config.build_descriptors import build_bucket, build_descriptor_limits, build_own_rules, build_rules
from fastproxy.config.build_filters import BUFFER, LOCAL_RATE_LIMIT
from fastproxy.config.build_headers import build_header_values
from fastproxy.config.build_matchers import build_share
from fastproxy.config.tree import Report
from fastproxy.config.v3 import View
from fastproxy.model import LocalRateLimit, TrafficLimits
from fastproxy.model_descriptors import DescriptorRule

BUFFER_PER_ROUTE = "envoy.extensions.filters.http.buffer.v3.BufferPerRoute"
LIMIT_SETTINGS = (LOCAL_RATE_LIMIT, BUFFER_PER_ROUTE)
"""Of routes and what is above them."""
_UNREAD = "no local_ratelimit filter with descriptors holds for this route"

_Limit = TypeVar("_Limit")


@dataclass(frozen=True, slots=True)
class BuiltRate:
    """A limit, and how it has descriptors made of requests."""

    limit: LocalRateLimit
    stage: int = 0
    virtual_host_rules: str = "OVERRIDE"
    has_own_rules: bool = False

    @property
    def takes_rules(self) -> bool:
        """Whether what routes and virtual hosts say counts."""
        return bool(self.limit.descriptors) and not self.has_own_rules


class LimitFilters:
    """The filters of one connection manager that limit something, and what routes say of them."""

    def __init__(self, manager: View, report: Report) -> None:
        self._report = report
        self._rates = self._filters(manager, LOCAL_RATE_LIMIT)
        self._buffers = self._filters(manager, BUFFER)
        self._built: dict[str, BuiltRate | None] = {}
        self._read_hosts: set[str] = set()
        self._rate_above = self._standing(self._rates, self._rate)
        rate = None if self._rate_above is None else self._rate_above.limit
        self._own = listener_settings(manager, Report(""))  # which is complained of elsewhere
        size = self._standing(self._buffers, _size) or 0
        self.listener = TrafficLimits(rate, size, **self._own.limits())

    def at(self, views: tuple[View, ...], own: Settings) -> TrafficLimits | None:
        """What holds at a route, of which `views` are the levels, itself first, and `own` what the `fastproxy` filter
        says there; None where that is what holds for the connection manager."""
        rate, says_rate = self._settings(views, self._rates, self._rate_of_route)
        rate = rate if says_rate else self._rate_above
        self._check_read(views, rate)
        size, says_size = self._settings(views, self._buffers, _size)
        above = self.listener
        found = TrafficLimits(
            None if rate is None else replace(rate.limit, rules=self._rules_at(views, rate)),
            (size or 0) if says_size else above.max_request_bytes,
            **own.limits(),
        )
        return None if found == above else found

    def _filters(self, manager: View, type_name: str) -> dict[str, View]:
        """The filters of a type by their names; a second one is reported."""
        found = [view for view in manager.items("http_filters") if view.child("typed_config").type_name == type_name]
        for view in found[1:]:
            self._report.error(view.node, "there is a filter of this type already; one of each counts")
        return {view.value("name"): view for view in found[:1]}

    def _standing(self, filters: dict[str, View], build: Callable[[View], _Limit | None]) -> _Limit | None:
        """What the filter itself says; None where there is none that is enabled."""
        for view in filters.values():
            found = build(view.child("typed_config"))
            return None if view.value("disabled") else found
        return None

    def _settings(
        self, views: tuple[View, ...], filters: dict[str, View], build: Callable[[View], _Limit | None]
    ) -> tuple[_Limit | None, bool]:
        """The most specific settings of the filter, and whether there are any."""
        for view in views:
            for name, config in view.entries("typed_per_filter_config").items():
                if name not in filters:
                    continue
                if config.type_name == FILTER_CONFIG and config.value("disabled"):
                    return None, True
                inner = config.child("config") if config.type_name == FILTER_CONFIG else config
                if inner.type_name in LIMIT_SETTINGS:
                    return build(inner), True
        return None, False

    def _rules_at(self, views: tuple[View, ...], rate: BuiltRate) -> tuple[DescriptorRule, ...]:
        """What makes descriptors of a route's requests."""
        route, host = views[0], views[1]
        if not rate.takes_rules or not route.has("route"):
            return rate.limit.rules
        action = route.child("route")
        own = build_rules(action, rate.stage, _metadata(route), self._report)
        includes = rate.virtual_host_rules == "INCLUDE" or action.wrapped("include_vh_rate_limits", False)
        if includes or (rate.virtual_host_rules == "OVERRIDE" and not action.has("rate_limits")):
            return own + self._host_rules(route, host, rate.stage)
        return own

    def _host_rules(self, route: View, host: View, stage: int) -> tuple[DescriptorRule, ...]:
        """Those of a virtual host, which may look at the metadata of the route; its mistakes are reported once."""
        report = Report("") if host.node.path in self._read_hosts else self._report
        self._read_hosts.add(host.node.path)
        return build_rules(host, stage, _metadata(route), report)

    def _check_read(self, views: tuple[View, ...], rate: BuiltRate | None) -> None:
        """Reports `rate_limits` of a route that nobody reads."""
        action = views[0].child("route")
        if not action.has("rate_limits") or (rate is not None and rate.takes_rules):
            return
        why = "the filter has its own" if rate is not None and rate.has_own_rules else _UNREAD
        self._report.warning(action.node_of("rate_limits"), f"has no effect here: {why}", code=codes.NO_EFFECT)

    def _rate_of_route(self, view: View) -> BuiltRate | None:
        if view.node.path not in self._built and not view.has("token_bucket") and not view.node.damaged:
            self._report.error(view.node, '"token_bucket" is missing, which a route has to say itself, as in Envoy')
        return self._rate(view)

    def _rate(self, view: View) -> BuiltRate | None:
        """A limit; what stands above several routes is built, and complained of, once."""
        path = view.node.path
        if path not in self._built:
            self._built[path] = build_local_rate_limit(view, self._report)
        return self._built[path]


def _size(view: View) -> int | None:
    """The bytes of a body that a Buffer or a BufferPerRoute allows; None for any number."""
    if view.type_name == BUFFER_PER_ROUTE:
        if view.value("disabled"):
            return None
        view = view.child("buffer")
    return int(view.wrapped("max_request_bytes", 0)) or None


def build_local_rate_limit(view: View, report: Report) -> BuiltRate | None:
    """A limit; None for one that limits nothing."""
    enabled = build_share(view.child("filter_enabled"), 0)
    descriptors = build_descriptor_limits(view, report)
    if not view.has("token_bucket") and not descriptors:
        if enabled and not view.node.damaged:
            message = "has no effect here: without a token_bucket nothing is limited"
            report.warning(view.node, message, code=codes.NO_EFFECT)
        return None
    if not enabled:
        hint = "add filter_enabled, and filter_enforced, whose default is none of the requests"
        report.warning(view.node, f"has no effect, as in Envoy: {hint}", code=codes.NO_EFFECT)
    rules = build_own_rules(view, report)
    limit = LocalRateLimit(
        stat_prefix=view.value("stat_prefix"),
        place=view.node.path,
        bucket=build_bucket(view.child("token_bucket"), report) if view.has("token_bucket") else None,
        status=_status(view),
        enabled=enabled,
        enforced=build_share(view.child("filter_enforced"), 0),
        response_add=build_header_values(view, "response_headers_to_add", report),
        request_add=build_header_values(view, "request_headers_to_add_when_not_enforced", report),
        tells_clients=view.enum_name("enable_x_ratelimit_headers") == "DRAFT_VERSION_03",
        descriptors=descriptors,
        rules=rules if descriptors else (),
        always_takes_default=view.wrapped("always_consume_default_token_bucket", True),
        per_connection=view.value("local_rate_limit_per_downstream_connection"),
    )
    return BuiltRate(limit, view.value("stage"), view.enum_name("vh_rate_limits"), view.has("rate_limits"))


def _status(view: View) -> int:
    status = int(view.child("status").value("code"))
    return status if status >= 400 else 429


def _metadata(route: View) -> dict[str, Any]:
    """The `filter_metadata` of a route."""
    found = route.value("metadata").filter_metadata
    return {key: json_format.MessageToDict(value) for key, value in found.items()}
