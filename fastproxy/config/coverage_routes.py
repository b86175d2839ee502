"""The rows of `coverage_tables` for route configurations and what they are made of."""

from typing import Any

from fastproxy.config.tree import because, words

_ROUTE = "envoy.config.route.v3."
_RETRIES = "no answer is retried; connects that fail go on to the next host"
_MIRRORS = "no request is mirrored"

ACTED_ON: dict[str, frozenset[str]] = {
    f"{_ROUTE}RouteConfiguration": words("virtual_hosts"),
    f"{_ROUTE}VirtualHost": words("name domains routes"),
    f"{_ROUTE}Route": words("name match route"),
    f"{_ROUTE}RouteMatch": words("prefix path safe_regex case_sensitive"),
    "envoy.type.matcher.v3.RegexMatcher": words("regex google_re2"),
    f"{_ROUTE}RouteAction": words("cluster timeout hash_policy prefix_rewrite host_rewrite_literal upgrade_configs"),
    f"{_ROUTE}RouteAction.HashPolicy": words(
        "header cookie connection_properties query_parameter filter_state terminal"
    ),
    f"{_ROUTE}RouteAction.HashPolicy.Header": words("header_name regex_rewrite"),
    f"{_ROUTE}RouteAction.HashPolicy.Cookie": words("name ttl path attributes"),
    f"{_ROUTE}RouteAction.HashPolicy.CookieAttribute": words("name value"),
    f"{_ROUTE}RouteAction.HashPolicy.ConnectionProperties": words("source_ip"),
    f"{_ROUTE}RouteAction.HashPolicy.QueryParameter": words("name"),
    f"{_ROUTE}RouteAction.HashPolicy.FilterState": words("key"),
    "envoy.type.matcher.v3.RegexMatchAndSubstitute": words("pattern substitution"),
    f"{_ROUTE}RouteAction.UpgradeConfig": words("upgrade_type enabled"),
}

NEUTRAL: dict[tuple[str, str], Any] = {
    (f"{_ROUTE}RouteConfiguration", "validate_clusters"): True,
    (f"{_ROUTE}RouteConfiguration", "metadata"): None,
    (f"{_ROUTE}RouteConfiguration", "name"): None,
    (f"{_ROUTE}VirtualHost", "metadata"): None,
    (f"{_ROUTE}Route", "metadata"): None,
    (f"{_ROUTE}RouteAction", "auto_host_rewrite"): False,
    (f"{_ROUTE}RouteAction", "include_vh_rate_limits"): False,
}

NO_EFFECT: dict[str, dict[str, str]] = {
    f"{_ROUTE}RouteConfiguration": {
        **because("", "most_specific_header_mutations_wins max_direct_response_body_size_bytes"),
        "validate_clusters": "every cluster that a route names has to exist",
        "request_mirror_policies": _MIRRORS,
    },
    f"{_ROUTE}VirtualHost": {
        **because(
            "",
            "virtual_clusters include_request_attempt_count include_attempt_count_in_response "
            "include_is_timeout_retry_header per_request_buffer_limit_bytes request_body_buffer_limit",
        ),
        **because(_RETRIES, "retry_policy retry_policy_typed_config hedge_policy"),
        "request_mirror_policies": _MIRRORS,
    },
    f"{_ROUTE}Route": because(
        "", "decorator tracing per_request_buffer_limit_bytes stat_prefix request_body_buffer_limit"
    ),
    f"{_ROUTE}RouteAction": {
        **because(
            "",
            "cluster_not_found_response_code append_x_forwarded_host early_data_policy max_grpc_timeout "
            "grpc_timeout_offset flush_timeout",
        ),
        **because(_RETRIES, "retry_policy retry_policy_typed_config hedge_policy"),
        "idle_timeout": "the stream_idle_timeout of the connection manager counts",
        "max_stream_duration": "",
        "priority": "all requests have the default priority",
        "request_mirror_policies": _MIRRORS,
    },
}
