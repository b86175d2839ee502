"""The rows of `coverage_tables` for clusters, their hosts and how they share requests."""

from typing import Any

from fastproxy.config.tree import because, words

_CLUSTER = "envoy.config.cluster.v3."
_ENDPOINT = "envoy.config.endpoint.v3."
_POLICIES = "envoy.extensions.load_balancing_policies."

_BUFFERED_BYTES = 128 * 1024
ENOUGH = range(_BUFFERED_BYTES, 2**32)
BUFFER_LIMIT = f"at most {_BUFFERED_BYTES // 1024} KiB are held for each direction of a connection"
HEALTH = "a host is passed over only when a connect to it fails"


ACTED_ON: dict[str, frozenset[str]] = {
    f"{_CLUSTER}Cluster": words(
        "name type connect_timeout lb_policy load_assignment max_requests_per_connection "
        "typed_extension_protocol_options dns_refresh_rate dns_lookup_family ring_hash_lb_config common_lb_config "
        "load_balancing_policy"
    ),
    f"{_CLUSTER}Cluster.RingHashLbConfig": words("minimum_ring_size maximum_ring_size hash_function"),
    f"{_CLUSTER}Cluster.CommonLbConfig": words("consistent_hashing_lb_config"),
    f"{_CLUSTER}Cluster.CommonLbConfig.ConsistentHashingLbConfig": words("hash_balance_factor"),
    f"{_CLUSTER}LoadBalancingPolicy": words("policies"),
    f"{_CLUSTER}LoadBalancingPolicy.Policy": words("typed_extension_config"),
    f"{_POLICIES}ring_hash.v3.RingHash": words(
        "hash_function minimum_ring_size maximum_ring_size hash_balance_factor consistent_hashing_lb_config"
    ),
    f"{_POLICIES}common.v3.ConsistentHashingLbConfig": words("hash_balance_factor"),
    f"{_POLICIES}round_robin.v3.RoundRobin": frozenset(),
    f"{_POLICIES}random.v3.Random": frozenset(),
    f"{_POLICIES}least_request.v3.LeastRequest": frozenset(),
    f"{_ENDPOINT}ClusterLoadAssignment": words("cluster_name endpoints"),
    f"{_ENDPOINT}LocalityLbEndpoints": words("lb_endpoints"),
    f"{_ENDPOINT}LbEndpoint": words("endpoint load_balancing_weight metadata"),
    f"{_ENDPOINT}Endpoint": words("address hostname"),
}

NEUTRAL: dict[tuple[str, str], Any] = {
    (f"{_CLUSTER}Cluster", "metadata"): None,
    (f"{_CLUSTER}Cluster", "per_connection_buffer_limit_bytes"): ENOUGH,
    (f"{_CLUSTER}Cluster.CommonLbConfig", "zone_aware_lb_config"): None,
    (f"{_CLUSTER}Cluster.CommonLbConfig.ConsistentHashingLbConfig", "use_hostname_for_hashing"): False,
    (f"{_POLICIES}ring_hash.v3.RingHash", "use_hostname_for_hashing"): False,
    (f"{_POLICIES}common.v3.ConsistentHashingLbConfig", "use_hostname_for_hashing"): False,
    (f"{_ENDPOINT}LocalityLbEndpoints", "locality"): None,
    (f"{_ENDPOINT}LocalityLbEndpoints", "metadata"): None,
    (f"{_ENDPOINT}LocalityLbEndpoints", "load_balancing_weight"): None,  # Envoy: only with locality_weighted_lb_config
    (f"{_ENDPOINT}LbEndpoint", "health_status"): 1,
}

NO_EFFECT: dict[str, dict[str, str]] = {
    f"{_CLUSTER}Cluster": {
        **because(
            "",
            "alt_stat_name dns_jitter dns_failure_refresh_rate respect_dns_ttl use_tcp_for_dns_lookups "
            "wait_for_warm_on_init cleanup_interval protocol_selection upstream_connection_options "
            "close_connections_on_host_health_failure ignore_health_on_host_removal lrs_server "
            "lrs_report_endpoint_metrics track_timeout_budgets track_cluster_stats preconnect_policy "
            "least_request_lb_config round_robin_lb_config maglev_lb_config original_dst_lb_config",
        ),
        **because(HEALTH, "health_checks outlier_detection"),
        "circuit_breakers": "connections and requests to a cluster are not limited yet",
        "per_connection_buffer_limit_bytes": BUFFER_LIMIT,
    },
    f"{_CLUSTER}Cluster.CommonLbConfig": {
        **because(
            "", "zone_aware_lb_config update_merge_window close_connections_on_host_set_change override_host_status"
        ),
        **because(HEALTH, "healthy_panic_threshold ignore_new_hosts_until_first_hc"),
    },
    f"{_POLICIES}round_robin.v3.RoundRobin": because("", "slow_start_config"),
    f"{_POLICIES}least_request.v3.LeastRequest": because(
        "", "choice_count active_request_bias slow_start_config enable_full_scan selection_method"
    ),
    f"{_ENDPOINT}ClusterLoadAssignment": because(HEALTH, "policy"),
    f"{_ENDPOINT}LocalityLbEndpoints": because("", "proximity"),
    f"{_ENDPOINT}Endpoint": because(HEALTH, "health_check_config"),
}
