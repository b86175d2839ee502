"""What limits say in words: each once, and only what there is."""

from dataclasses import replace

import pytest

from fastproxy.limit_words import breaker_words, connection_words, request_words, session_words, tunnel_words
from fastproxy.model import (
    NO_LIMITS,
    CircuitBreakers,
    Cluster,
    ConcurrentTunnels,
    ConnectionLimit,
    HttpConnectionManager,
    LocalRateLimit,
    Rate,
    RouteConfiguration,
    RoutingPriority,
    Thresholds,
    TokenBucket,
    TrafficLimits,
    TunnelLimits,
)
from fastproxy.model_affinity import IdPlace, IdSource

RATE = LocalRateLimit("api", "here", TokenBucket(10, 5, 2.0), enabled=1_000_000, enforced=1_000_000)
MATCHED = ((("key", "a"), ("tier", "b")), TokenBucket(3, 1, 0.5), 2)


def test_nothing_is_said_of_nothing():
    manager = HttpConnectionManager("h", RouteConfiguration(()))
    for words in (request_words(NO_LIMITS, ()), session_words(NO_LIMITS), tunnel_words(NO_LIMITS)):
        assert list(words) == []
    assert list(connection_words(manager)) == list(breaker_words(Cluster("c"), RoutingPriority.DEFAULT)) == []


@pytest.mark.parametrize(
    ("limit", "matched", "expected"),
    [
        (RATE, (), ["429 without a token: 10, 5 more each 2 s, of all workers together"]),
        (
            replace(RATE, per_connection=True, enforced=500_000, status=503),
            (),
            ["503 without a token: 10, 5 more each 2 s, of each connection"
             "; for 100 % of requests, enforced for 50 % of these"],
        ),
        (
            RATE,
            (MATCHED,),
            [
                "429 without a token for key=a, tier=b: 3, 1 more each 0.5 s, 2 for this request, of all workers "
                "together",
                "429 without a token: 10, 5 more each 2 s, of all workers together",
            ],
        ),
        (
            replace(RATE, always_takes_default=False),
            (MATCHED,),
            [
                "429 without a token for key=a, tier=b: 3, 1 more each 0.5 s, 2 for this request, of all workers "
                "together"
            ],
        ),
        (
            replace(RATE, always_takes_default=False),
            ((*MATCHED[:2], -2),),
            [
                "429 without a token for key=a, tier=b: 3, 1 more each 0.5 s, 2 put back by this request, of all "
                "workers together"
            ],
        ),
        (replace(RATE, bucket=None), (), []),
    ],
    ids=["plain", "shares", "descriptor", "instead", "put-back", "no-bucket"],
)  # fmt: skip
def test_rates(limit, matched, expected):
    found = list(request_words(TrafficLimits(limit), matched))
    assert found == [f"local_ratelimit api: {words}" for words in expected]


def test_sizes():
    assert list(request_words(TrafficLimits(max_url_bytes=99, max_request_bytes=1000), ())) == [
        "max_url_bytes: 414 beyond 99 bytes of path and query",
        "buffer: 413 beyond 1000 bytes of a body",
    ]


def test_sessions():
    limits = TrafficLimits(handshakes=Rate("x", 50.0, 100), handshakes_per_address=Rate("y", 0.5, 1))
    assert list(session_words(limits)) == [
        "handshake_rate_per_address: 429 beyond 0.5 a second (1 at once) new sessions of its address",
        "handshake_rate: 429 beyond 50 a second (100 at once) new sessions of all clients",
    ]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (TrafficLimits(concurrent_tunnels=ConcurrentTunnels("x", 4)), "429 beyond 4 at once of one address"),
        (
            TrafficLimits(concurrent_tunnels=ConcurrentTunnels("x", 4, IdPlace(IdSource.HEADER, "x-user"))),
            "429 beyond 4 at once of one header x-user",
        ),
        (TrafficLimits(tunnels=TunnelLimits(20, 20)), "20 messages a second, else it is not read for a while"),
        (
            TrafficLimits(tunnels=TunnelLimits(20, 20, 1e6, 1000, 5000, closes=True)),
            "20 messages a second; 1e+06 bytes a second, else 1008; 1009 beyond 5000 bytes of a message",
        ),
    ],
)
def test_tunnels(limits, expected):
    assert list(tunnel_words(limits)) == [f"tunnel_limits: {expected}"]


def test_connections():
    manager = HttpConnectionManager(
        "h", RouteConfiguration(()), connection_limit=ConnectionLimit("l", 7), max_connections_per_address=3
    )
    assert list(connection_words(manager)) == [
        "connection_limit: closed beyond 7 of the filter chain",
        "max_connections_per_address: closed beyond 3",
    ]


def test_circuit_breakers():
    cluster = Cluster("c", circuit_breakers=CircuitBreakers(default=Thresholds(max_connections=9, max_requests=8)))
    assert list(breaker_words(cluster, RoutingPriority.DEFAULT)) == [
        "circuit_breakers of c, default priority: 9 connections, 8 requests"
    ]
    assert list(breaker_words(cluster, RoutingPriority.HIGH)) == [
        "circuit_breakers of c, high priority: nothing is limited"
    ]
