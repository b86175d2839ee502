"""The hosts of a cluster: addresses, weights, priorities, localities, health."""

from fastproxy.config.addresses import is_dns_name, is_ip, pipe_address
from fastproxy.config.build_health_checks import build_host_check
from fastproxy.config.build_metadata import balancing_metadata, host_labels_of
from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View
from fastproxy.model import Address, ClusterType, HealthStatus, Host, Locality, LocalityWeight

MAX_WEIGHT_SUM = 2**32 - 1


def build_hosts(cluster: View, kind: ClusterType, report: Report) -> tuple[Host, ...]:
    """All hosts in the order of the file."""
    assignment = cluster.child("load_assignment")
    hosts: list[Host] = []
    for group in assignment.items("endpoints"):
        found = (_host(endpoint, group, kind, report) for endpoint in group.items("lb_endpoints"))
        here = [host for host in found if host is not None]
        if sum(host.weight for host in here) > MAX_WEIGHT_SUM:
            said = f"the weights of these hosts sum up to over {MAX_WEIGHT_SUM}"
            report.error(group.node_of("lb_endpoints"), said)
        hosts += here
    _check_count(assignment, kind, len(hosts), report)
    return tuple(hosts)


def build_locality_weights(cluster: View) -> tuple[LocalityWeight, ...]:
    """Of the localities that have a weight; Envoy gives no requests to the others. The last of several counts."""
    found: dict[tuple[int, Locality], int] = {}
    for group in cluster.child("load_assignment").items("endpoints"):
        if group.has("locality") and group.has("load_balancing_weight"):
            found[group.value("priority"), _locality(group)] = group.wrapped("load_balancing_weight", 0)
    return tuple(LocalityWeight(priority, locality, weight) for (priority, locality), weight in found.items())


def _check_count(assignment: View, kind: ClusterType, count: int, report: Report) -> None:
    node = assignment.node_of("endpoints")
    if kind is ClusterType.LOGICAL_DNS and count != 1 and not assignment.node.damaged:
        report.error(node, "a LOGICAL_DNS cluster has exactly one endpoint; use STRICT_DNS for several")
    elif count == 0 and not assignment.node.damaged:
        report.warning(node, "this cluster has no hosts: every request to it gets 503; add endpoints")


def _locality(group: View) -> Locality:
    locality = group.value("locality")
    return Locality(locality.region, locality.zone, locality.sub_zone)


def _host(view: View, group: View, kind: ClusterType, report: Report) -> Host | None:
    endpoint = view.child("endpoint")
    address = _host_address(endpoint, kind, report)
    if address is None:
        return None
    metadata = balancing_metadata(view.value("metadata"))
    hash_key = metadata.get("hash_key", "")
    return Host(
        address,
        view.wrapped("load_balancing_weight", 1),
        endpoint.value("hostname"),
        hash_key if isinstance(hash_key, str) else "",
        group.value("priority"),
        _locality(group),
        HealthStatus[view.enum_name("health_status") or "UNKNOWN"],
        check=build_host_check(endpoint, report),
        labels=host_labels_of(metadata),
        is_canary=metadata.get("canary") is True,
    )


def _host_address(endpoint: View, kind: ClusterType, report: Report) -> Address | None:
    if endpoint.child("address").has("pipe"):
        return _pipe(endpoint, kind, report)
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


def _pipe(endpoint: View, kind: ClusterType, report: Report) -> Address | None:
    pipe = endpoint.child("address").child("pipe")
    if kind is not ClusterType.STATIC:
        report.error(pipe.node, "a Unix socket has no name to look up; make the cluster static")
        return None
    return pipe_address(pipe, report)
