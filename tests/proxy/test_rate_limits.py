"""Envoy's `local_ratelimit` and `buffer`, beside a real Envoy: who is refused, with which head, counted as what."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import processes, proxies
from tests.support.adversary import Node, Peer
from tests.support.proxies import ROUTER, World, Worlds

_HTTP = "type.googleapis.com/envoy.extensions.filters.http."
NAME = "envoy.filters.http.local_ratelimit"
BUFFER = "envoy.filters.http.buffer"
ALL = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
RATES: dict[str, dict[str, Any]] = {
    "tells": {
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
        "response_headers_to_add": [{"header": {"key": "x-local", "value": "%REQ(x-q)%"}}],
    },
    "status": {"status": {"code": 503}},
    "no_failure": {"status": {"code": 200}},
    "not_enforced": {"filter_enforced": None},
    "default": {"filter_enabled": None, "filter_enforced": None},
}


def rate(stat_prefix: str, tokens: int, **fields: Any) -> dict[str, Any]:
    bucket = {"max_tokens": tokens, "fill_interval": "1000s"}
    given = {"stat_prefix": stat_prefix, "token_bucket": bucket, "filter_enabled": ALL, "filter_enforced": ALL}
    whole = {"@type": f"{_HTTP}local_ratelimit.v3.LocalRateLimit", **given, **fields}
    return {key: value for key, value in whole.items() if value is not None}


def answered(name: str, **settings: Any) -> dict[str, Any]:
    """A route that needs no node."""
    answer = {"status": 200, "body": {"inline_string": "hi"}}
    added = [{"header": {"key": "x-route", "value": "r"}}]
    more = {"typed_per_filter_config": settings, "response_headers_to_add": added}
    return {"match": {"prefix": f"/{name}"}, "direct_response": answer, **more}


@pytest.fixture(scope="module")
def world(worlds: Worlds) -> World:
    large = {"@type": f"{_HTTP}buffer.v3.BufferPerRoute", "buffer": {"max_request_bytes": 10}}
    routes = [answered(name, **{NAME: rate(name, 2, **fields)}) for name, fields in RATES.items()]
    return worlds.start(
        nodes=[Node()],
        routes=[{"match": {"prefix": "/large"}, "route": {"cluster": "backend"},
                 "typed_per_filter_config": {BUFFER: large, NAME: rate("large", 100)}}, *routes],
        prefix="/to-node",
        http_filters=[
            {"name": NAME, "typed_config": rate("above", 1)},
            {"name": BUFFER, "typed_config": {"@type": f"{_HTTP}buffer.v3.Buffer", "max_request_bytes": 1000}},
            ROUTER,
        ],
    )  # fmt: skip


@pytest.fixture(scope="module")
def envoy(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """Ports of an Envoy that runs the same file, and of its admin."""
    with proxies.envoy_beside(world.proxy.configuration, tmp_path_factory.mktemp("envoy")) as ports:
        yield ports


def answer(client: Peer, target: str) -> tuple[Any, ...]:
    """Start line, body and the headers that limits and routes add."""
    client << f"GET /{target} HTTP/1.1\r\nhost: a\r\nx-q: 7\r\n\r\n".encode()
    response = client.read_response()
    names = (b"x-ratelimit-limit", b"x-ratelimit-remaining", b"x-ratelimit-reset", b"x-local", b"x-route")
    return response.head.start, response.body, *(response.head.get(name) for name in names)


def counters(stats: str, prefix: str = "") -> list[str]:
    """What has been counted by filters whose stat_prefix begins like this."""
    lines = [line for line in stats.splitlines() if line.startswith(prefix) and "http_local_rate_limit." in line]
    return sorted(line for line in lines if not line.endswith(": 0"))


def counted_by_both(world: World, envoy: tuple[int, int], prefix: str = "") -> list[str]:
    """What fastproxy and the Envoy beside it have counted; it has to be the same."""
    return processes.eventually_equal(
        lambda: counters(world.proxy.admin("/stats")[1], prefix),
        lambda: counters(proxies.ask_admin(envoy[1], "/stats")[1], prefix),
    )


def test_the_same_answers(world: World, envoy: tuple[int, int]) -> None:
    beside = Peer(socket.create_connection(("127.0.0.1", envoy[0]), timeout=5))
    client = world.client()
    answers = {}
    for target in [*RATES, "no-route"] * 3:
        answers[target] = answer(client, target)
        assert answers[target] == answer(beside, target), target
    assert [answers[target][0].split()[1] for target in (*RATES, "no-route")] == [
        b"429", b"503", b"429", b"200", b"200", b"429",
    ]  # fmt: skip
    beside.close()
    assert "tells.http_local_rate_limit.enforced: 1" in counted_by_both(world, envoy)


@pytest.mark.parametrize("framing", [b"content-length: 20\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n14\r\n"])
def test_a_body_that_is_too_large(world: World, envoy: tuple[int, int], framing: bytes) -> None:
    beside = Peer(socket.create_connection(("127.0.0.1", envoy[0]), timeout=5))
    for client in (beside, world.client()):
        client << b"POST /large HTTP/1.1\r\nhost: a\r\n" + framing + b"x" * 20
        response = client.read_response()
        assert (response.head.start, response.body) == (b"HTTP/1.1 413 Payload Too Large", b"Payload Too Large")
        assert response.head.get(b"connection") == b"close"
    beside.close()


def test_workers_share_a_bucket(worlds: Worlds) -> None:
    """And it is not filled by their death."""
    world = worlds.start(nodes=[], routes=[answered("x", **{NAME: rate("x", 5)})], concurrency=2, prefix="/none",
                         http_filters=[{"name": NAME, "typed_config": rate("above", 1)}, ROUTER])  # fmt: skip
    statuses = [answer(world.client(), "x")[0].split()[1] for _ in range(3)]
    world.proxy.replace_workers()
    statuses += [answer(world.client(), "x")[0].split()[1] for _ in range(9)]
    assert statuses == [b"200"] * 5 + [b"429"] * 7
