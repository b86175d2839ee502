"""The rows of `coverage_tables` for route configurations and what they are made of."""

from typing import Any

from fastproxy.config.tree import because, words

_ROUTE = "envoy.config.route.v3."
_HEDGING = (
    "a request is at one host at a time: per_try_timeout gives up the host that is late before another one is asked, "
    "so that no two work on the same request"
)
_HOSTS = "envoy.extensions.retry.host."
_MATCHER = "envoy.type.matcher.v3."
_HEADERS = words("request_headers_to_add request_headers_to_remove response_headers_to_add response_headers_to_remove")
_CORS = words(
    "allow_origin_string_match allow_methods allow_headers expose_headers max_age allow_credentials filter_enabled "
    "shadow_enabled allow_private_network_access forward_not_matching_preflights"
)

_VALUE_FIELDS = "descriptor_key descriptor_value expect_match "
_ACTIONS = {
    "SourceCluster": "",
    "DestinationCluster": "",
    "RequestHeaders": "header_name descriptor_key skip_if_absent",
    "QueryParameters": "query_parameter_name descriptor_key skip_if_absent",
    "RemoteAddress": "",
    "MaskedRemoteAddress": "v4_prefix_mask_len v6_prefix_mask_len",
    "GenericKey": "descriptor_key descriptor_value",
    "HeaderValueMatch": f"{_VALUE_FIELDS} headers",
    "QueryParameterValueMatch": f"{_VALUE_FIELDS} query_parameters",
    "DynamicMetaData": "descriptor_key metadata_key default_value",
    "MetaData": "descriptor_key metadata_key default_value source skip_if_absent",
}

ACTED_ON: dict[str, frozenset[str]] = {
    f"{_ROUTE}RouteConfiguration": words(
        "name virtual_hosts ignore_port_in_host_matching max_direct_response_body_size_bytes typed_per_filter_config "
        "most_specific_header_mutations_wins request_mirror_policies"
    )
    | _HEADERS,
    f"{_ROUTE}VirtualHost": words(
        "name domains routes require_tls cors typed_per_filter_config request_mirror_policies retry_policy "
        "include_request_attempt_count include_attempt_count_in_response per_request_buffer_limit_bytes "
        "request_body_buffer_limit rate_limits"
    )
    | _HEADERS,
    f"{_ROUTE}Route": words(
        "name match route redirect direct_response typed_per_filter_config stat_prefix per_request_buffer_limit_bytes "
        "request_body_buffer_limit"
    )
    | _HEADERS,
    f"{_ROUTE}RouteMatch": words(
        "prefix path safe_regex case_sensitive path_separated_prefix path_match_policy headers query_parameters "
        "runtime_fraction grpc"
    ),
    f"{_ROUTE}RouteMatch.GrpcRouteMatchOptions": frozenset(),
    f"{_ROUTE}HeaderMatcher": words(
        "name exact_match prefix_match suffix_match contains_match safe_regex_match range_match present_match "
        "string_match invert_match treat_missing_header_as_empty"
    ),
    f"{_ROUTE}QueryParameterMatcher": words("name string_match present_match"),
    f"{_MATCHER}RegexMatcher": words("regex google_re2"),
    f"{_MATCHER}StringMatcher": words("exact prefix suffix contains safe_regex ignore_case"),
    f"{_MATCHER}RegexMatchAndSubstitute": words("pattern substitution"),
    "envoy.type.v3.Int64Range": words("start end"),
    "envoy.config.core.v3.RuntimeFractionalPercent": words("default_value runtime_key"),
    "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig": words("path_template"),
    f"{_ROUTE}RouteAction": words(
        "cluster cluster_header weighted_clusters cluster_not_found_response_code timeout idle_timeout "
        "max_stream_duration hash_policy prefix_rewrite regex_rewrite host_rewrite_literal host_rewrite_header "
        "host_rewrite_path_regex auto_host_rewrite append_x_forwarded_host cors upgrade_configs "
        "request_mirror_policies priority retry_policy rate_limits include_vh_rate_limits"
    ),
    f"{_ROUTE}RetryPolicy": words(
        "retry_on num_retries per_try_timeout per_try_idle_timeout retry_host_predicate retry_priority "
        "host_selection_retry_max_attempts retriable_status_codes retry_back_off rate_limited_retry_back_off "
        "retriable_headers retriable_request_headers"
    ),
    f"{_ROUTE}RetryPolicy.RetryBackOff": words("base_interval max_interval"),
    f"{_ROUTE}RetryPolicy.RateLimitedRetryBackOff": words("reset_headers max_interval"),
    f"{_ROUTE}RetryPolicy.ResetHeader": words("name format"),
    f"{_ROUTE}RetryPolicy.RetryHostPredicate": words("name typed_config"),
    f"{_HOSTS}previous_hosts.v3.PreviousHostsPredicate": frozenset(),
    f"{_HOSTS}omit_canary_hosts.v3.OmitCanaryHostsPredicate": frozenset(),
    f"{_HOSTS}omit_host_metadata.v3.OmitHostMetadataConfig": words("metadata_match"),
    f"{_ROUTE}RetryPolicy.RetryPriority": words("name typed_config"),
    "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig": words("update_frequency"),
    f"{_ROUTE}RateLimit": words("stage disable_key actions hits_addend apply_on_stream_done"),
    f"{_ROUTE}RateLimit.HitsAddend": words("number format"),
    f"{_ROUTE}RateLimit.Action": words(
        "source_cluster destination_cluster request_headers query_parameters remote_address masked_remote_address "
        "generic_key header_value_match query_parameter_value_match metadata dynamic_metadata extension"
    ),
    **{f"{_ROUTE}RateLimit.Action.{name}": words(fields) for name, fields in _ACTIONS.items()},
    f"{_ROUTE}RouteAction.RequestMirrorPolicy": words(
        "cluster runtime_fraction disable_shadow_host_suffix_append host_rewrite_literal"
    ),
    f"{_ROUTE}RouteAction.MaxStreamDuration": words("max_stream_duration"),
    f"{_ROUTE}RouteAction.HashPolicy": words(
        "header cookie connection_properties query_parameter filter_state terminal"
    ),
    f"{_ROUTE}RouteAction.HashPolicy.Header": words("header_name regex_rewrite"),
    f"{_ROUTE}RouteAction.HashPolicy.Cookie": words("name ttl path attributes"),
    f"{_ROUTE}RouteAction.HashPolicy.CookieAttribute": words("name value"),
    f"{_ROUTE}RouteAction.HashPolicy.ConnectionProperties": words("source_ip"),
    f"{_ROUTE}RouteAction.HashPolicy.QueryParameter": words("name"),
    f"{_ROUTE}RouteAction.HashPolicy.FilterState": words("key"),
    f"{_ROUTE}RouteAction.UpgradeConfig": words("upgrade_type enabled"),
    f"{_ROUTE}WeightedCluster": words("clusters header_name use_hash_policy"),
    f"{_ROUTE}WeightedCluster.ClusterWeight": words("name cluster_header weight host_rewrite_literal") | _HEADERS,
    f"{_ROUTE}RedirectAction": words(
        "https_redirect scheme_redirect host_redirect port_redirect path_redirect prefix_rewrite regex_rewrite "
        "response_code strip_query"
    ),
    f"{_ROUTE}DirectResponseAction": words("status body"),
    f"{_ROUTE}DirectResponseAction.body": words("filename inline_bytes inline_string environment_variable"),
    f"{_ROUTE}CorsPolicy": _CORS,
    "envoy.extensions.filters.http.cors.v3.Cors": frozenset(),
    "envoy.extensions.filters.http.cors.v3.CorsPolicy": _CORS,
    f"{_ROUTE}FilterConfig": words("config disabled is_optional"),
}

NEUTRAL: dict[tuple[str, str], Any] = {
    (f"{_ROUTE}RouteConfiguration", "validate_clusters"): True,
    (f"{_ROUTE}RouteConfiguration", "metadata"): None,
    (f"{_ROUTE}VirtualHost", "metadata"): None,
    (f"{_ROUTE}Route", "metadata"): None,
    (f"{_ROUTE}WeightedCluster", "total_weight"): None,  # Envoy adds the weights up since 1.24
}

NO_EFFECT: dict[str, dict[str, str]] = {
    f"{_ROUTE}RouteConfiguration": {
        "validate_clusters": "every cluster that a route names has to exist",
    },
    f"{_ROUTE}VirtualHost": {
        **because("", "virtual_clusters include_is_timeout_retry_header retry_policy_typed_config"),
        "hedge_policy": _HEDGING,
    },
    f"{_ROUTE}Route": because("", "decorator tracing"),
    f"{_ROUTE}RouteAction": {
        **because("", "early_data_policy max_grpc_timeout grpc_timeout_offset flush_timeout retry_policy_typed_config"),
        "hedge_policy": _HEDGING,
    },
    f"{_ROUTE}RateLimit": because("limits stand with the buckets of the filter", "limit"),
    f"{_ROUTE}RouteAction.MaxStreamDuration": because("", "grpc_timeout_header_max grpc_timeout_header_offset"),
    f"{_ROUTE}WeightedCluster": {"runtime_key_prefix": "the weights are those of the file"},
}
