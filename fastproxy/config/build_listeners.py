"""Listeners of the bootstrap to the model: addresses and sockets. Filter chains have a module of their own."""

from collections.abc import Iterator

from fastproxy.config.addresses import is_ip, pipe_address
from fastproxy.config.build_filter_chains import build_filter_chains
from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View
from fastproxy.model import Address, Listener, SocketOption

_LISTENER_FILTERS = "envoy.extensions.filters.listener."
_HARMLESS = {
    f"{_LISTENER_FILTERS}tls_inspector.v3.TlsInspector": "no filter chain is chosen by what TLS says",
    f"{_LISTENER_FILTERS}http_inspector.v3.HttpInspector": "only HTTP/1 is spoken to clients",
}
_UNREACHABLE = "nobody can connect to a listener that is not bound: no other listener hands connections over"
_DEFAULT = Listener("", Address("", 0), None)


def build_listeners(bootstrap: View, clusters: frozenset[str], report: Report) -> tuple[Listener, ...]:
    """All listeners, in the order of the file; `clusters` are the names that there are."""
    views = bootstrap.child("static_resources").items("listeners")
    node = bootstrap.child("node")
    found = tuple(_listener(view, node, clusters, report) for view in views)
    names: set[str] = set()
    owners: dict[Address, str] = {}
    for view, listener in zip(views, found, strict=True):
        if view.value("name") in names:
            report.error(view.node_of("name"), f'there is already a listener "{shorten(listener.name)}"; rename one')
        names |= {view.value("name")} - {""}
        _check_addresses(view, listener, owners, report)
    if not views:
        report.warning(bootstrap.node, "there are no listeners: nobody can connect")
    return found


def _check_addresses(view: View, listener: Listener, owners: dict[Address, str], report: Report) -> None:
    nodes = [view.node_of("address"), *view.node_of("additional_addresses").items()]
    for address, node in zip((listener.address, *listener.additional_addresses), nodes, strict=True):
        owner = owners.setdefault(address, view.node.path if node is nodes[0] else node.path)
        if owner not in (view.node.path, node.path) or (owner == view.node.path and node is not nodes[0]):
            if address.port:
                report.error(node, f"{address} is taken by {owner}; choose another port")
            elif address.path:
                report.error(node, f"{address} is taken by {owner}; choose another path")


def _listener(view: View, node: View, clusters: frozenset[str], report: Report) -> Listener:
    address = listen_address(view, report)
    default, chains = build_filter_chains(view, node, clusters, report)
    _check_listener_filters(view, report)
    if not view.wrapped("bind_to_port", True):
        report.warning(view.node_of("bind_to_port"), _UNREACHABLE)
    return Listener(
        name=view.value("name") or str(address),
        address=address,
        filter=default,
        bind_to_port=view.wrapped("bind_to_port", True),
        tcp_backlog_size=view.wrapped("tcp_backlog_size", _DEFAULT.tcp_backlog_size),
        per_connection_buffer_limit_bytes=view.wrapped(
            "per_connection_buffer_limit_bytes", _DEFAULT.per_connection_buffer_limit_bytes
        ),
        filter_chains=chains,
        additional_addresses=tuple(listen_address(one, report) for one in view.items("additional_addresses")),
        ipv4_compat=view.child("address").child("socket_address").value("ipv4_compat"),
        enable_reuse_port=view.wrapped("enable_reuse_port", _DEFAULT.enable_reuse_port),
        freebind=view.wrapped("freebind", False),
        transparent=view.wrapped("transparent", False),
        socket_options=tuple(_socket_options(view)),
        stat_prefix=view.value("stat_prefix"),
    )


def listen_address(view: View, report: Report) -> Address:
    """The field `address` of a listener or of admin: an IP address and a port, or a Unix socket."""
    address = view.child("address")
    if address.has("pipe"):
        return pipe_address(address.child("pipe"), report)
    ip = address.child("socket_address")
    host = ip.value("address")
    if not view.has("address"):
        if not view.node.damaged:
            report.error(view.node, "an address to listen on is missing; add address.socket_address")
    elif host and not is_ip(host):
        report.error(ip.node_of("address"), f'"{shorten(host)}" is no IP address; listen on one, such as 127.0.0.1')
    elif ip.value("ipv4_compat") and ":" not in host:
        report.error(ip.node_of("ipv4_compat"), f"{host} is no IPv6 address; listen on one, such as ::")
    return Address(host, ip.value("port_value"))


def _socket_options(view: View) -> Iterator[SocketOption]:
    for option in view.items("socket_options"):
        value = option.value("buf_value") if option.message.WhichOneof("value") == "buf_value" else None
        number = option.value("int_value") if value is None else value
        yield SocketOption(option.value("level"), option.value("name"), number, option.enum_name("state")[6:])


def _check_listener_filters(view: View, report: Report) -> None:
    for one in view.items("listener_filters"):
        config = one.child("typed_config")
        if config.type_name in _HARMLESS:
            report.warning(one.node, f"has no effect here: {_HARMLESS[config.type_name]}")
        elif not one.node.damaged:
            name = shorten(one.value("name"))
            report.error(one.node, f'the listener filter "{name}" is not supported; remove it')
