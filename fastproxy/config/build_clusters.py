"""Clusters of the bootstrap to the model: hosts, limits, upstream connections. Reports what does not fit together."""

from fastproxy.config.build_balancers import Balancing, build_balancer
from fastproxy.config.build_circuit_breakers import build_circuit_breakers
from fastproxy.config.build_dns import build_dns
from fastproxy.config.build_hash_policies import build_hash_policies
from fastproxy.config.build_health_checks import build_health_check
from fastproxy.config.build_hosts import build_hosts, build_locality_weights
from fastproxy.config.build_outlier_detection import build_outlier_detection
from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View
from fastproxy.model import Cluster, ClusterType, HealthConfig
from fastproxy.model_clusters import TcpKeepalive

UPSTREAM_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

_DEFAULT = Cluster("")
_KEEPALIVE_LIMITS = {"keepalive_probes": 127, "keepalive_time": 32767, "keepalive_interval": 32767}


def build_clusters(resources: View, report: Report, ejection_log_path: str = "") -> tuple[Cluster, ...]:
    """All clusters with a name of their own, in the order of the file."""
    found: dict[str, Cluster] = {}
    for view in resources.items("clusters"):
        cluster = _cluster(view, ejection_log_path, report)
        if cluster.name in found:
            report.error(view.node_of("name"), f'there is already a cluster "{shorten(cluster.name)}"; rename one')
        elif cluster.name:
            found[cluster.name] = cluster
    return tuple(found.values())


def _cluster(view: View, ejection_log_path: str, report: Report) -> Cluster:
    kind = _cluster_type(view, report)
    idle_timeout_s, max_requests, max_duration_s = _upstream_http(view, report)
    balancing = build_balancer(view, report)
    _check_hostnames(view, kind, report)
    return Cluster(
        name=view.value("name"),
        type=kind,
        connect_timeout_s=view.seconds("connect_timeout", _DEFAULT.connect_timeout_s) or 0.0,
        alt_stat_name=view.value("alt_stat_name"),
        lb_policy=balancing.lb_policy,
        hosts=build_hosts(view, kind, report),
        ring_hash=balancing.ring_hash,
        maglev_table_size=balancing.maglev_table_size,
        least_request=balancing.least_request,
        hashing=balancing.hashing,
        health=_health(view, balancing),
        health_check=build_health_check(view, report),
        outlier_detection=build_outlier_detection(view, ejection_log_path, report),
        ignore_health_on_host_removal=view.value("ignore_health_on_host_removal"),
        ignore_new_hosts_until_first_hc=view.child("common_lb_config").value("ignore_new_hosts_until_first_hc"),
        close_connections_on_host_health_failure=view.value("close_connections_on_host_health_failure"),
        update_merge_window_s=_update_merge_window_s(view),
        hash_policies=build_hash_policies(balancing.hash_policies.items("hash_policy"), report)
        if balancing.hash_policies
        else (),
        locality_weights=build_locality_weights(view) if balancing.weighs_localities else None,
        circuit_breakers=build_circuit_breakers(view.child("circuit_breakers")),
        idle_timeout_s=idle_timeout_s,
        max_requests_per_connection=max_requests,
        max_connection_duration_s=max_duration_s,
        tcp_keepalive=_tcp_keepalive(view.child("upstream_connection_options"), report),
        per_connection_buffer_limit_bytes=view.wrapped(
            "per_connection_buffer_limit_bytes", _DEFAULT.per_connection_buffer_limit_bytes
        ),
        **build_dns(view, report),
    )


def _update_merge_window_s(view: View) -> float:
    return view.child("common_lb_config").seconds("update_merge_window", _DEFAULT.update_merge_window_s) or 0.0


def _cluster_type(view: View, report: Report) -> ClusterType:
    name = view.enum_name("type")
    if name in ClusterType.__members__:
        return ClusterType[name]
    supported = ", ".join(ClusterType.__members__)
    report.error(view.node_of("type"), f"clusters of type {name} are not supported yet; use one of {supported}")
    return ClusterType.STATIC


def _upstream_http(view: View, report: Report) -> tuple[float | None, int, float | None]:
    """Idle timeout in seconds (None: no limit), requests per connection (0: no limit), and how long one may last."""
    idle_timeout_s = _DEFAULT.idle_timeout_s
    max_requests: int = view.wrapped("max_requests_per_connection", 0)
    max_duration_s: float | None = None
    for key, options in view.entries("typed_extension_protocol_options").items():
        if options.type_name != UPSTREAM_HTTP:
            report.error(options.node, f'"{shorten(key)}" is not supported here; only {UPSTREAM_HTTP} is')
            continue
        common = options.child("common_http_protocol_options")
        idle_timeout_s = common.seconds("idle_timeout", idle_timeout_s) or None
        max_requests = common.wrapped("max_requests_per_connection", max_requests)
        max_duration_s = common.seconds("max_connection_duration", None)
    return idle_timeout_s, max_requests, max_duration_s


def _tcp_keepalive(options: View, report: Report) -> TcpKeepalive | None:
    """An empty one is one too: probes as the system has them."""
    if not options.has("tcp_keepalive"):
        return None
    view = options.child("tcp_keepalive")
    found = []
    for name, most in _KEEPALIVE_LIMITS.items():
        found.append(view.wrapped(name, 0))
        if view.has(name) and not 1 <= found[-1] <= most:
            report.error(view.node_of(name), f"the kernel takes 1 to {most}; write one of these, or leave it out")
    return TcpKeepalive(*found)


def _health(view: View, balancing: Balancing) -> HealthConfig:
    default = HealthConfig()
    common, policy = view.child("common_lb_config"), view.child("load_assignment").child("policy")
    threshold = default.panic_threshold
    if common.has("healthy_panic_threshold"):
        threshold = int(common.child("healthy_panic_threshold").value("value"))  # Envoy drops the fraction
    return HealthConfig(
        threshold,
        policy.wrapped("overprovisioning_factor", default.overprovisioning_factor),
        balancing.fail_traffic_on_panic,
        policy.value("weighted_priority_health"),
    )


def _check_hostnames(view: View, kind: ClusterType, report: Report) -> None:
    """Envoy refuses it, whatever the balancer; the form of an extension has no such rule."""
    hashing = view.child("common_lb_config").child("consistent_hashing_lb_config")
    if hashing.value("use_hostname_for_hashing") and kind is not ClusterType.STRICT_DNS:
        message = f"the hosts of a {kind.name} cluster cannot be hashed by their names; make it STRICT_DNS"
        report.error(hashing.node_of("use_hostname_for_hashing"), message)
