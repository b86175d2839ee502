"""Envoy's network filter `connection_limit`, which stands before the filter that serves a filter chain."""

from fastproxy.config import codes
from fastproxy.config.tree import Report
from fastproxy.config.v3 import View
from fastproxy.model import ConnectionLimit

CONNECTION_LIMIT = "envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit"


def is_connection_limit(view: View) -> bool:
    """Whether a network filter is one."""
    return view.child("typed_config").type_name == CONNECTION_LIMIT


def build_connection_limit(view: View, report: Report) -> ConnectionLimit | None:
    """What the filter says; None for one that is switched off."""
    config = view.child("typed_config")
    if config.has("runtime_enabled") and not config.child("runtime_enabled").wrapped("default_value", True):
        report.warning(config.node_of("runtime_enabled"), "switches the filter off", code=codes.NO_EFFECT)
        return None
    most = config.wrapped("max_connections", 0)
    if most == 0:
        if not config.node.damaged:
            report.error(config.node, '"max_connections" is missing: how many connections there may be')
        return None
    return ConnectionLimit(config.value("stat_prefix"), most, config.seconds("delay", 0.0) or 0.0)
