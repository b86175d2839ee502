"""Whose counters there are, and what they are called."""

from dataclasses import replace

import pytest

from fastproxy.counters import HttpCounter, RouteCounter
from fastproxy.model import (
    Address,
    Configuration,
    HttpConnectionManager,
    Listener,
    Route,
    RouteConfiguration,
    RouteMatch,
    SessionAffinity,
    VirtualHost,
)
from fastproxy.model_routes import DirectResponse, Redirect
from fastproxy.scopes import KINDS, MAX_COUNTED_ROUTES, ROUTE_NAMES, sanitize, scopes_of
from fastproxy.stats import StatsLayout


@pytest.mark.parametrize(
    ("name", "sanitized"),
    [
        ("[::1]:19932", "[__1]_19932"),
        ("c.x:1 y/z.", "c.x_1 y/z"),
        ("a b://c:/d|e..", "a b_c_d|e"),
        (".in:gr//ess.", ".in_gr//ess"),
        ("nul\0", "nul_"),
    ],
)
def test_names_are_sanitized_as_envoy_1_40_does(name, sanitized):
    assert sanitize(name) == sanitized


def with_routes(*routes: Route, affinity: SessionAffinity | None = None) -> Configuration:
    host = VirtualHost("v:1", ("*",), routes)
    manager = HttpConnectionManager("m", RouteConfiguration((host,)), affinity=affinity or SessionAffinity())
    return Configuration((Listener("l", Address("1.1.1.1", 1), manager),))


def route(name: str = "", **fields) -> Route:
    return Route(RouteMatch(prefix="/"), **({"cluster": "c", "name": name} | fields))


def counted(configuration: Configuration) -> list[str]:
    return [name for kind, name in scopes_of(configuration) if kind == "route"]


OFF = SessionAffinity(protocols=())


def test_routes_are_called_by_name_or_place():
    prefixed = route("chat", stat_prefix="talk")
    assert counted(with_routes(route("chat"), route(), prefixed)) == ["v:1.route.chat", "v:1.route.1", "v:1.route.talk"]


def test_routes_without_sessions_are_not_counted():
    elsewhere = (
        route(redirect=Redirect()), route(direct_response=DirectResponse(200, b"")), route(affinity=OFF),
    )  # fmt: skip
    assert counted(with_routes(*elsewhere)) == []
    on = route("on", affinity=SessionAffinity())
    assert counted(with_routes(route(), on, affinity=OFF)) == ["v:1.route.on"]


def test_the_first_routes_have_counters():
    configuration = with_routes(*[route(str(number)) for number in range(MAX_COUNTED_ROUTES + 1)])
    host = configuration.listeners[0].managers[0].route_config.virtual_hosts[0]
    layout = StatsLayout(configuration)
    assert layout.route(host, MAX_COUNTED_ROUTES) is None
    slots = {layout.route(host, index) for index in range(MAX_COUNTED_ROUTES)}
    assert None not in slots
    assert len(slots) == MAX_COUNTED_ROUTES


def test_equal_names_are_one_scope():
    assert counted(with_routes(route("chat"), route("chat"))) == ["v:1.route.chat"]


def test_the_names_of_a_route():
    configuration = with_routes(route("chat"))
    layout = StatsLayout(configuration)
    host = configuration.listeners[0].managers[0].route_config.virtual_hosts[0]
    names = dict(layout.named())
    first = layout.route(host, 0)
    assert first is not None
    assert names["vhost.v_1.route.chat.sid_known"] == first + RouteCounter["route_sid_known"]
    assert layout.route(replace(host, name="other"), 0) is None


def test_a_route_counts_in_the_order_of_its_connection_manager():
    """exchange/state.pxd counts both with one number."""
    first = int(HttpCounter["http_sid_opened_polling"])
    alike = ROUTE_NAMES[: RouteCounter["route_packets_unread_ws"] + 1]
    assert KINDS["http"][first : first + len(alike)] == alike
