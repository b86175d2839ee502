"""The fields of Envoy's v3 API that fastproxy acts on, and those that it may leave out with a warning.

Keyed by the full name of a message; `<message>.<field>` narrows the table for a message that means less in that
place. What stands in neither table is refused. docs/envoy-compatibility.md says the same in prose.
"""

from typing import Any

from fastproxy.config import coverage_clusters as clusters
from fastproxy.config import coverage_health as health
from fastproxy.config import coverage_listeners as listeners
from fastproxy.config import coverage_manager as manager
from fastproxy.config import coverage_routes as routes
from fastproxy.config.tree import because, words

_CORE = "envoy.config.core.v3."
_BOOTSTRAP = "envoy.config.bootstrap.v3.Bootstrap"
_OVERLOAD = "envoy.config.overload.v3."
_MONITORS = "envoy.extensions.resource_monitors."
_UPSTREAM_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_REPLIES = "envoy.extensions.filters.network.http_connection_manager.v3."
_REPLY_FORMAT = "text_format text_format_source json_format content_type"
_LOG_FILTERS = {
    "AccessLogFilter": "status_code_filter duration_filter and_filter or_filter response_flag_filter runtime_filter "
    "not_health_check_filter header_filter traceable_filter grpc_status_filter extension_filter metadata_filter "
    "log_type_filter",
    "StatusCodeFilter": "comparison",
    "DurationFilter": "comparison",
    "ComparisonFilter": "op value",
    "AndFilter": "filters",
    "OrFilter": "filters",
    "ResponseFlagFilter": "flags",
    "RuntimeFilter": "runtime_key percent_sampled use_independent_randomness",
}
_LOGGERS = "envoy.extensions.access_loggers."

_ACTED_ON = clusters.ACTED_ON | health.ACTED_ON | listeners.ACTED_ON | routes.ACTED_ON | manager.ACTED_ON
_NEUTRAL = clusters.NEUTRAL | listeners.NEUTRAL | routes.NEUTRAL | manager.NEUTRAL
_NO_EFFECT = clusters.NO_EFFECT | health.NO_EFFECT | listeners.NO_EFFECT | routes.NO_EFFECT | manager.NO_EFFECT

ACTED_ON: dict[str, frozenset[str]] = _ACTED_ON | {
    _BOOTSTRAP: words("node static_resources admin overload_manager layered_runtime cluster_manager"),
    f"{_BOOTSTRAP}.StaticResources": words("listeners clusters"),
    "envoy.config.bootstrap.v3.Admin": words("address access_log access_log_path"),
    "envoy.config.bootstrap.v3.LayeredRuntime": words("layers"),
    "envoy.config.bootstrap.v3.RuntimeLayer": words("name static_layer"),
    f"{_OVERLOAD}OverloadManager": words("refresh_interval resource_monitors actions loadshed_points"),
    f"{_OVERLOAD}ResourceMonitor": words("name typed_config"),
    f"{_OVERLOAD}OverloadAction": words("name triggers typed_config"),
    f"{_OVERLOAD}LoadShedPoint": words("name triggers"),
    f"{_OVERLOAD}ScaleTimersOverloadActionConfig": words("timer_scale_factors"),
    f"{_OVERLOAD}ScaleTimersOverloadActionConfig.ScaleTimer": words("timer min_timeout min_scale"),
    "envoy.type.v3.Percent": words("value"),
    f"{_OVERLOAD}Trigger": words("name threshold scaled"),
    f"{_OVERLOAD}ThresholdTrigger": words("value"),
    f"{_OVERLOAD}ScaledTrigger": words("scaling_threshold saturation_threshold"),
    f"{_MONITORS}fixed_heap.v3.FixedHeapConfig": words("max_heap_size_bytes"),
    f"{_MONITORS}cgroup_memory.v3.CgroupMemoryConfig": words("max_memory_bytes"),
    f"{_MONITORS}downstream_connections.v3.DownstreamConnectionsConfig": words("max_active_downstream_connections"),
    f"{_MONITORS}injected_resource.v3.InjectedResourceConfig": words("filename"),
    f"{_CORE}Node": words("id cluster"),
    f"{_CORE}TypedExtensionConfig": words("name typed_config"),
    _UPSTREAM_HTTP: words("common_http_protocol_options explicit_http_config use_downstream_protocol_config"),
    f"{_UPSTREAM_HTTP}.common_http_protocol_options": words(
        "idle_timeout max_requests_per_connection max_connection_duration"
    ),
    f"{_UPSTREAM_HTTP}.ExplicitHttpConfig": words("http_protocol_options"),
    f"{_UPSTREAM_HTTP}.ExplicitHttpConfig.http_protocol_options": frozenset(),
    f"{_UPSTREAM_HTTP}.UseDownstreamHttpConfig": words("http_protocol_options"),
    f"{_UPSTREAM_HTTP}.UseDownstreamHttpConfig.http_protocol_options": frozenset(),
    f"{_REPLIES}LocalReplyConfig": words("mappers body_format"),
    f"{_REPLIES}ResponseMapper": words("filter status_code body body_format_override headers_to_add"),
    f"{_REPLIES}ResponseMapper.body": words("inline_string inline_bytes"),
    f"{_REPLIES}ResponseMapper.body_format_override": words(_REPLY_FORMAT),
    f"{_REPLIES}LocalReplyConfig.body_format": words(_REPLY_FORMAT),
    "envoy.config.accesslog.v3.AccessLog": words("name typed_config filter"),
    **{f"envoy.config.accesslog.v3.{name}": words(fields) for name, fields in _LOG_FILTERS.items()},
    f"{_LOGGERS}file.v3.FileAccessLog": words("path format log_format json_format typed_json_format"),
    f"{_LOGGERS}stream.v3.StdoutAccessLog": words("log_format"),
    f"{_LOGGERS}stream.v3.StderrAccessLog": words("log_format"),
    f"{_CORE}SubstitutionFormatString": words("text_format text_format_source json_format"),
    f"{_CORE}DataSource": words("inline_string"),
}

NEUTRAL: dict[tuple[str, str], Any] = _NEUTRAL | {
    (f"{_UPSTREAM_HTTP}.UseDownstreamHttpConfig", "http2_protocol_options"): None,
}
"""Fields that may stand in a file without a word when they say no more than what holds here anyway: that value, one of
that range, or for None whatever they say."""


NO_EFFECT: dict[str, dict[str, str]] = _NO_EFFECT | {
    _BOOTSTRAP: because(
        "",
        "node_context_params hds_config flags_path stats_sinks deferred_stat_options stats_config "
        "stats_flush_interval stats_flush_on_admin stats_eviction_interval watchdog watchdogs tracing "
        "enable_dispatcher_stats stats_server_version_override bootstrap_extensions fatal_actions "
        "default_socket_interface perf_tracing_file_path default_regex_engine listener_manager application_log_config "
        "grpc_async_client_manager_config memory_allocator_manager",
    ),
    f"{_BOOTSTRAP}.StaticResources": because("TLS is not spoken yet", "secrets"),
    "envoy.config.bootstrap.v3.RuntimeLayer": because("what the file says counts", "disk_layer admin_layer rtds_layer"),
    f"{_OVERLOAD}OverloadManager": {
        "buffer_factory_config": "it serves reset_high_memory_stream, which concerns HTTP/2 alone",
    },
    "envoy.config.bootstrap.v3.Admin": because("", "profile_path socket_options ignore_global_conn_limit"),
    f"{_CORE}Node": because(
        "",
        "metadata dynamic_parameters locality user_agent_name user_agent_version user_agent_build_version extensions "
        "client_features listening_addresses",
    ),
    f"{_UPSTREAM_HTTP}.common_http_protocol_options": because(
        "", "max_headers_count max_response_headers_kb max_stream_duration"
    ),
    _UPSTREAM_HTTP: because("5xx are what counts as a failure of a host", "outlier_detection"),
    f"{_UPSTREAM_HTTP}.ExplicitHttpConfig.http_protocol_options": because(
        "", "allow_absolute_url accept_http_10 default_host_for_http_10 enable_trailers header_key_format"
    ),
    f"{_UPSTREAM_HTTP}.UseDownstreamHttpConfig": because(
        "clients speak HTTP/1 here", "http2_protocol_options http3_protocol_options"
    ),
    f"{_UPSTREAM_HTTP}.UseDownstreamHttpConfig.http_protocol_options": because(
        "", "allow_absolute_url accept_http_10 default_host_for_http_10 enable_trailers header_key_format"
    ),
    f"{_CORE}SubstitutionFormatString": because("", "omit_empty_values content_type formatters json_format_options"),
}
"""Fields that are left out with a warning, and what holds instead ("" where nothing needs saying)."""
