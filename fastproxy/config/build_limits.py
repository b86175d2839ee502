"""How much clients may ask for: Envoy's filters `local_ratelimit` and `buffer`, of a connection manager and of routes.

As in Envoy the most specific of a route, its virtual host and the route configuration counts, whole; where none of
them says anything, it is what stands among the filters.
"""

from collections.abc import Callable
from typing import TypeVar

from fastproxy.config import codes
from fastproxy.config.build_affinity import FILTER_CONFIG, Settings, listener_settings
from fastproxy.config.build_filters import BUFFER, LOCAL_RATE_LIMIT
from fastproxy.config.build_headers import build_header_values
from fastproxy.config.build_matchers import build_share
from fastproxy.config.tree import Report
from fastproxy.config.v3 import View
from fastproxy.model import LocalRateLimit, TokenBucket, TrafficLimits

BUFFER_PER_ROUTE = "envoy.extensions.filters.http.buffer.v3.BufferPerRoute"
LIMIT_SETTINGS = (LOCAL_RATE_LIMIT, BUFFER_PER_ROUTE)
"""Of routes and what is above them."""

_MIN_INTERVAL_S = 0.05  # Envoy's
_Limit = TypeVar("_Limit")


class LimitFilters:
    """The filters of one connection manager that limit something, and what routes say of them."""

    def __init__(self, manager: View, report: Report) -> None:
        self._report = report
        self._rates = self._filters(manager, LOCAL_RATE_LIMIT)
        self._buffers = self._filters(manager, BUFFER)
        self._built: dict[str, LocalRateLimit | None] = {}
        rate = self._standing(self._rates, self._rate)
        self._own = listener_settings(manager, Report(""))  # which is complained of elsewhere
        size = self._standing(self._buffers, _size) or 0
        self.listener = TrafficLimits(rate, size, **self._own.limits())

    def at(self, views: tuple[View, ...], own: Settings) -> TrafficLimits | None:
        """What holds at a route, of which `views` are the levels, itself first, and `own` what the `fastproxy` filter
        says there; None where that is what holds for the connection manager."""
        rate, says_rate = self._settings(views, self._rates, self._rate)
        size, says_size = self._settings(views, self._buffers, _size)
        above = self.listener
        found = TrafficLimits(
            rate if says_rate else above.local_rate_limit,
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

    def _rate(self, view: View) -> LocalRateLimit | None:
        """A LocalRateLimit; what stands above several routes is built, and complained of, once."""
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


def build_local_rate_limit(view: View, report: Report) -> LocalRateLimit | None:
    """A LocalRateLimit; None for one that limits nothing."""
    enabled = build_share(view.child("filter_enabled"), 0)
    if not view.has("token_bucket"):
        if enabled and not view.node.damaged:
            message = "has no effect here: without a token_bucket nothing is limited"
            report.warning(view.node, message, code=codes.NO_EFFECT)
        return None
    if not enabled:
        hint = "add filter_enabled, and filter_enforced, whose default is none of the requests"
        report.warning(view.node, f"has no effect, as in Envoy: {hint}", code=codes.NO_EFFECT)
    status = view.child("status").value("code")
    return LocalRateLimit(
        stat_prefix=view.value("stat_prefix"),
        place=view.node.path,
        bucket=_bucket(view.child("token_bucket"), report),
        status=status if status >= 400 else 429,
        enabled=enabled,
        enforced=build_share(view.child("filter_enforced"), 0),
        response_add=build_header_values(view, "response_headers_to_add", report),
        request_add=build_header_values(view, "request_headers_to_add_when_not_enforced", report),
        tells_clients=view.enum_name("enable_x_ratelimit_headers") == "DRAFT_VERSION_03",
    )


def _bucket(view: View, report: Report) -> TokenBucket:
    interval_s = view.seconds("fill_interval", 1.0) or 1.0
    if interval_s < _MIN_INTERVAL_S:
        report.error(view.node_of("fill_interval"), "has to be at least 0.05s, as in Envoy")
    return TokenBucket(view.value("max_tokens"), view.wrapped("tokens_per_fill", 1), interval_s)
