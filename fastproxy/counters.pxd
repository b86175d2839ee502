"""The counters of the data plane: one enum per scope, each member the name Envoy gives the statistic.

A scope is a block of consecutive 64-bit slots in a worker's row of shared memory (`shared_memory.py`);
a member is the offset of its slot in the block. `stats.py` turns blocks into names.
Members of the *_GAUGES sets go down as well as up; a new worker sets them to zero.
"""

cpdef enum ListenerCounter:
    listener_downstream_cx_total
    listener_downstream_cx_active
    listener_downstream_cx_destroy
    listener_downstream_cx_overflow
    listener_no_filter_chain_match
    listener_downstream_cx_overload_reject
    listener_downstream_global_cx_overflow
    LISTENER_COUNTERS

# A tunnel counts bytes without knowing whether a connection manager or a TCP proxy made it: both scopes begin alike.
cpdef enum HttpCounter:
    http_downstream_cx_rx_bytes_total
    http_downstream_cx_tx_bytes_total
    http_downstream_cx_total
    http_downstream_cx_active
    http_downstream_cx_destroy
    http_downstream_cx_http1_total
    http_downstream_cx_http1_active
    http_downstream_cx_idle_timeout
    http_downstream_cx_max_duration_reached
    http_downstream_cx_max_requests_reached
    http_downstream_cx_protocol_error
    http_downstream_cx_upgrades_total
    http_downstream_cx_upgrades_active
    http_downstream_rq_total
    http_downstream_rq_http1_total
    http_downstream_rq_active
    http_downstream_rq_completed
    http_downstream_rq_1xx
    http_downstream_rq_2xx
    http_downstream_rq_3xx
    http_downstream_rq_4xx
    http_downstream_rq_5xx
    http_downstream_rq_timeout
    http_downstream_rq_too_large
    http_downstream_rq_url_too_long
    http_downstream_cx_address_limited
    http_tunnel_paused
    http_tunnel_too_fast
    http_tunnel_too_large
    http_tunnel_concurrent_limited
    http_limit_table_crowded
    http_downstream_rq_header_timeout
    http_downstream_rq_idle_timeout
    http_downstream_rq_max_duration_reached
    http_downstream_rq_failed_path_normalization
    http_downstream_rq_redirected_with_normalized_path
    http_downstream_rq_rx_reset
    http_downstream_rq_tx_reset
    http_downstream_rq_ws_on_non_ws_route
    http_downstream_flow_control_paused_reading_total
    http_downstream_flow_control_resumed_reading_total
    http_no_route
    http_no_cluster
    http_cors_origin_valid
    http_cors_origin_invalid
    http_origin_refused
    http_rq_direct_response
    http_rq_redirect
    http_rq_total
    http_sid_opened_polling
    http_sid_opened_websocket
    http_sid_upgrade_tried
    http_sid_upgrade_done
    http_sid_learned
    http_sid_known
    http_sid_unknown
    http_sid_evicted
    http_sid_not_stored
    http_sid_shared
    http_sid_asked
    http_sid_asked_rq
    http_sid_found
    http_sid_ask_limited
    http_sid_ask_limited_source
    http_sid_ask_too_large
    http_sid_declined_cached
    http_sid_lost_unknown
    http_sid_lost_host_gone
    http_sid_lost_connect_fail
    http_sid_lost_by_host
    http_sid_handshake_limited
    http_packets_rx_total
    http_packets_tx_total
    http_packets_unread_polls
    http_packets_unread_ws
    http_sid_not_learned_coding
    http_access_log_lines_lost
    http_downstream_cx_overload_disable_keepalive
    http_downstream_cx_overload_idle_close
    http_downstream_cx_delayed_close_timeout
    http_downstream_rq_overload_close
    http_downstream_rq_overload_new_session
    http_rq_overload_local_reply
    HTTP_COUNTERS

# What is counted of sessions by route: first the same as by connection manager, in the same order.
cpdef enum RouteCounter:
    route_sid_opened_polling
    route_sid_opened_websocket
    route_sid_upgrade_tried
    route_sid_upgrade_done
    route_sid_learned
    route_sid_known
    route_sid_unknown
    route_sid_evicted
    route_sid_not_stored
    route_sid_shared
    route_sid_asked
    route_sid_asked_rq
    route_sid_found
    route_sid_ask_limited
    route_sid_ask_limited_source
    route_sid_ask_too_large
    route_sid_declined_cached
    route_sid_lost_unknown
    route_sid_lost_host_gone
    route_sid_lost_connect_fail
    route_sid_lost_by_host
    route_sid_handshake_limited
    route_packets_rx_total
    route_packets_tx_total
    route_packets_unread_polls
    route_packets_unread_ws
    route_rx_bytes_total
    route_tx_bytes_total
    route_ws_total
    route_ws_active
    ROUTE_COUNTERS

cpdef enum LocalRateLimitCounter:
    local_rate_limit_enabled
    local_rate_limit_enforced
    local_rate_limit_ok
    local_rate_limit_rate_limited
    local_rate_limit_shadow_mode
    LOCAL_RATE_LIMIT_COUNTERS

cpdef enum ConnectionLimitCounter:
    connection_limit_active_connections
    connection_limit_limited_connections
    CONNECTION_LIMIT_COUNTERS

cpdef enum TcpCounter:
    tcp_downstream_cx_rx_bytes_total
    tcp_downstream_cx_tx_bytes_total
    tcp_downstream_cx_total
    tcp_downstream_cx_active
    tcp_downstream_cx_no_route
    tcp_idle_timeout
    tcp_max_downstream_connection_duration
    TCP_COUNTERS

cpdef enum ClusterCounter:
    cluster_lb_healthy_panic
    cluster_upstream_cx_total
    cluster_upstream_cx_active
    cluster_upstream_cx_http1_total
    cluster_upstream_cx_connect_fail
    cluster_upstream_cx_connect_timeout
    cluster_upstream_cx_connect_attempts_exceeded
    cluster_upstream_cx_destroy
    cluster_upstream_cx_destroy_local
    cluster_upstream_cx_destroy_remote
    cluster_upstream_cx_idle_timeout
    cluster_upstream_cx_max_requests
    cluster_upstream_cx_none_healthy
    cluster_upstream_cx_overflow
    cluster_upstream_cx_protocol_error
    cluster_upstream_cx_rx_bytes_total
    cluster_upstream_cx_tx_bytes_total
    cluster_upstream_rq_total
    cluster_upstream_rq_active
    cluster_upstream_rq_completed
    cluster_upstream_rq_pending_total
    cluster_upstream_rq_pending_active
    cluster_upstream_rq_pending_overflow
    cluster_upstream_rq_pending_failure_eject
    cluster_upstream_rq_cancelled
    cluster_upstream_rq_interim_overflow
    cluster_upstream_rq_1xx
    cluster_upstream_rq_2xx
    cluster_upstream_rq_3xx
    cluster_upstream_rq_4xx
    cluster_upstream_rq_5xx
    cluster_upstream_rq_timeout
    cluster_upstream_rq_mirror_dropped
    cluster_upstream_rq_retry
    cluster_upstream_rq_retry_reused_cx
    cluster_upstream_rq_retry_success
    cluster_upstream_rq_retry_overflow
    cluster_upstream_rq_retry_limit_exceeded
    cluster_upstream_rq_retry_backoff_exponential
    cluster_upstream_rq_retry_backoff_ratelimited
    cluster_upstream_rq_per_try_timeout
    cluster_upstream_rq_per_try_idle_timeout
    cluster_retry_or_shadow_abandoned
    cluster_upstream_rq_rx_reset
    cluster_upstream_rq_tx_reset
    cluster_packets_rx_total
    cluster_packets_tx_total
    cluster_upstream_rq_active_overflow
    cluster_upstream_cx_max_duration_reached
    cluster_rq_retry_active
    cluster_high_cx_active
    cluster_high_rq_active
    cluster_high_rq_pending_active
    cluster_high_rq_retry_active
    CLUSTER_COUNTERS

cpdef enum HostCounter:
    host_cx_active
    host_cx_connect_fail
    host_cx_rx_bytes_total
    host_cx_tx_bytes_total
    host_cx_total
    host_packets_rx_total
    host_packets_tx_total
    host_rq_active
    host_rq_error
    host_rq_pending_active
    host_rq_success
    host_rq_timeout
    host_rq_total
    host_sid_opening_total
    host_sid_opening_active
    host_sid_opened_polling
    host_sid_opened_websocket
    host_sid_upgrade_tried
    host_sid_upgrade_done
    host_sid_learned
    host_sid_found
    host_sid_lost
    host_ws_total
    host_ws_active
    host_high_cx_active
    host_answers_total
    host_answers_success
    host_origin_total
    host_origin_success
    host_row_5xx
    host_row_gateway_failure
    host_row_local_origin_failure
    host_said_it_fails
    HOST_COUNTERS

# Of the access logs, all together.
cpdef enum FilesystemCounter:
    filesystem_write_completed
    filesystem_write_failed
    filesystem_reopen_failed
    FILESYSTEM_COUNTERS
