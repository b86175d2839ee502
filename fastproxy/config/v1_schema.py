"""Which keys a v1 file has, of which kind, and which of them fastproxy acts on.

Source: `source/common/json/config_schemas.cc` of Envoy 1.5.0, whose strictness is kept: an unknown key is a
mistake, but for the few objects that Envoy leaves open.
"""

from fastproxy.config.v1_kinds import Flag, Kind, ListOf, Table, Text, Whole, ignored, refused, required

MAX_NAME = 60
DURATION_MS = Whole(maximum=2**31 - 1)
NAME = Text(minimum=1, maximum=MAX_NAME)
URL = Kind()
POSITIVE = Whole(minimum=1)

_TLS = "TLS is not spoken yet; remove it and let another server end TLS"
_HEADERS = "headers cannot be added or removed yet; remove it"

ACCESS_LOG = Table(
    keys={
        "path": required(Text(minimum=1)),
        "format": Text(),
        "filter": refused(Table(), "access logs cannot be filtered yet; remove the filter"),
    }
)

HASH_POLICY = Table(keys={"header_name": required(Text(minimum=1))})

ROUTE = Table(
    keys={
        "prefix": Text(),
        "path": Text(),
        "regex": Text(),
        "case_sensitive": Flag(),
        "cluster": Text(minimum=1),
        "use_websocket": Flag(),
        "timeout_ms": DURATION_MS,
        "hash_policy": HASH_POLICY,
        "prefix_rewrite": Text(),
        "host_rewrite": Text(),
        "auto_host_rewrite": refused(Flag(), neutral=False),
        "cluster_header": refused(Text()),
        "weighted_clusters": refused(Table()),
        "host_redirect": refused(Text(), "redirects are not supported yet; remove the route"),
        "path_redirect": refused(Text(), "redirects are not supported yet; remove the route"),
        "runtime": refused(Table()),
        "retry_policy": ignored(Table(), "no answer is retried; connects that fail go on to the next host"),
        "shadow": ignored(Table(), "no request is mirrored"),
        "priority": ignored(Text(choices=("default", "high")), "all requests have the default priority", "default"),
        "headers": refused(ListOf()),
        "rate_limits": refused(ListOf()),
        "include_vh_rate_limits": refused(Flag(), neutral=False),
        "request_headers_to_add": refused(ListOf(), _HEADERS),
        "opaque_config": ignored(Table()),
        "cors": refused(Table()),
        "decorator": ignored(Table()),
    }
)

VIRTUAL_HOST = Table(
    keys={
        "name": required(NAME),
        "domains": required(ListOf(item=Text(), minimum=1)),
        "routes": required(ListOf(item=ROUTE)),
        "require_ssl": refused(Text(choices=("all", "external_only")), _TLS),
        "virtual_clusters": ignored(ListOf()),
        "rate_limits": refused(ListOf()),
        "request_headers_to_add": refused(ListOf(), _HEADERS),
        "cors": refused(Table()),
    }
)

ROUTE_CONFIG = Table(
    keys={
        "virtual_hosts": required(ListOf(item=VIRTUAL_HOST)),
        "validate_clusters": ignored(Flag(), "every cluster that a route names has to exist", True),
        "internal_only_headers": refused(ListOf()),
        "request_headers_to_add": refused(ListOf(), _HEADERS),
        "response_headers_to_add": refused(ListOf(), _HEADERS),
        "response_headers_to_remove": refused(ListOf(), _HEADERS),
    }
)

HTTP_FILTER = Table(keys={"name": required(Text(minimum=1)), "type": Text(), "config": Table()}, is_open=True)

ROUTER = Table(
    keys={
        "dynamic_stats": ignored(Flag(), neutral=True),
        "start_child_span": ignored(Flag(), neutral=False),
    }
)

MANAGER = Table(
    keys={
        "codec_type": required(Text(choices=("http1", "http2", "auto"))),
        "stat_prefix": required(Text(minimum=1)),
        "filters": required(ListOf(item=HTTP_FILTER, minimum=1)),
        "route_config": ROUTE_CONFIG,
        "rds": refused(Table(), "routes cannot be fetched yet; write a route_config"),
        "add_user_agent": Flag(),
        "tracing": ignored(Table(), "no spans are made"),
        "http1_settings": Table(keys={"allow_absolute_url": Flag()}, is_open=True),
        "http2_settings": ignored(Table()),
        "server_name": Text(),
        "idle_timeout_s": DURATION_MS,
        "drain_timeout_ms": DURATION_MS,
        "access_log": ListOf(item=ACCESS_LOG),
        "use_remote_address": Flag(),
        "forward_client_cert": refused(
            Text(choices=("sanitize", "forward_only", "append_forward", "sanitize_set", "always_forward_only")),
            neutral="sanitize",
        ),
        "set_current_client_cert_details": ignored(ListOf(), "TLS is not spoken yet"),
        "generate_request_id": Flag(),
    }
)

NETWORK_FILTER = Table(keys={"name": required(Text(minimum=1)), "type": Text(), "config": required(Table())})

LISTENER = Table(
    keys={
        "address": required(URL),
        "filters": required(ListOf(item=NETWORK_FILTER)),
        "name": NAME,
        "ssl_context": refused(Table(), _TLS),
        "bind_to_port": Flag(),
        "use_proxy_proto": refused(Flag(), neutral=False),
        "use_original_dst": refused(Flag(), neutral=False),
        "per_connection_buffer_limit_bytes": POSITIVE,
        "drain_type": ignored(Text(choices=("default", "modify_only")), neutral="default"),
    }
)

_LIMITS = Table(keys=dict.fromkeys(("max_connections", "max_pending_requests", "max_requests", "max_retries"), Whole()))
_HIGH = ignored(_LIMITS, "all requests have the default priority")
_HEALTH = "a host is passed over only when a connect to it fails"

CLUSTER = Table(
    keys={
        "name": required(NAME),
        "type": required(Text(choices=("static", "strict_dns", "logical_dns", "sds", "original_dst"))),
        "connect_timeout_ms": required(Whole(minimum=1, maximum=2**31 - 1)),
        "lb_type": required(Text(choices=("round_robin", "least_request", "random", "ring_hash", "original_dst_lb"))),
        "hosts": ListOf(item=Table(keys={"url": required(URL)}), minimum=1),
        "ring_hash_lb_config": Table(
            keys={"minimum_ring_size": Whole(maximum=8 * 1024 * 1024), "use_std_hash": Flag()}, is_open=True
        ),
        "per_connection_buffer_limit_bytes": POSITIVE,
        "service_name": ignored(Text()),
        "health_check": ignored(Table(), _HEALTH),
        "outlier_detection": ignored(Table(), _HEALTH),
        "max_requests_per_connection": POSITIVE,
        "circuit_breakers": Table(keys={"default": _LIMITS, "high": _HIGH}),
        "ssl_context": refused(Table(), _TLS),
        "features": refused(Text(), "HTTP/2 is not spoken to hosts yet; remove it", ""),
        "http2_settings": refused(Table(), "HTTP/2 is not spoken to hosts yet; remove it"),
        "cleanup_interval_ms": ignored(POSITIVE),
        "dns_refresh_rate_ms": POSITIVE,
        "dns_lookup_family": Text(choices=("v4_only", "v6_only", "auto")),
        "dns_resolvers": refused(ListOf(), "only the resolvers of the system are asked yet; remove it"),
    }
)

_DISCOVERY = "it cannot be fetched yet; write it into this file"

CLUSTER_MANAGER = Table(
    keys={
        "clusters": required(ListOf(item=CLUSTER)),
        "sds": refused(Table(), _DISCOVERY),
        "cds": refused(Table(), _DISCOVERY),
        "local_cluster_name": ignored(Text()),
        "outlier_detection": ignored(Table()),
    }
)

ADMIN = Table(
    keys={
        "access_log_path": required(Text(minimum=1)),
        "address": required(URL),
        "profile_path": ignored(Text()),
    }
)

TOP = Table(
    keys={
        "listeners": required(ListOf(item=LISTENER)),
        "admin": required(ADMIN),
        "cluster_manager": required(CLUSTER_MANAGER),
        "lds": refused(Table(), _DISCOVERY),
        "flags_path": ignored(Text()),
        "statsd_udp_ip_address": ignored(Text()),
        "statsd_tcp_cluster_name": ignored(Text()),
        "stats_flush_interval_ms": ignored(DURATION_MS),
        "watchdog_miss_timeout_ms": ignored(DURATION_MS),
        "watchdog_megamiss_timeout_ms": ignored(DURATION_MS),
        "watchdog_kill_timeout_ms": ignored(DURATION_MS),
        "watchdog_multikill_timeout_ms": ignored(DURATION_MS),
        "tracing": ignored(Table(), "no spans are made"),
        "rate_limit_service": ignored(Table()),
        "runtime": ignored(Table()),
    }
)
