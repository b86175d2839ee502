"""What limits hold a request to, in words: for people who ask, never for traffic."""

from collections.abc import Iterator, Sequence

from fastproxy.model import (
    UNLIMITED,
    Cluster,
    ConcurrentTunnels,
    HttpConnectionManager,
    LocalRateLimit,
    Rate,
    RoutingPriority,
    Thresholds,
    TokenBucket,
    TrafficLimits,
    TunnelLimits,
)

WHOLE = 10_000  # millionths in a percent
_THRESHOLDS = {
    "max_connections": "connections",
    "max_connections_per_host": "connections of each host",
    "max_pending_requests": "waiting requests",
    "max_requests": "requests",
}
Matched = tuple[tuple[tuple[str, str], ...], TokenBucket, int]
"""A descriptor of the request, the bucket that it has, and how many tokens it takes; below 0: puts back."""


def request_words(limits: TrafficLimits, matched: Sequence[Matched]) -> Iterator[str]:
    """What every request is held to; `matched` are its descriptors that have buckets."""
    if limits.local_rate_limit is not None:
        yield from _rate_words(limits.local_rate_limit, matched)
    if limits.max_url_bytes:
        yield f"max_url_bytes: 414 beyond {limits.max_url_bytes} bytes of path and query"
    if limits.max_request_bytes:
        yield f"buffer: 413 beyond {limits.max_request_bytes} bytes of a body"


def session_words(limits: TrafficLimits) -> Iterator[str]:
    """What a request that would begin a session is held to besides."""
    for name, rate, whose in (
        ("handshake_rate_per_address", limits.handshakes_per_address, "of its address"),
        ("handshake_rate", limits.handshakes, "of all clients"),
    ):
        if rate is not None:
            yield f"{name}: 429 beyond {_speed(rate)} new sessions {whose}"


def tunnel_words(limits: TrafficLimits) -> Iterator[str]:
    """What a WebSocket is held to besides."""
    if limits.concurrent_tunnels is not None:
        yield f"tunnel_limits: 429 beyond {_concurrent(limits.concurrent_tunnels)}"
    if limits.tunnels is not None:
        yield f"tunnel_limits: {_metered(limits.tunnels)}"


def connection_words(manager: HttpConnectionManager) -> Iterator[str]:
    """What the client's connection is held to."""
    if manager.connection_limit is not None:
        yield f"connection_limit: closed beyond {manager.connection_limit.max_connections} of the filter chain"
    if manager.max_connections_per_address:
        yield f"max_connections_per_address: closed beyond {manager.max_connections_per_address}"


def breaker_words(cluster: Cluster, priority: RoutingPriority) -> Iterator[str]:
    """The circuit breakers of the cluster for requests of a priority, where they limit more than retries."""
    is_high = priority is RoutingPriority.HIGH
    thresholds = cluster.circuit_breakers.high if is_high else cluster.circuit_breakers.default
    limits = list(_thresholds(thresholds))
    if limits or is_high:
        which = "high" if is_high else "default"
        yield f"circuit_breakers of {cluster.name}, {which} priority: {', '.join(limits) or 'nothing is limited'}"


def _thresholds(thresholds: Thresholds) -> Iterator[str]:
    for field, words in _THRESHOLDS.items():
        most = getattr(thresholds, field)
        if most != UNLIMITED:
            yield f"{most} {words}"


def _rate_words(limit: LocalRateLimit, matched: Sequence[Matched]) -> Iterator[str]:
    share = "" if limit.enabled == limit.enforced == 100 * WHOLE else _shares(limit)
    whose = "of each connection" if limit.per_connection else "of all workers together"
    answer = f"{limit.status} without a token"
    name = f"local_ratelimit {limit.stat_prefix}"
    for entries, bucket, hits in matched:
        text = ", ".join(f"{key}={value}" for key, value in entries)
        taken = (
            "" if hits == 1 else f", {hits} for this request" if hits >= 0 else f", {-hits} put back by this request"
        )
        yield f"{name}: {answer} for {text}: {_bucket(bucket)}{taken}, {whose}{share}"
    if limit.bucket is not None and (limit.always_takes_default or not matched):
        yield f"{name}: {answer}: {_bucket(limit.bucket)}, {whose}{share}"


def _shares(limit: LocalRateLimit) -> str:
    return f"; for {limit.enabled / WHOLE:g} % of requests, enforced for {limit.enforced / WHOLE:g} % of these"


def _bucket(bucket: TokenBucket) -> str:
    return f"{bucket.max_tokens}, {bucket.tokens_per_fill} more each {bucket.fill_interval_s:g} s"


def _speed(rate: Rate) -> str:
    return f"{rate.per_second:g} a second ({rate.burst} at once)"


def _concurrent(limit: ConcurrentTunnels) -> str:
    key = "address" if limit.key is None else f"{limit.key.source.value} {limit.key.name}"
    return f"{limit.most} at once of one {key}"


def _metered(limits: TunnelLimits) -> str:
    parts = []
    if limits.messages_per_second:
        parts.append(f"{limits.messages_per_second:g} messages a second")
    if limits.bytes_per_second:
        parts.append(f"{limits.bytes_per_second:g} bytes a second")
    if parts:
        parts[-1] += ", else 1008" if limits.closes else ", else it is not read for a while"
    if limits.max_message_bytes:
        parts.append(f"1009 beyond {limits.max_message_bytes} bytes of a message")
    return "; ".join(parts)
