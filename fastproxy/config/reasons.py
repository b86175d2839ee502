"""Why what Envoy has, and fastproxy knows of, is not supported, and what to write instead.

`filter_reason` is for filters by their type, `FIELDS` for fields that are refused, `MOVED` for keys of Envoy's v2 API
that v3 has no more.
"""

from fastproxy.config.tree import words

_GUARDED = "nobody would be kept out; remove it, and check requests in front of this proxy or in the nodes"
_LIMITED = "nothing would be limited; remove it, and limit requests in front of this proxy or in the nodes"
_CODE = "code that a file brings along is not run; remove it"
_BODIES = "bodies are relayed as they come; remove it"
_GRPC = "there is no HTTP/2, which gRPC needs; remove it"
_TLS_IN = "TLS is not spoken yet; remove it and let another server end TLS"
_TLS_OUT = "TLS is not spoken to hosts yet, and without it requests would go there readable for everybody"
_CONTROL_PLANE = "nothing is fetched from a control plane; write it under static_resources"
_NO_UDP = "only TCP is listened on; remove it"

GUARDS = words("api_key_auth basic_auth csrf ext_authz jwt_authn oauth2 rbac gcp_authn aws_request_signing")
"""HTTP and network filters that decide who is let in: being optional does not make them harmless."""

_HTTP_FILTERS = {
    **dict.fromkeys(GUARDS, _GUARDED),
    **dict.fromkeys(("ratelimit", "rate_limit_quota", "bandwidth_limit", "admission_control"), _LIMITED),
    "adaptive_concurrency": _LIMITED,
    **dict.fromkeys(("lua", "wasm", "dynamic_modules", "ext_proc"), _CODE),
    "file_system_buffer": "requests are not held back; remove it",
    **dict.fromkeys(("compressor", "decompressor", "gzip", "transform"), _BODIES),
    **dict.fromkeys(("grpc_web", "grpc_stats", "grpc_http1_bridge", "grpc_json_transcoder"), _GRPC),
    **dict.fromkeys(("cache", "cache_v2"), "nothing is cached; remove it"),
    "stateful_session": "sessions stay at their nodes without it; use learn of the fastproxy filter, or a hash_policy",
    "fault": "no faults are injected; remove it",
    "health_check": "requests for a health check go to a node like all others; remove it and ask the admin's /ready",
    "dynamic_forward_proxy": "requests go to the hosts of a cluster only; write a cluster",
    "tap": "traffic is not copied; remove it",
}
_NETWORK_FILTERS = {
    **dict.fromkeys(("ext_authz", "rbac"), _GUARDED),
    **dict.fromkeys(("local_ratelimit", "ratelimit"), _LIMITED),
    **dict.fromkeys(("wasm", "ext_proc"), _CODE),
}
_KINDS = {
    "envoy.extensions.filters.http.": _HTTP_FILTERS,
    "envoy.extensions.filters.network.": _NETWORK_FILTERS,
}

_LISTENER = "envoy.config.listener.v3."
_CLUSTER = "envoy.config.cluster.v3.Cluster"
_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTE = "envoy.config.route.v3."
_LOCAL_RATE_LIMIT = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"

FIELDS: dict[tuple[str, str], str] = {
    (_LOCAL_RATE_LIMIT, "local_cluster_rate_limit"): "a bucket serves this proxy alone; remove it",
    ("envoy.config.bootstrap.v3.Bootstrap", "dynamic_resources"): _CONTROL_PLANE,
    (f"{_LISTENER}FilterChain", "transport_socket"): _TLS_IN,
    (f"{_LISTENER}Listener", "udp_listener_config"): _NO_UDP,
    (f"{_LISTENER}Listener", "internal_listener"): "listeners are reached over the network only; remove it",
    (_MANAGER, "rds"): "routes are not fetched; write a route_config",
    (_MANAGER, "scoped_routes"): "routes are not fetched; write a route_config",
    (_CLUSTER, "transport_socket"): f"{_TLS_OUT}; remove it",
    (_CLUSTER, "transport_socket_matches"): f"{_TLS_OUT}; remove it",
    (_CLUSTER, "eds_cluster_config"): _CONTROL_PLANE,
    (_CLUSTER, "cluster_type"): "clusters are STATIC, STRICT_DNS or LOGICAL_DNS; write type",
    (_CLUSTER, "http2_protocol_options"): "HTTP/2 is not spoken to hosts; remove it",
    (_CLUSTER, "upstream_bind_config"): "the kernel chooses the address to connect from; remove it",
    (_CLUSTER, "filters"): "there are no filters on connections to hosts; remove it",
    (f"{_ROUTE}WeightedCluster.ClusterWeight", "typed_per_filter_config"): "what filters do is the same for all "
    "clusters of a route; write it to the route",
    (f"{_ROUTE}RouteAction", "metadata_match"): "subsets of hosts are not chosen; route to a cluster of their own",
    (f"{_ROUTE}RetryPolicy", "retry_options_predicates"): "there is no such extension, in Envoy neither; remove it",
    (f"{_ROUTE}RouteAction", "internal_redirect_policy"): "redirects of a node go to the client; remove it",
}

_TYPED = 'is the form of Envoy\'s v2 API; write "typed_config" with the "@type" of what it configures'
_TLS_V2 = 'is the form of Envoy\'s v2 API, where v3 has "transport_socket"; ' + _TLS_IN.partition("; ")[2]

MOVED: dict[tuple[str, str], str] = {
    **{(name, "config"): _TYPED for name in ("Filter", "HttpFilter", "AccessLog", "ListenerFilter", "TransportSocket")},
    ("Cluster", "hosts"): 'is the form of Envoy\'s v2 API; write "load_assignment"',
    ("Cluster", "tls_context"): _TLS_V2,
    ("FilterChain", "tls_context"): _TLS_V2,
    ("RouteMatch", "regex"): 'is the form of Envoy\'s v2 API; write "safe_regex": {"regex": ...}',
    ("HeaderMatcher", "regex_match"): 'is the form of Envoy\'s v2 API; write "string_match" with "safe_regex"',
    ("HttpConnectionManager", "idle_timeout"): 'stands in "common_http_protocol_options" since v3',
    ("VirtualHost", "cors"): 'is the form of Envoy\'s v2 API; write "typed_per_filter_config"',
    ("VirtualHost", "per_filter_config"): 'is the form of Envoy\'s v2 API; write "typed_per_filter_config"',
    ("Route", "per_filter_config"): 'is the form of Envoy\'s v2 API; write "typed_per_filter_config"',
    ("RouteAction", "use_websocket"): 'is the form of Envoy\'s v1 and v2 API; write "upgrade_configs"',
    ("RouteAction", "request_mirror_policy"): 'is the form of Envoy\'s v2 API; write "request_mirror_policies", a list',
    ("Bootstrap", "runtime"): 'is the form of Envoy\'s v2 API; write "layered_runtime"',
    ("Bootstrap", "rate_limit_service"): "is the form of Envoy's v1 and v2 API; remove it",
}


def filter_reason(type_name: str) -> str:
    """What to say behind "is not supported" of a filter, with what to do; "" of one that is not known."""
    for prefix, reasons in _KINDS.items():
        if type_name.startswith(prefix):
            return reasons.get(type_name.removeprefix(prefix).partition(".")[0], "")
    return ""


def is_guard(type_name: str) -> bool:
    """Whether the filter decides who is let in."""
    return any(
        type_name.startswith(prefix) and type_name.removeprefix(prefix).partition(".")[0] in GUARDS for prefix in _KINDS
    )
