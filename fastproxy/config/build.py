"""The v3 bootstrap to the model. Owns what fields mean together; knows nothing of v1 and of files."""

from fastproxy.config.addresses import is_ip
from fastproxy.config.build_clusters import build_clusters
from fastproxy.config.build_filters import build_access_logs
from fastproxy.config.build_manager import MANAGER, build_manager
from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View
from fastproxy.model import (
    DEFAULT_ACCESS_LOG_FORMAT,
    Address,
    Admin,
    Configuration,
    HttpConnectionManager,
    Listener,
    RouteConfiguration,
)

_MANAGER = HttpConnectionManager("", RouteConfiguration(()))
_LISTENER = Listener("", Address("", 0), _MANAGER)


def build(bootstrap: View, report: Report) -> Configuration:
    """The whole configuration. Mistakes are reported and stepped over; with errors reported it must not be used."""
    resources = bootstrap.child("static_resources")
    clusters = build_clusters(resources, report)
    listeners = _listeners(bootstrap, frozenset(cluster.name for cluster in clusters), report)
    return Configuration(listeners, clusters, _admin(bootstrap, report))


def _listeners(bootstrap: View, clusters: frozenset[str], report: Report) -> tuple[Listener, ...]:
    views = bootstrap.child("static_resources").items("listeners")
    node = bootstrap.child("node")
    found = tuple(_listener(view, node, clusters, report) for view in views)
    names: set[str] = set()
    addresses: dict[Address, str] = {}
    for view, listener in zip(views, found, strict=True):
        if view.value("name") in names:
            report.error(view.node_of("name"), f'there is already a listener "{shorten(listener.name)}"; rename one')
        names |= {view.value("name")} - {""}
        owner = addresses.setdefault(listener.address, view.node.path)
        if owner != view.node.path and listener.address.port:
            report.error(view.node_of("address"), f"{listener.address} is taken by {owner}; choose another port")
    if not views:
        report.warning(bootstrap.node, "there are no listeners: nobody can connect")
    return found


def _listener(view: View, node: View, clusters: frozenset[str], report: Report) -> Listener:
    address = _socket_address(view, report)
    return Listener(
        name=view.value("name") or str(address),
        address=address,
        manager=_manager(view, node, clusters, report),
        bind_to_port=view.wrapped("bind_to_port", True),
        tcp_backlog_size=view.wrapped("tcp_backlog_size", _LISTENER.tcp_backlog_size),
    )


def _manager(listener: View, node: View, clusters: frozenset[str], report: Report) -> HttpConnectionManager:
    view = _only_filter(listener, report)
    return _MANAGER if view is None else build_manager(view, node, clusters, report)


def _socket_address(view: View, report: Report) -> Address:
    address = view.child("address").child("socket_address")
    host = address.value("address")
    if not view.has("address"):
        if not view.node.damaged:
            report.error(view.node, "an address to listen on is missing; add address.socket_address")
    elif host and not is_ip(host):
        report.error(
            address.node_of("address"), f'"{shorten(host)}" is no IP address; listen on one, such as 127.0.0.1'
        )
    return Address(host, address.value("port_value"))


def _only_filter(listener: View, report: Report) -> View | None:
    """The connection manager of a listener, which is its only filter in its only chain."""
    chains = listener.items("filter_chains")
    if len(chains) != 1 and not listener.node.damaged:
        words = "needs a filter chain" if not chains else "may have one filter chain only, as none can be chosen yet"
        report.error(listener.node_of("filter_chains"), f"a listener {words}")
    if not chains:
        return None
    filters = chains[0].items("filters")
    if len(filters) != 1 and not chains[0].node.damaged:
        report.error(chains[0].node_of("filters"), "expected one filter, the HTTP connection manager")
    if not filters:
        return None
    config = filters[0].child("typed_config")
    if config.type_name != MANAGER:
        name = shorten(filters[0].value("name"))
        if not filters[0].node.damaged:
            report.error(filters[0].node, f'the filter "{name}" is not supported; use {MANAGER}')
        return None
    return config


def _admin(bootstrap: View, report: Report) -> Admin | None:
    view = bootstrap.child("admin")
    if not bootstrap.has("admin") or not view.has("address"):
        return None
    return Admin(_socket_address(view, report), _admin_log_path(view, report) or "/dev/null")


def _admin_log_path(view: View, report: Report) -> str:
    """Admin has one log, in the default format; what the file says beyond that is reported."""
    logs = build_access_logs(view, report)
    nodes = view.node_of("access_log").items()
    if not logs:
        return str(view.value("access_log_path"))
    for node in nodes[1:]:
        report.warning(node, "has no effect here: admin has one access log, the first")
    if view.has("access_log_path"):
        report.warning(view.node_of("access_log_path"), "has no effect here: access_log counts", at_key=True)
    if logs[0].format != DEFAULT_ACCESS_LOG_FORMAT:
        report.warning(nodes[0], "the format has no effect here: the access log of admin has the default one")
    return logs[0].path
