"""The rows of `coverage_tables` for the HTTP connection manager and what hangs on it."""

from typing import Any

from fastproxy.config.tree import because, words

_CORE = "envoy.config.core.v3."
_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_HTTP_FILTER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter"
_ROUTER = "envoy.extensions.filters.http.router.v3.Router"
_DETECTION = "envoy.extensions.http.original_ip_detection."
_SET_FILTER_STATE = "envoy.extensions.filters.http.set_filter_state.v3.Config"
_FILTER_STATE_VALUE = "envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue"
_LOCAL_RATE_LIMIT = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
_RATELIMIT = "envoy.extensions.common.ratelimit.v3."
_BUFFER = "envoy.extensions.filters.http.buffer.v3.Buffer"
_PRESERVE_CASE = "envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig"


ACTED_ON: dict[str, frozenset[str]] = {
    _MANAGER: words(
        "codec_type stat_prefix route_config http_filters add_user_agent common_http_protocol_options "
        "http_protocol_options server_name max_request_headers_kb stream_idle_timeout request_timeout "
        "request_headers_timeout drain_timeout delayed_close_timeout access_log use_remote_address "
        "skip_xff_append generate_request_id upgrade_configs xff_num_trusted_hops internal_address_config "
        "original_ip_detection_extensions append_x_forwarded_port via scheme_header_transformation "
        "preserve_external_request_id always_set_request_id_in_response forward_client_cert_details "
        "server_header_transformation stream_error_on_invalid_http_message local_reply_config normalize_path "
        "merge_slashes path_with_escaped_slashes_action strip_matching_host_port strip_any_host_port "
        "strip_trailing_host_dot proxy_100_continue"
    ),
    f"{_MANAGER}.common_http_protocol_options": words(
        "idle_timeout max_headers_count max_connection_duration max_stream_duration max_requests_per_connection "
        "headers_with_underscores_action"
    ),
    f"{_MANAGER}.InternalAddressConfig": words("cidr_ranges unix_sockets"),
    f"{_MANAGER}.UpgradeConfig": words("upgrade_type enabled"),
    f"{_CORE}Http1ProtocolOptions": words(
        "allow_absolute_url accept_http_10 default_host_for_http_10 header_key_format "
        "override_stream_error_on_invalid_http_message"
    ),
    f"{_CORE}Http1ProtocolOptions.HeaderKeyFormat": words("proper_case_words stateful_formatter"),
    f"{_CORE}Http1ProtocolOptions.HeaderKeyFormat.ProperCaseWords": frozenset(),
    f"{_CORE}SchemeHeaderTransformation": words("scheme_to_overwrite"),
    f"{_DETECTION}xff.v3.XffConfig": words("xff_num_trusted_hops"),
    f"{_DETECTION}custom_header.v3.CustomHeaderConfig": words("header_name allow_extension_to_set_address_as_trusted"),
    _PRESERVE_CASE: frozenset(),
    _HTTP_FILTER: words("name typed_config is_optional disabled"),
    _ROUTER: words("suppress_envoy_headers"),
    _SET_FILTER_STATE: words("on_request_headers"),
    _FILTER_STATE_VALUE: words("object_key factory_key format_string read_only skip_if_empty"),
    f"{_FILTER_STATE_VALUE}.format_string": words("text_format text_format_source omit_empty_values"),
    _LOCAL_RATE_LIMIT: words(
        "stat_prefix status token_bucket filter_enabled filter_enforced response_headers_to_add "
        "request_headers_to_add_when_not_enforced enable_x_ratelimit_headers descriptors stage vh_rate_limits "
        "rate_limits always_consume_default_token_bucket local_rate_limit_per_downstream_connection"
    ),
    f"{_RATELIMIT}LocalRateLimitDescriptor": words("entries token_bucket"),
    f"{_RATELIMIT}RateLimitDescriptor.Entry": words("key value"),
    "envoy.type.v3.HttpStatus": words("code"),
    "envoy.type.v3.TokenBucket": words("max_tokens tokens_per_fill fill_interval"),
    _BUFFER: words("max_request_bytes"),
    f"{_BUFFER}PerRoute": words("disabled buffer"),
    f"{_CORE}HeaderValueOption": words("header append append_action keep_empty_value"),
    f"{_CORE}HeaderValue": words("key value raw_value"),
}

NEUTRAL: dict[tuple[str, str], Any] = {
    (f"{_CORE}Http1ProtocolOptions", "use_balsa_parser"): None,
    (f"{_DETECTION}xff.v3.XffConfig", "skip_xff_append"): True,
    (f"{_CORE}SchemeHeaderTransformation", "match_upstream"): False,
    (_ROUTER, "dynamic_stats"): True,
    (_LOCAL_RATE_LIMIT, "rate_limited_as_resource_exhausted"): False,
}

NO_EFFECT: dict[str, dict[str, str]] = {
    _MANAGER: {
        **because(
            "",
            "http1_safe_max_connection_duration http2_protocol_options http3_protocol_options stream_flush_timeout "
            "access_log_flush_interval flush_access_log_on_new_request access_log_options "
            "represent_ipv4_remote_address_as_ipv4_mapped_ipv6 request_id_extension "
            "proxy_status_config append_local_overload",
        ),
        "tracing": "no spans are made",
        "set_current_client_cert_details": "TLS is not spoken yet",
    },
    f"{_MANAGER}.common_http_protocol_options": because("", "max_response_headers_kb"),
    f"{_CORE}Http1ProtocolOptions": {
        **because("", "ignore_http_11_upgrade"),
        "enable_trailers": "trailers are dropped",
        "allow_chunked_length": "a request with both content-length and transfer-encoding is refused",
        "allow_custom_methods": "",
    },
    f"{_CORE}SchemeHeaderTransformation": because("", "match_upstream"),
    _FILTER_STATE_VALUE: because("connections to hosts know no filter state", "shared_with_upstream"),
    f"{_FILTER_STATE_VALUE}.format_string": because("", "content_type"),
    _LOCAL_RATE_LIMIT: {
        "max_dynamic_descriptors": "buckets by value lie in a table with room for 65536 of them",
        "rate_limited_as_resource_exhausted": "there is no HTTP/2, which gRPC needs",
    },
    _PRESERVE_CASE: because("", "forward_reason_phrase formatter_type_on_envoy_headers"),
    _ROUTER: because(
        "",
        "dynamic_stats start_child_span upstream_log upstream_log_options "
        "respect_expected_rq_timeout suppress_grpc_request_failure_code_stats strict_check_headers",
    ),
}
