"""The rows of `coverage_tables` for the health of hosts: active checks and outlier detection."""

from fastproxy.config.tree import because, words

_CORE = "envoy.config.core.v3."
_CHECK = f"{_CORE}HealthCheck"
_SINK = "envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink"
_OUTLIERS = "envoy.config.cluster.v3.OutlierDetection"
_MANAGER = "envoy.config.bootstrap.v3.ClusterManager"
_PAYLOAD = words("text binary")

ACTED_ON: dict[str, frozenset[str]] = {
    _CHECK: words(
        "timeout interval initial_jitter interval_jitter interval_jitter_percent unhealthy_threshold healthy_threshold "
        "alt_port reuse_connection http_health_check tcp_health_check grpc_health_check custom_health_check "
        "no_traffic_interval no_traffic_healthy_interval unhealthy_interval unhealthy_edge_interval "
        "healthy_edge_interval event_log_path event_logger always_log_health_check_failures "
        "always_log_health_check_success"
    ),
    f"{_CHECK}.Payload": _PAYLOAD,
    f"{_CHECK}.HttpHealthCheck": words(
        "host path send receive response_buffer_size request_headers_to_add request_headers_to_remove "
        "expected_statuses retriable_statuses codec_client_type service_name_matcher method"
    ),
    f"{_CHECK}.TcpHealthCheck": words("send receive"),
    f"{_CHECK}.CustomHealthCheck": words("name typed_config"),
    _SINK: words("event_log_path"),
    "envoy.config.endpoint.v3.Endpoint.HealthCheckConfig": words(
        "port_value hostname address disable_active_health_check"
    ),
    _MANAGER: words("outlier_detection"),
    f"{_MANAGER}.OutlierDetection": words("event_log_path"),
    _OUTLIERS: words(
        "consecutive_5xx interval base_ejection_time max_ejection_percent enforcing_consecutive_5xx "
        "enforcing_success_rate success_rate_minimum_hosts success_rate_request_volume success_rate_stdev_factor "
        "consecutive_gateway_failure enforcing_consecutive_gateway_failure split_external_local_origin_errors "
        "consecutive_local_origin_failure enforcing_consecutive_local_origin_failure "
        "enforcing_local_origin_success_rate failure_percentage_threshold enforcing_failure_percentage "
        "enforcing_failure_percentage_local_origin failure_percentage_minimum_hosts "
        "failure_percentage_request_volume max_ejection_time max_ejection_time_jitter "
        "successful_active_health_check_uneject_host always_eject_one_host"
    ),
}

NO_EFFECT: dict[str, dict[str, str]] = {
    _CHECK: {
        **because("TLS is not spoken to hosts", "tls_options transport_socket_match_criteria"),
        "event_service": "events are written to files only",
    },
    f"{_CHECK}.TcpHealthCheck": because("no PROXY protocol is sent to hosts", "proxy_protocol_config"),
    _MANAGER: because("", "local_cluster_name upstream_bind_config load_stats_config enable_deferred_cluster_creation"),
    f"{_MANAGER}.OutlierDetection": because("ejections are written to a file only", "event_service"),
    _OUTLIERS: because("what counts as a failure is the same for all clusters", "monitors"),
}
