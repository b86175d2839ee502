"""Clusters of the bootstrap to the model: hosts, limits, upstream connections. Reports what does not fit together."""

from fastproxy.config.addresses import is_dns_name, is_ip
from fastproxy.config.build_balancers import build_balancer
from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View
from fastproxy.model import (
    Address,
    Cluster,
    ClusterType,
    DnsLookupFamily,
    Host,
    LbPolicy,
    Thresholds,
)

UPSTREAM_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
MAX_WEIGHT_SUM = 2**32 - 1

_DEFAULT = Cluster("")


def build_clusters(resources: View, report: Report) -> tuple[Cluster, ...]:
    """All clusters with a name of their own, in the order of the file."""
    found: dict[str, Cluster] = {}
    for view in resources.items("clusters"):
        cluster = _cluster(view, report)
        if cluster.name in found:
            report.error(view.node_of("name"), f'there is already a cluster "{shorten(cluster.name)}"; rename one')
        elif cluster.name:
            found[cluster.name] = cluster
    return tuple(found.values())


def _cluster(view: View, report: Report) -> Cluster:
    kind = _cluster_type(view, report)
    idle_timeout_s, max_requests = _upstream_http(view, report)
    policy, ring_hash = build_balancer(view, report)
    hosts = _hosts(view, kind, report)
    _check_weights(view, policy, hosts, report)
    return Cluster(
        name=view.value("name"),
        type=kind,
        connect_timeout_s=view.seconds("connect_timeout", _DEFAULT.connect_timeout_s) or 0.0,
        lb_policy=policy,
        hosts=hosts,
        ring_hash=ring_hash,
        thresholds=_thresholds(view),
        dns_lookup_family=_dns_lookup_family(view, report),
        dns_refresh_rate_s=view.seconds("dns_refresh_rate", _DEFAULT.dns_refresh_rate_s) or 0.0,
        idle_timeout_s=idle_timeout_s,
        max_requests_per_connection=max_requests,
    )


def _cluster_type(view: View, report: Report) -> ClusterType:
    name = view.enum_name("type")
    if name in ClusterType.__members__:
        return ClusterType[name]
    supported = ", ".join(ClusterType.__members__)
    report.error(view.node_of("type"), f"clusters of type {name} are not supported yet; use one of {supported}")
    return ClusterType.STATIC


def _dns_lookup_family(view: View, report: Report) -> DnsLookupFamily:
    name = view.enum_name("dns_lookup_family")
    if name in DnsLookupFamily.__members__:
        return DnsLookupFamily[name]
    report.error(view.node_of("dns_lookup_family"), f"{name} is not supported yet; use AUTO, V4_ONLY or V6_ONLY")
    return DnsLookupFamily.AUTO


def _thresholds(view: View) -> Thresholds:
    """What the admin prints of the circuit breakers; `coverage` says that nothing is limited by them."""
    default = Thresholds()
    for limits in view.child("circuit_breakers").items("thresholds"):
        if limits.enum_name("priority") == "DEFAULT":
            return Thresholds(
                limits.wrapped("max_connections", default.max_connections),
                limits.wrapped("max_pending_requests", default.max_pending_requests),
                limits.wrapped("max_requests", default.max_requests),
                limits.wrapped("max_retries", default.max_retries),
            )
    return default


def _upstream_http(view: View, report: Report) -> tuple[float | None, int]:
    """Idle timeout in seconds (None: no limit) and requests per connection (0: no limit)."""
    idle_timeout_s = _DEFAULT.idle_timeout_s
    max_requests: int = view.wrapped("max_requests_per_connection", 0)
    for key, options in view.entries("typed_extension_protocol_options").items():
        if options.type_name != UPSTREAM_HTTP:
            report.error(options.node, f'"{shorten(key)}" is not supported here; only {UPSTREAM_HTTP} is')
            continue
        common = options.child("common_http_protocol_options")
        idle_timeout_s = common.seconds("idle_timeout", idle_timeout_s) or None
        max_requests = common.wrapped("max_requests_per_connection", max_requests)
    return idle_timeout_s, max_requests


def _hosts(view: View, kind: ClusterType, report: Report) -> tuple[Host, ...]:
    assignment = view.child("load_assignment")
    hosts: list[Host] = []
    for locality in assignment.items("endpoints"):
        here = [host for host in (_host(e, kind, report) for e in locality.items("lb_endpoints")) if host is not None]
        if sum(host.weight for host in here) > MAX_WEIGHT_SUM:
            report.error(
                locality.node_of("lb_endpoints"), f"the weights of these hosts sum up to over {MAX_WEIGHT_SUM}"
            )
        hosts += here
    _check_count(view, kind, len(hosts), report)
    return tuple(hosts)


def _check_weights(view: View, policy: LbPolicy, hosts: tuple[Host, ...], report: Report) -> None:
    """Envoy's least_request turns to a weighted round robin when weights differ, and its random never looks at them."""
    if policy is LbPolicy.LEAST_REQUEST and len({host.weight for host in hosts}) > 1:
        message = "the weights of these hosts have no effect here: least_request counts requests only"
        report.warning(view.child("load_assignment").node_of("endpoints"), message)


def _check_count(view: View, kind: ClusterType, count: int, report: Report) -> None:
    node = view.child("load_assignment").node_of("endpoints")
    if kind is ClusterType.LOGICAL_DNS and count != 1 and not view.node.damaged:
        report.error(node, "a LOGICAL_DNS cluster has exactly one endpoint; use STRICT_DNS for several")
    elif count == 0 and not view.node.damaged:
        report.warning(node, "this cluster has no hosts: every request to it gets 503; add endpoints")


def _host(view: View, kind: ClusterType, report: Report) -> Host | None:
    endpoint = view.child("endpoint")
    address = _host_address(endpoint, kind, report)
    if address is None:
        return None
    return Host(address, view.wrapped("load_balancing_weight", 1), endpoint.value("hostname"), _hash_key(view))


def _hash_key(view: View) -> str:
    """Envoy's `envoy.lb` metadata: the name of a host on the ring."""
    metadata = view.value("metadata").filter_metadata
    if "envoy.lb" not in metadata:
        return ""
    return (
        str(metadata["envoy.lb"].fields["hash_key"].string_value) if "hash_key" in metadata["envoy.lb"].fields else ""
    )


def _host_address(endpoint: View, kind: ClusterType, report: Report) -> Address | None:
    address = endpoint.child("address").child("socket_address")
    host, port = address.value("address"), address.value("port_value")
    node = address.node_of("address")
    if not address.has("address"):
        if not endpoint.has("address") and not endpoint.node.damaged:
            report.error(endpoint.node, "an endpoint needs an address")
        return None
    if kind is ClusterType.STATIC and not is_ip(host):
        hint = "write an IP address, or make the cluster strict_dns or logical_dns"
        report.error(node, f'"{shorten(host)}" is no IP address; {hint}')
        return None
    if not is_dns_name(host):
        report.error(node, f'"{shorten(host)}" is neither an IP address nor a DNS name')
        return None
    if port == 0 and not address.node.damaged:
        report.error(address.node_of("port_value"), "a host needs a port from 1 to 65535")
        return None
    return Address(host, port)
