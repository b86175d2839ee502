"""How a cluster looks up the names of its hosts: families, servers, when again. Reports what does not fit together."""

from typing import Any

from fastproxy.config.addresses import is_ip
from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View
from fastproxy.model import Address, Cluster, DnsLookupFamily, DnsResolution, RefreshRate

CARES = "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig"
GETADDRINFO = "envoy.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig"

_DEFAULT = Cluster("")
_SYSTEM = DnsResolution()
_BACK_OFF = 10  # how many times the base interval the longest is that the file does not name


def build_dns(cluster: View, report: Report) -> dict[str, Any]:
    """The fields of `model.Cluster` that are about DNS."""
    return {
        "dns_lookup_family": DnsLookupFamily[cluster.enum_name("dns_lookup_family") or "AUTO"],
        "dns_refresh_rate_s": cluster.seconds("dns_refresh_rate", _DEFAULT.dns_refresh_rate_s),
        "dns_failure_refresh_rate": _failure_refresh_rate(cluster, report),
        "dns_jitter_s": cluster.seconds("dns_jitter", 0.0),
        "respect_dns_ttl": cluster.value("respect_dns_ttl"),
        "dns_resolution": _resolution(cluster, report),
        "wait_for_warm_on_init": cluster.wrapped("wait_for_warm_on_init", True),
    }


def _failure_refresh_rate(cluster: View, report: Report) -> RefreshRate | None:
    if not cluster.has("dns_failure_refresh_rate"):
        return None
    rate = cluster.child("dns_failure_refresh_rate")
    base_s = rate.seconds("base_interval", 0.0) or 0.0
    max_s = rate.seconds("max_interval", _BACK_OFF * base_s) or 0.0
    if max_s < base_s:
        report.error(rate.node_of("max_interval"), "max_interval is below base_interval; make it at least as long")
    return RefreshRate(base_s, max_s)


def _resolution(cluster: View, report: Report) -> DnsResolution:
    """Of several forms the newest counts, as in Envoy."""
    if cluster.has("typed_dns_resolver_config"):
        config = cluster.child("typed_dns_resolver_config").child("typed_config")
        if config.type_name == CARES:
            return _cares(config, report)
        if config.type_name != GETADDRINFO and not config.node.damaged:
            name = shorten(config.type_name.rpartition(".")[2])
            report.error(config.node, f"resolvers of type {name} are not supported; use {CARES.rpartition('.')[2]}")
        return _SYSTEM
    if cluster.has("dns_resolution_config"):
        config = cluster.child("dns_resolution_config")
        return DnsResolution(_resolvers(config, "resolvers", report), **_options(config))
    return DnsResolution(_resolvers(cluster, "dns_resolvers", report), use_tcp=cluster.value("use_tcp_for_dns_lookups"))


def _cares(config: View, report: Report) -> DnsResolution:
    return DnsResolution(
        _resolvers(config, "resolvers", report),
        config.value("use_resolvers_as_fallback"),
        rotate=config.value("rotate_nameservers"),
        query_timeout_s=float(config.wrapped("query_timeout_seconds", _SYSTEM.query_timeout_s)),
        query_tries=config.wrapped("query_tries", _SYSTEM.query_tries),
        **_options(config),
    )


def _options(config: View) -> dict[str, bool]:
    options = config.child("dns_resolver_options")
    return {
        "use_tcp": options.value("use_tcp_for_dns_lookups"),
        "no_default_search_domain": options.value("no_default_search_domain"),
    }


def _resolvers(view: View, field: str, report: Report) -> tuple[Address, ...]:
    found = (_resolver(address, report) for address in view.items(field))
    return tuple(each for each in found if each is not None)


def _resolver(view: View, report: Report) -> Address | None:
    address = view.child("socket_address")
    host, port = address.value("address"), address.value("port_value")
    if not view.has("socket_address"):
        if not view.node.damaged:
            report.error(view.node, 'a resolver needs a "socket_address" with an IP address and a port')
        return None
    if not is_ip(host):
        if not address.node.damaged:
            report.error(address.node_of("address"), f'"{shorten(host)}" is no IP address of a resolver')
        return None
    if port == 0:
        if not address.node.damaged:
            report.error(address.node_of("port_value"), "a resolver needs a port from 1 to 65535; DNS has 53")
        return None
    return Address(host, port)
