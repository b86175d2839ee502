"""A configuration as the rules look at it: connection managers, their routes, and where those lead."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from fastproxy.config.build_affinity import Levels, our_filters, own_settings
from fastproxy.config.build_manager import MANAGER
from fastproxy.config.tree import Node, Report
from fastproxy.config.v3 import View
from fastproxy.model import Configuration, SessionAffinity

WEBSOCKET = "websocket"
HASHING = ("RING_HASH", "MAGLEV")

_POLICIES = "envoy.extensions.load_balancing_policies."
_HASHING_TYPES = (f"{_POLICIES}ring_hash.v3.RingHash", f"{_POLICIES}maglev.v3.Maglev")


@dataclass(frozen=True, slots=True)
class Advice:
    """What to tell, and where: at the value of a node, or at its key."""

    node: Node
    message: str
    at_key: bool = False


@dataclass(frozen=True, slots=True)
class Manager:
    """A connection manager and the listener that it belongs to."""

    view: View
    listener: View
    levels: Levels  # what is said of sessions

    @property
    def is_v1(self) -> bool:
        return not self.view.node.path.startswith("static_resources")

    @property
    def address(self) -> str:
        host: str = self.listener.child("address").child("socket_address").value("address")
        return host

    @property
    def port(self) -> int:
        port: int = self.listener.child("address").child("socket_address").value("port_value")
        return port


@dataclass(frozen=True, slots=True)
class Route:
    """A route of a virtual host of a connection manager."""

    view: View
    virtual_host: View
    manager: Manager

    @property
    def match(self) -> View:
        return self.view.child("match")

    @property
    def action(self) -> View:
        """Empty for a redirect or a direct response."""
        return self.view.child("route")

    @property
    def policies(self) -> list[View]:
        return self.action.items("hash_policy")

    @property
    def affinity(self) -> SessionAffinity:
        """Which sessions stay on their nodes."""
        levels = self.manager.levels
        found = levels.listener
        for view in self._above():
            found = levels.at(view, found)
        return found.affinity()

    def _above(self) -> tuple[View, View, View]:
        return self.manager.view.child("route_config"), self.virtual_host, self.view

    @property
    def allows_websocket(self) -> bool:
        return _allows_websocket(self.action, _allows_websocket(self.manager.view, False))

    @property
    def path(self) -> str | None:
        """The path or the prefix that this route is for; None for a regular expression and the like."""
        kind = self.match.message.WhichOneof("path_specifier")
        return str(self.match.value(kind)) if kind in ("prefix", "path", "path_separated_prefix") else None

    @property
    def is_for_engine_io(self) -> bool:
        """Whether the path says that Socket.IO or Engine.IO is behind it."""
        return self.path is not None and self.path.startswith(("/socket.io", "/engine.io"))

    @property
    def may_carry_polls(self) -> bool:
        """Whether Socket.IO's polls may come this way: it is for them, or for everything and WebSockets too."""
        if self.is_for_engine_io:
            return True
        return self.allows_websocket and self.path is not None and "/socket.io/".startswith(self.path)


class Scene:
    """The whole of it. Built of the messages, so that a rule has the place of everything that it speaks of."""

    def __init__(self, bootstrap: View, configuration: Configuration) -> None:
        self.bootstrap = bootstrap
        self.configuration = configuration

    @cached_property
    def managers(self) -> list[Manager]:
        ignored = Report("")  # mistakes were told of by `build`
        return [
            Manager(config, listener, Levels(config, ignored))
            for listener in self.bootstrap.child("static_resources").items("listeners")
            for chain in (*listener.items("filter_chains"), listener.child("default_filter_chain"))
            for config in (each.child("typed_config") for each in chain.items("filters"))
            if config.type_name == MANAGER
        ]

    @cached_property
    def routes(self) -> list[Route]:
        return [
            Route(route, host, manager)
            for manager in self.managers
            for host in manager.view.child("route_config").items("virtual_hosts")
            for route in host.items("routes")
        ]

    @cached_property
    def affinity_settings(self) -> list[Node]:
        """What our filter is told for listeners, and for routes and what is above them: objects."""
        views = [view for manager in self.managers for view in manager.view.below("route_config")]
        views += [route.virtual_host for route in self.routes] + [route.view for route in self.routes]
        found = [each.child("typed_config") for manager in self.managers for each in our_filters(manager.view)]
        found += [config for view in views for config in own_settings(view)]
        return list({(node.line, node.column): node for node in (each.node_of("value") for each in found)}.values())

    @cached_property
    def clusters(self) -> dict[str, View]:
        return {each.value("name"): each for each in self.bootstrap.child("static_resources").items("clusters")}

    @cached_property
    def hashing_clusters(self) -> frozenset[str]:
        """The clusters whose balancer asks for a hash."""
        return frozenset(name for name, cluster in self.clusters.items() if hashes(cluster))

    @cached_property
    def policies(self) -> list[tuple[Route, View]]:
        """Every hash policy with the route that has it."""
        return [(route, policy) for route in self.routes for policy in route.policies]


Rule: TypeAlias = Callable[[Scene], Iterator[Advice]]


def hashes(cluster: View) -> bool:
    """Whether the balancer of a cluster asks for a hash."""
    if not cluster.has("load_balancing_policy"):
        return cluster.enum_name("lb_policy") in HASHING
    policies = cluster.child("load_balancing_policy").items("policies")
    types = (each.child("typed_extension_config").child("typed_config").type_name for each in policies)
    return any(name in _HASHING_TYPES for name in types)


def hosts(cluster: View) -> list[View]:
    """The entries of a cluster's load assignment, of all localities."""
    localities = cluster.child("load_assignment").items("endpoints")
    return [host for locality in localities for host in locality.items("lb_endpoints")]


def positive_seconds(view: View, field: str) -> float | None:
    """A duration that the file sets and that ends at some time: 0 means never."""
    return view.seconds(field, None) or None


def _allows_websocket(view: View, default: bool) -> bool:
    allowed: Any = default
    for config in view.items("upgrade_configs"):
        if config.value("upgrade_type").lower() == WEBSOCKET:
            allowed = config.wrapped("enabled", True)
    return bool(allowed)
