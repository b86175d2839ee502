"""The filter chains of a listener: which connections each takes, and the one network filter that serves them."""

from dataclasses import replace
from itertools import combinations

from fastproxy.config.addresses import is_range
from fastproxy.config.build_connection_limit import build_connection_limit, is_connection_limit
from fastproxy.config.build_manager import MANAGER, build_manager
from fastproxy.config.build_tcp_proxy import TCP_PROXY, build_tcp_proxy, build_tcp_routes, is_tcp_routes
from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View
from fastproxy.model import EVERY_CONNECTION, Filter, FilterChain, FilterChainMatch, SourceType, TcpRoute

_RANGES = ("prefix_ranges", "direct_source_prefix_ranges", "source_prefix_ranges")


def build_filter_chains(
    listener: View, node: View, clusters: frozenset[str], report: Report
) -> tuple[Filter | None, tuple[FilterChain, ...]]:
    """What serves a connection that no chain takes, and the chains. A single chain that takes every connection is
    that default."""
    views = listener.items("filter_chains")
    chains = tuple(_chain(view, node, clusters, report) for view in views)
    default = listener.child("default_filter_chain")
    if not views and not listener.has("default_filter_chain"):
        if not listener.node.damaged:
            report.error(listener.node_of("filter_chains"), "a listener needs a filter chain")
        return None, ()
    _check_overlaps(views, chains, report)
    if len(chains) == 1 and chains[0].match == EVERY_CONNECTION:
        if listener.has("default_filter_chain"):
            message = f"has no effect here: {views[0].node.path} takes every connection"
            report.warning(default.node, message, at_key=True)
        return chains[0].filter, ()
    has_default = listener.has("default_filter_chain")
    return (_filter(default, node, clusters, report) if has_default else None), chains


def _chain(view: View, node: View, clusters: frozenset[str], report: Report) -> FilterChain:
    match = _match(view.child("filter_chain_match"), report)
    return FilterChain(_filter(view, node, clusters, report), match, view.value("name"))


def _match(view: View, report: Report) -> FilterChainMatch:
    ranges = {field: tuple(_range(one, report) for one in view.items(field)) for field in _RANGES}
    return FilterChainMatch(
        destination_port=view.wrapped("destination_port", 0),
        source_type=SourceType[view.enum_name("source_type") or "ANY"],
        source_ports=tuple(view.value("source_ports")),
        **ranges,
    )


def _range(view: View, report: Report) -> str:
    text = f"{view.value('address_prefix')}/{view.wrapped('prefix_len', 0)}"
    if not is_range(text):
        report.error(view.node, f'"{shorten(text)}" is no range of IP addresses; 10.0.0.0 with prefix_len 8 is one')
        return "0.0.0.0/0"
    return text


def _filter(chain: View, node: View, clusters: frozenset[str], report: Report) -> Filter | None:
    """The connection manager or TCP proxy of a chain, which comes last; None: the connection is closed."""
    views = chain.items("filters")
    routes: tuple[TcpRoute, ...] = ()
    if views and is_tcp_routes(views[0]):
        routes = build_tcp_routes(views.pop(0), clusters, report)
    limits = [view for view in views if is_connection_limit(view)]
    views = [view for view in views if not is_connection_limit(view)]
    if not views:
        if not chain.node.damaged:
            report.warning(chain.node_of("filters"), "there are no filters: every connection is closed")
        return None
    for view in views[:-1]:
        _refuse(view, "there can be one filter only", report)
    for view in limits[1:]:
        report.error(view.node, "there is a connection_limit already; remove one of the two")
    limit = build_connection_limit(limits[0], report) if limits else None
    config = views[-1].child("typed_config")
    if config.type_name == MANAGER:
        return replace(build_manager(config, node, clusters, report), connection_limit=limit)
    if config.type_name == TCP_PROXY:
        return replace(build_tcp_proxy(config, routes, clusters, report), connection_limit=limit)
    _refuse(views[-1], f"use {MANAGER} or {TCP_PROXY}", report)
    return None


def _refuse(view: View, hint: str, report: Report) -> None:
    if not view.node.damaged:
        report.error(view.node, f'the filter "{shorten(view.value("name"))}" is not supported; {hint}')


def _check_overlaps(views: list[View], chains: tuple[FilterChain, ...], report: Report) -> None:
    """Envoy refuses two chains that take the same connections."""
    for (first, one), (second, other) in combinations(zip(views, chains, strict=True), 2):
        if _overlap(one.match, other.match):
            message = f"these connections are taken by {first.node.path} already; change one of the two matches"
            report.error(second.node, message)


def _overlap(one: FilterChainMatch, other: FilterChainMatch) -> bool:
    if (one.destination_port, one.source_type) != (other.destination_port, other.source_type):
        return False
    lists = ("source_ports", *_RANGES)
    return all(set(getattr(one, name) or ("",)) & set(getattr(other, name) or ("",)) for name in lists)
