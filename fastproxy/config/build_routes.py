"""The route configuration of the bootstrap to the model: virtual hosts, routes and what is inherited, hash policies."""

from dataclasses import dataclass, replace
from typing import Any

from fastproxy.config.build_actions import (
    DEFAULT_BODY_BYTES,
    build_action,
    build_direct_response,
    build_mirrors,
    build_redirect,
)
from fastproxy.config.build_affinity import Levels, Settings
from fastproxy.config.build_cors import build_cors, check_filters, cors_filters
from fastproxy.config.build_filter_state import hashable_keys
from fastproxy.config.build_hash_policies import build_hash_policies
from fastproxy.config.build_headers import build_header_rules
from fastproxy.config.build_limits import LimitFilters
from fastproxy.config.build_matchers import build_match
from fastproxy.config.build_retry_policy import build_request_buffer, build_retry_policy
from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View
from fastproxy.model import Route, RouteConfiguration, VirtualHost
from fastproxy.model_routes import RequireTls

WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a route inherits, and what it may name."""

    config: View
    clusters: frozenset[str]
    cors_filters: frozenset[str]
    filter_state: frozenset[str]  # keys of what can be hashed there
    websocket: bool
    levels: Levels
    limits: LimitFilters
    report: Report


def build_routes(manager: View, clusters: frozenset[str], limits: LimitFilters, report: Report) -> RouteConfiguration:
    """The routes of one connection manager, whose filters are `limits`. A route to a cluster that is not in `clusters`
    is reported."""
    config = manager.child("route_config")
    websocket, levels = _websocket(manager, False, report), Levels(manager, report)
    names, keys = cors_filters(manager), hashable_keys(manager)
    around = Surroundings(config, clusters, names, keys, websocket, levels, limits, report)
    affinity = levels.at(config, levels.listener)
    hosts = tuple(_virtual_host(view, affinity, around) for view in config.items("virtual_hosts"))
    _check_domains(config, report)
    check_filters(config, report)
    return RouteConfiguration(
        hosts,
        config.value("name"),
        config.value("ignore_port_in_host_matching"),
        build_header_rules(config, report),
        config.value("most_specific_header_mutations_wins"),
    )


def _check_domains(config: View, report: Report) -> None:
    """Domains are compared without regard to case and belong to one virtual host each."""
    owners: dict[str, str] = {}
    for host in config.items("virtual_hosts"):
        for domain, node in zip(host.value("domains"), host.node_of("domains").items(), strict=True):
            owner = owners.setdefault(domain.lower(), node.path)
            if owner != node.path:
                report.error(node, f'the domain "{shorten(domain)}" stands already at {owner}; keep it in one place')


def _virtual_host(view: View, affinity: Settings, around: Surroundings) -> VirtualHost:
    check_filters(view, around.report)
    affinity = around.levels.at(view, affinity)
    routes = tuple(
        replace(_route(route, view, around), **_own(route, view, affinity, around)) for route in view.items("routes")
    )
    return VirtualHost(
        view.value("name"),
        tuple(view.value("domains")),
        routes,
        require_tls=RequireTls[view.enum_name("require_tls") or "NONE"],
        include_request_attempt_count=view.value("include_request_attempt_count"),
        include_attempt_count_in_response=view.value("include_attempt_count_in_response"),
        header_rules=build_header_rules(view, around.report),
    )


def _route(view: View, host: View, around: Surroundings) -> Route:
    check_filters(view, around.report)
    action = view.child("route")
    route = Route(
        match=build_match(view.child("match"), around.report),
        name=view.value("name"),
        stat_prefix=view.value("stat_prefix"),
        cors=build_cors((view, action, host, around.config), around.cors_filters, around.report),
        header_rules=build_header_rules(view, around.report),
    )
    if view.has("redirect"):
        return replace(route, redirect=build_redirect(view.child("redirect"), around.report))
    if view.has("direct_response"):
        max_bytes = around.config.wrapped("max_direct_response_body_size_bytes", DEFAULT_BODY_BYTES)
        answer = build_direct_response(view.child("direct_response"), max_bytes, around.report)
        return replace(route, direct_response=answer)
    return replace(route, **_forwarding(view, action, host, around))


def _own(view: View, host: View, above: Settings, around: Surroundings) -> dict[str, Any]:
    """What filters do for a route; sessions and limits where it, or what is above it, says more than the manager."""
    found = around.levels.at(view, above)
    affinity = None if found is around.levels.listener else found.affinity()
    limits = around.limits.at((view, host, around.config), found)
    return {"affinity": affinity, "origins": found.origins(), "limits": limits}


def _forwarding(view: View, action: View, host: View, around: Surroundings) -> dict[str, Any]:
    """The fields of `model.Route` for a request that is sent on."""
    mirrors = next((each for each in (action, host, around.config) if each.has("request_mirror_policies")), action)
    retries = next((each for each in (action, host) if each.has("retry_policy")), None)
    return {
        **build_action(action, around.clusters, around.report),
        "hash_policies": build_hash_policies(action.items("hash_policy"), around.report, around.filter_state),
        "allow_websocket": _websocket(action, around.websocket, around.report),
        "mirrors": build_mirrors(mirrors.items("request_mirror_policies"), around.clusters, around.report),
        "retry_policy": build_retry_policy(retries.child("retry_policy"), around.report) if retries else None,
        "request_buffer_bytes": build_request_buffer((view, host)),
    }


def _websocket(view: View, default: bool, report: Report) -> bool:
    """Whether the upgrade configurations of a manager or a route let websockets through."""
    allowed = default
    seen: set[str] = set()
    for config in view.items("upgrade_configs"):
        kind = config.value("upgrade_type").lower()
        node = config.node_of("upgrade_type")
        if kind in seen:
            report.error(node, f'the upgrade "{shorten(kind)}" stands here twice')
        elif kind == WEBSOCKET:
            allowed = config.wrapped("enabled", True)
        elif config.wrapped("enabled", True):
            report.error(node, f'only upgrades to "{WEBSOCKET}" are supported, not to "{shorten(kind)}"')
        seen.add(kind)
    return allowed
