"""The rows of `coverage_tables` for listeners, their addresses and filter chains, and for the TCP proxy."""

from typing import Any

from fastproxy.config.tree import because, words

_CORE = "envoy.config.core.v3."
_LISTENER = "envoy.config.listener.v3."
_CONNECTION_LIMIT = "envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit"
_TCP_PROXY = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"


ACTED_ON: dict[str, frozenset[str]] = {
    f"{_CORE}Address": words("socket_address pipe"),
    f"{_CORE}SocketAddress": words("address port_value ipv4_compat"),
    f"{_CORE}Pipe": words("path mode"),
    f"{_CORE}CidrRange": words("address_prefix prefix_len"),
    f"{_CORE}SocketOption": words("description level name int_value buf_value state"),
    f"{_LISTENER}Listener": words(
        "name address filter_chains bind_to_port tcp_backlog_size additional_addresses default_filter_chain "
        "per_connection_buffer_limit_bytes "
        "stat_prefix listener_filters enable_reuse_port freebind transparent socket_options"
    ),
    f"{_LISTENER}AdditionalAddress": words("address"),
    f"{_LISTENER}FilterChain": words("filters name filter_chain_match"),
    f"{_LISTENER}FilterChainMatch": words(
        "destination_port prefix_ranges direct_source_prefix_ranges source_type source_prefix_ranges source_ports"
    ),
    f"{_LISTENER}ListenerFilter": words("name typed_config"),
    f"{_LISTENER}Filter": words("name typed_config"),
    _TCP_PROXY: words(
        "stat_prefix cluster weighted_clusters access_log idle_timeout max_connect_attempts hash_policy "
        "max_downstream_connection_duration"
    ),
    f"{_TCP_PROXY}.WeightedCluster": words("clusters"),
    f"{_TCP_PROXY}.WeightedCluster.ClusterWeight": words("name weight"),
    "envoy.type.v3.HashPolicy": words("source_ip"),
    _CONNECTION_LIMIT: words("stat_prefix max_connections delay runtime_enabled"),
    f"{_CORE}RuntimeFeatureFlag": words("default_value runtime_key"),
}

NEUTRAL: dict[tuple[str, str], Any] = {
    (f"{_CORE}SocketAddress", "protocol"): 0,
    (f"{_LISTENER}Listener", "use_original_dst"): False,
    (f"{_LISTENER}Listener", "metadata"): None,
    (f"{_LISTENER}FilterChain", "metadata"): None,
    (f"{_LISTENER}FilterChain", "use_proxy_proto"): False,
    (f"{_LISTENER}FilterChainMatch", "transport_protocol"): "raw_buffer",
}

NO_EFFECT: dict[str, dict[str, str]] = {
    f"{_LISTENER}Listener": {
        **because(
            "",
            "deprecated_v1 drain_type listener_filters_timeout continue_on_listener_filters_timeout "
            "tcp_fast_open_queue_length traffic_direction connection_balance_config reuse_port "
            "max_connections_to_accept_per_socket_event enable_mptcp ignore_global_conn_limit bypass_overload_manager",
        ),
        "access_log": "this log is not written; those of the connection manager and the tcp_proxy are",
    },
    f"{_LISTENER}FilterChain": because("", "transport_socket_connect_timeout"),
    _TCP_PROXY: because(
        "",
        "access_log_flush_interval flush_access_log_on_connected access_log_options backoff_options "
        "max_downstream_connection_duration_jitter_percentage",
    ),
}
