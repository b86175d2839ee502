"""The rows of `coverage_tables` for clusters, their hosts and how they share requests."""

from typing import Any

from fastproxy.config.tree import because, words

_CLUSTER = "envoy.config.cluster.v3."
_ENDPOINT = "envoy.config.endpoint.v3."
_POLICIES = "envoy.extensions.load_balancing_policies."

_CORE = "envoy.config.core.v3."
_ZONE_AWARE = (
    f"{_CLUSTER}Cluster.CommonLbConfig.ZoneAwareLbConfig",
    f"{_POLICIES}common.v3.LocalityLbConfig.ZoneAwareLbConfig",
)
_NO_ZONES = "requests are not kept inside a zone, as in an Envoy that has no local cluster"

_CARES = "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig"
_RESOLVERS = words("socket_address pipe envoy_internal_address")  # the first only: others are errors of their own
_RESOLVER = words("address port_value protocol")
_NO_SLOW_START = because("a new host gets its whole share at once", "slow_start_config")

ACTED_ON: dict[str, frozenset[str]] = {
    f"{_CLUSTER}Cluster": words(
        "name type connect_timeout lb_policy load_assignment max_requests_per_connection "
        "per_connection_buffer_limit_bytes "
        "typed_extension_protocol_options common_lb_config alt_stat_name wait_for_warm_on_init "
        "dns_refresh_rate dns_failure_refresh_rate dns_jitter dns_lookup_family respect_dns_ttl "
        "dns_resolvers dns_resolution_config typed_dns_resolver_config use_tcp_for_dns_lookups "
        "load_balancing_policy lb_subset_config ring_hash_lb_config maglev_lb_config least_request_lb_config "
        "round_robin_lb_config original_dst_lb_config circuit_breakers "
        "health_checks outlier_detection ignore_health_on_host_removal "
        "close_connections_on_host_health_failure upstream_connection_options"
    ),
    f"{_CLUSTER}UpstreamConnectionOptions": words("tcp_keepalive"),
    f"{_CORE}TcpKeepalive": words("keepalive_probes keepalive_time keepalive_interval"),
    f"{_CLUSTER}CircuitBreakers": words("thresholds per_host_thresholds"),
    f"{_CLUSTER}CircuitBreakers.Thresholds": words(
        "priority max_connections max_pending_requests max_requests max_retries retry_budget track_remaining"
    ),
    f"{_CLUSTER}CircuitBreakers.per_host_thresholds": words("priority max_connections"),
    f"{_CLUSTER}CircuitBreakers.Thresholds.RetryBudget": words("budget_percent min_retry_concurrency"),
    f"{_CLUSTER}Cluster.RefreshRate": words("base_interval max_interval"),
    f"{_CLUSTER}Cluster.dns_resolvers": _RESOLVERS,
    f"{_CLUSTER}Cluster.dns_resolvers.socket_address": _RESOLVER,
    f"{_CORE}DnsResolutionConfig": words("resolvers dns_resolver_options"),
    f"{_CORE}DnsResolutionConfig.resolvers": _RESOLVERS,
    f"{_CORE}DnsResolutionConfig.resolvers.socket_address": _RESOLVER,
    f"{_CORE}DnsResolverOptions": words("use_tcp_for_dns_lookups no_default_search_domain"),
    _CARES: words(
        "resolvers use_resolvers_as_fallback dns_resolver_options query_timeout_seconds query_tries rotate_nameservers"
    ),
    f"{_CARES}.resolvers": _RESOLVERS,
    f"{_CARES}.resolvers.socket_address": _RESOLVER,
    "envoy.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig": frozenset(),
    f"{_CLUSTER}Cluster.RingHashLbConfig": words("minimum_ring_size maximum_ring_size hash_function"),
    f"{_CLUSTER}Cluster.MaglevLbConfig": words("table_size"),
    f"{_CLUSTER}Cluster.LeastRequestLbConfig": words("choice_count active_request_bias"),
    f"{_CLUSTER}Cluster.RoundRobinLbConfig": frozenset(),
    f"{_CLUSTER}Cluster.CommonLbConfig": words(
        "consistent_hashing_lb_config healthy_panic_threshold zone_aware_lb_config locality_weighted_lb_config "
        "ignore_new_hosts_until_first_hc update_merge_window"
    ),
    f"{_CLUSTER}Cluster.CommonLbConfig.ConsistentHashingLbConfig": words(
        "hash_balance_factor use_hostname_for_hashing"
    ),
    f"{_CLUSTER}Cluster.CommonLbConfig.ZoneAwareLbConfig": words("fail_traffic_on_panic"),
    f"{_CORE}RuntimeDouble": words("default_value"),
    f"{_CLUSTER}LoadBalancingPolicy": words("policies"),
    f"{_CLUSTER}LoadBalancingPolicy.Policy": words("typed_extension_config"),
    f"{_POLICIES}ring_hash.v3.RingHash": words(
        "hash_function minimum_ring_size maximum_ring_size hash_balance_factor use_hostname_for_hashing "
        "consistent_hashing_lb_config locality_weighted_lb_config"
    ),
    f"{_POLICIES}maglev.v3.Maglev": words("table_size consistent_hashing_lb_config locality_weighted_lb_config"),
    f"{_POLICIES}common.v3.ConsistentHashingLbConfig": words(
        "hash_balance_factor use_hostname_for_hashing hash_policy"
    ),
    f"{_POLICIES}common.v3.LocalityLbConfig": words("zone_aware_lb_config locality_weighted_lb_config"),
    f"{_POLICIES}common.v3.LocalityLbConfig.ZoneAwareLbConfig": words("fail_traffic_on_panic"),
    f"{_POLICIES}round_robin.v3.RoundRobin": words("locality_lb_config"),
    f"{_POLICIES}random.v3.Random": words("locality_lb_config"),
    f"{_POLICIES}least_request.v3.LeastRequest": words(
        "choice_count active_request_bias enable_full_scan selection_method locality_lb_config"
    ),
    f"{_ENDPOINT}ClusterLoadAssignment": words("cluster_name endpoints policy"),
    f"{_ENDPOINT}ClusterLoadAssignment.Policy": words("overprovisioning_factor weighted_priority_health"),
    f"{_ENDPOINT}LocalityLbEndpoints": words("lb_endpoints locality load_balancing_weight priority"),
    f"{_ENDPOINT}LbEndpoint": words("endpoint load_balancing_weight metadata health_status"),
    f"{_ENDPOINT}Endpoint": words("address hostname health_check_config"),
}

NEUTRAL: dict[tuple[str, str], Any] = {
    (f"{_CORE}RuntimeDouble", "runtime_key"): None,  # there is no runtime: the value is always the default
    (f"{_CLUSTER}Cluster", "metadata"): None,
    (f"{_ENDPOINT}LocalityLbEndpoints", "metadata"): None,
}

NO_EFFECT: dict[str, dict[str, str]] = {
    f"{_CLUSTER}Cluster": {
        **because(
            "",
            "cleanup_interval protocol_selection "
            "lrs_server "
            "lrs_report_endpoint_metrics track_timeout_budgets track_cluster_stats",
        ),
        "preconnect_policy": "a connection is made when a request needs it",
    },
    f"{_CLUSTER}UpstreamConnectionOptions": because(
        "", "set_local_interface_name_on_upstream_connections happy_eyeballs_config"
    ),
    f"{_CLUSTER}CircuitBreakers.Thresholds": because(
        "each host has one pool for each priority", "max_connection_pools"
    ),
    f"{_CLUSTER}CircuitBreakers.per_host_thresholds": because(
        "", "max_pending_requests max_requests max_retries retry_budget track_remaining max_connection_pools"
    ),
    _CARES: {
        **because("every query has a socket of its own", "udp_max_queries max_udp_channel_duration"),
        **because("", "edns0_max_payload_size reinit_channel_on_timeout"),
    },
    "envoy.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig": because(
        "the system's settings hold", "num_retries num_resolver_threads"
    ),
    f"{_CLUSTER}Cluster.CommonLbConfig": {
        **because("", "override_host_status"),
        "close_connections_on_host_set_change": "kept connections say nothing about who gets a request",
    },
    f"{_CLUSTER}Cluster.RoundRobinLbConfig": _NO_SLOW_START,
    f"{_CLUSTER}Cluster.LeastRequestLbConfig": _NO_SLOW_START,
    f"{_POLICIES}round_robin.v3.RoundRobin": _NO_SLOW_START,
    f"{_POLICIES}least_request.v3.LeastRequest": _NO_SLOW_START,
    _ZONE_AWARE[0]: because(_NO_ZONES, "routing_enabled min_cluster_size"),
    _ZONE_AWARE[1]: because(
        _NO_ZONES, "routing_enabled min_cluster_size force_locality_direct_routing force_local_zone locality_basis"
    ),
    f"{_ENDPOINT}ClusterLoadAssignment.Policy": because("", "endpoint_stale_after"),
    f"{_ENDPOINT}LocalityLbEndpoints": because("", "proximity"),
}
