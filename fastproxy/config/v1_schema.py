"""Which keys a v1 file has, of which kind, and which of them fastproxy acts on.

Source: `source/common/json/config_schemas.cc` of Envoy 1.5.0, whose strictness is kept: an unknown key is a
mistake, but for the few objects that Envoy leaves open.
"""

from fastproxy.config.v1_kinds import (
    Flag,
    Hex,
    Kind,
    ListOf,
    OneOrList,
    Table,
    Text,
    Whole,
    Within,
    ignored,
    refused,
    required,
)

MAX_NAME = 60
DURATION_MS = Whole(maximum=2**31 - 1)
NAME = Text(minimum=1, maximum=MAX_NAME)
URL = Kind()
POSITIVE = Whole(minimum=1)
POSITIVE_MS = Whole(minimum=1, maximum=2**31 - 1)

_TLS = "TLS is not spoken yet; remove it and let another server end TLS"
_FETCHED = "it cannot be fetched yet; write it into this file"
_RATE_LIMITS = "requests are not counted against limits: all would be let in; remove it and limit them elsewhere"
_SINCE_1_6 = "Envoy has it since 1.6, in its v2 API; write the file for v3 to use it"

LOG_FILTER: Table = Table(
    keys={
        "type": required(
            Text(
                choices=(
                    *("status_code", "duration", "not_healthcheck", "traceable_request", "runtime"),
                    *("logical_and", "logical_or"),
                )
            )
        ),
        "op": Text(choices=(">=", "=")),
        "value": Whole(),
        "runtime_key": Text(),
        "key": Text(minimum=1),
        "filters": ListOf(item=Within(lambda: LOG_FILTER), minimum=2),
    }
)

ACCESS_LOG = Table(keys={"path": required(Text(minimum=1)), "format": Text(), "filter": LOG_FILTER})

# Envoy 1.5 has the one object; the list, an extension, holds policies as a v3 file has them.
HASH_POLICY = OneOrList(
    one=Table(keys={"header_name": required(Text(minimum=1))}), several=ListOf(item=Table(), minimum=1)
)

HEADERS_TO_ADD = ListOf(item=Table(keys={"key": required(Text(minimum=1)), "value": required(Text())}))

HEADER = Table(
    keys={
        "name": required(Text(minimum=1)),
        "value": Text(),
        "regex": Flag(),
        "range_match": refused(Table(), _SINCE_1_6),
    }
)

WEIGHTED_CLUSTERS = Table(
    keys={
        "clusters": required(
            ListOf(item=Table(keys={"name": required(Text(minimum=1)), "weight": required(Whole(maximum=100))}))
        ),
        "runtime_key_prefix": Text(),
    }
)

CORS = Table(
    keys={
        "enabled": Flag(),
        "allow_origin": ListOf(item=Text()),
        "allow_methods": Text(),
        "allow_headers": Text(),
        "expose_headers": Text(),
        "max_age": Text(),
        "allow_credentials": Flag(),
    }
)

RETRY_POLICY = Table(
    keys={"retry_on": required(Text(minimum=1)), "num_retries": Whole(), "per_try_timeout_ms": DURATION_MS}
)

VIRTUAL_CLUSTER = Table(
    keys={"pattern": required(Text(minimum=1)), "name": required(Text(minimum=1)), "method": Text(minimum=1)}
)

ROUTE = Table(
    keys={
        "prefix": Text(),
        "path": Text(),
        "regex": Text(),
        "case_sensitive": Flag(),
        "cluster": Text(minimum=1),
        "cluster_header": Text(minimum=1),
        "weighted_clusters": WEIGHTED_CLUSTERS,
        "use_websocket": Flag(),
        "timeout_ms": DURATION_MS,
        "hash_policy": HASH_POLICY,
        "prefix_rewrite": Text(),
        "host_rewrite": Text(),
        "auto_host_rewrite": Flag(),
        "host_redirect": Text(),
        "path_redirect": Text(),
        "runtime": Table(keys={"key": required(Text(minimum=1)), "default": required(Whole(maximum=100))}),
        "retry_policy": RETRY_POLICY,
        "shadow": Table(keys={"cluster": required(Text(minimum=1)), "runtime_key": Text(minimum=1)}),
        "priority": Text(choices=("default", "high")),
        "headers": ListOf(item=HEADER),
        "query_parameters": refused(ListOf(), _SINCE_1_6),
        "rate_limits": refused(ListOf(), _RATE_LIMITS),
        "include_vh_rate_limits": refused(Flag(), _RATE_LIMITS, neutral=False),
        "request_headers_to_add": HEADERS_TO_ADD,
        "opaque_config": Table(),
        "cors": CORS,
        "decorator": Table(keys={"operation": required(Text(minimum=1))}),
    }
)

VIRTUAL_HOST = Table(
    keys={
        "name": required(NAME),
        "domains": required(ListOf(item=Text(), minimum=1)),
        "routes": required(ListOf(item=ROUTE)),
        "require_ssl": Text(choices=("all", "external_only")),
        "virtual_clusters": ListOf(item=VIRTUAL_CLUSTER),
        "rate_limits": refused(ListOf(), _RATE_LIMITS),
        "request_headers_to_add": HEADERS_TO_ADD,
        "cors": CORS,
    }
)

ROUTE_CONFIG = Table(
    keys={
        "virtual_hosts": required(ListOf(item=VIRTUAL_HOST)),
        "validate_clusters": Flag(),
        "internal_only_headers": ListOf(item=Text(minimum=1)),
        "request_headers_to_add": HEADERS_TO_ADD,
        "response_headers_to_add": HEADERS_TO_ADD,
        "response_headers_to_remove": ListOf(item=Text(minimum=1)),
    }
)

BUFFER = Table(keys={"max_request_bytes": required(Whole(minimum=1)), "max_request_time_s": required(Whole(minimum=1))})

HEALTH_CHECK_FILTER = Table(
    keys={
        "pass_through_mode": required(Flag()),
        "endpoint": required(Text(minimum=1)),
        "cache_time_ms": DURATION_MS,
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
        "forward_client_cert": Text(
            choices=("sanitize", "forward_only", "append_forward", "sanitize_set", "always_forward_only")
        ),
        "set_current_client_cert_details": ListOf(item=Text(choices=("Subject", "SAN"))),
        "generate_request_id": Flag(),
    }
)

TCP_ROUTE = Table(
    keys={
        "cluster": required(Text(minimum=1)),
        "destination_ip_list": ListOf(item=Text()),
        "destination_ports": Text(minimum=1),
        "source_ip_list": ListOf(item=Text()),
        "source_ports": Text(minimum=1),
    }
)

TCP_PROXY = Table(
    keys={
        "stat_prefix": required(Text(minimum=1)),
        "route_config": required(Table(keys={"routes": required(ListOf(item=TCP_ROUTE))})),
        "access_log": ListOf(item=ACCESS_LOG),
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
        "use_proxy_proto": Flag(),
        "use_original_dst": Flag(),
        "per_connection_buffer_limit_bytes": POSITIVE,
        "drain_type": Text(choices=("default", "modify_only")),
    }
)

_LIMITS = Table(keys=dict.fromkeys(("max_connections", "max_pending_requests", "max_requests", "max_retries"), Whole()))
_PAYLOADS = ListOf(item=Table(keys={"binary": required(Hex())}))

HEALTH_CHECK = Table(
    keys={
        "type": required(Text(choices=("http", "tcp", "redis", "engine_io"))),
        "timeout_ms": required(POSITIVE_MS),
        "interval_ms": required(POSITIVE_MS),
        "unhealthy_threshold": required(POSITIVE),
        "healthy_threshold": required(POSITIVE),
        "path": Text(minimum=1),
        "send": _PAYLOADS,
        "receive": _PAYLOADS,
        "interval_jitter_ms": POSITIVE_MS,
        "reuse_connection": Flag(),
        "service_name": Text(),
    }
)

_PERCENT = Whole(maximum=100)

OUTLIER_DETECTION = Table(
    keys={
        "consecutive_5xx": POSITIVE,
        "consecutive_gateway_failure": POSITIVE,
        "interval_ms": POSITIVE_MS,
        "base_ejection_time_ms": POSITIVE_MS,
        "max_ejection_percent": _PERCENT,
        "enforcing_consecutive_5xx": _PERCENT,
        "enforcing_consecutive_gateway_failure": _PERCENT,
        "enforcing_success_rate": _PERCENT,
        "success_rate_minimum_hosts": POSITIVE,
        "success_rate_request_volume": POSITIVE,
        "success_rate_stdev_factor": Whole(),
    }
)

CLUSTER = Table(
    keys={
        "name": required(NAME),
        "type": required(Text(choices=("static", "strict_dns", "logical_dns", "sds", "original_dst"))),
        "connect_timeout_ms": required(POSITIVE_MS),
        "lb_type": required(Text(choices=("round_robin", "least_request", "random", "ring_hash", "original_dst_lb"))),
        "hosts": ListOf(item=Table(keys={"url": required(URL)}), minimum=1),
        "ring_hash_lb_config": Table(
            keys={"minimum_ring_size": Whole(maximum=8 * 1024 * 1024), "use_std_hash": Flag()}, is_open=True
        ),
        "per_connection_buffer_limit_bytes": POSITIVE,
        "service_name": ignored(Text(), "hosts are not discovered"),
        "health_check": HEALTH_CHECK,
        "outlier_detection": OUTLIER_DETECTION,
        "max_requests_per_connection": POSITIVE,
        "circuit_breakers": Table(keys={"default": _LIMITS, "high": _LIMITS}),
        "ssl_context": refused(Table(), _TLS),
        "features": refused(Text(), "HTTP/2 is not spoken to hosts yet; remove it", ""),
        "http2_settings": refused(Table(), "HTTP/2 is not spoken to hosts yet; remove it"),
        "cleanup_interval_ms": POSITIVE_MS,
        "dns_refresh_rate_ms": POSITIVE,
        "dns_lookup_family": Text(choices=("v4_only", "v6_only", "auto")),
        "dns_resolvers": ListOf(item=Text(minimum=1)),
    }
)

CLUSTER_MANAGER = Table(
    keys={
        "clusters": required(ListOf(item=CLUSTER)),
        "sds": refused(Table(), _FETCHED),
        "cds": refused(Table(), _FETCHED),
        "local_cluster_name": ignored(Text(), "no balancer looks at zones"),
        "outlier_detection": Table(keys={"event_log_path": Text()}),
    }
)

ADMIN = Table(
    keys={
        "access_log_path": required(Text(minimum=1)),
        "address": required(URL),
        "profile_path": ignored(Text(), "there is no profiler"),
    }
)

_SINKS = "statistics are not sent anywhere; ask the admin for them"
_WATCHDOGS = [f"watchdog_{kind}_timeout_ms" for kind in ("miss", "megamiss", "kill", "multikill")]

TOP = Table(
    keys={
        "listeners": required(ListOf(item=LISTENER)),
        "admin": required(ADMIN),
        "cluster_manager": required(CLUSTER_MANAGER),
        "lds": refused(Table(), _FETCHED),
        "flags_path": ignored(Text(), "there are no flags to read"),
        "statsd_udp_ip_address": ignored(Text(), _SINKS),
        "statsd_tcp_cluster_name": ignored(Text(), _SINKS),
        "stats_flush_interval_ms": ignored(DURATION_MS, _SINKS),
        **dict.fromkeys(_WATCHDOGS, ignored(DURATION_MS, "a worker that dies is replaced; none is watched")),
        "tracing": ignored(Table(), "no spans are made"),
        "rate_limit_service": ignored(Table(), "requests are not counted against limits"),
        "runtime": ignored(Table(), "no runtime is read: what this file says as a default counts"),
    }
)
