"""Rate limits by descriptor and by connection, beside a real Envoy: the same answers, the same counters."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.proxy.test_rate_limits import NAME, counted_by_both, rate
from tests.support import proxies
from tests.support.adversary import Node, Peer, answering
from tests.support.proxies import ROUTER, Json, World, Worlds

TOLD = {"enable_x_ratelimit_headers": "DRAFT_VERSION_03"}
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def of(tokens: int, *entries: tuple[str, str], interval: str = "1000s", **fields: Any) -> Json:
    """The bucket of a descriptor."""
    bucket = {"max_tokens": tokens, "fill_interval": interval}
    pairs = [{"key": key, "value": value} if value else {"key": key} for key, value in entries]
    return {"entries": pairs, "token_bucket": bucket, **fields}


def by(*actions: Json, **fields: Any) -> Json:
    return {"actions": list(actions), **fields}


def header(name: str, key: str = "k", **fields: Any) -> Json:
    return {"request_headers": {"header_name": name, "descriptor_key": key, **fields}}


def query(name: str, **fields: Any) -> Json:
    return {"query_parameters": {"query_parameter_name": name, "descriptor_key": "k", **fields}}


def generic(value: str) -> Json:
    return {"generic_key": {"descriptor_value": value}}


def address_match(prefix: str, length: int | None = None, inverted: bool = False, **fields: Any) -> Json:
    ranges = [{"address_prefix": prefix} | ({} if length is None else {"prefix_len": length})]
    matcher = {"ranges": ranges, "invert_match": inverted}
    return {"remote_address_match": {"descriptor_value": "v", "address_matcher": matcher, **fields}}


def when(value: str) -> Json:
    """The descriptor of `generic("g")`, of requests with that value of a header."""
    headers = [{"name": "x-k", "string_match": {"exact": value}}]
    return {"header_value_match": {"descriptor_key": "generic_key", "descriptor_value": "g", "headers": headers}}


FULL = {"token_bucket": {"max_tokens": 1000, "fill_interval": "1000s"}}
TAKES = by(when("a"), hits_addend={"number": 4})
BACK = by(when("b"), hits_addend={"number": 3, "is_negative_hits": True})
EXACT = {"string_match": {"exact": "1 2"}}
MATCH = {"header_value_match": {"descriptor_value": "v", "headers": [{"name": "x-k", **EXACT}], "expect_match": False}}
PARAMETER = {"query_parameter_value_match": {"descriptor_value": "v", "query_parameters": [{"name": "q", **EXACT}]}}
TIER = {"descriptor_key": "t", "metadata_key": {"key": "ours", "path": [{"key": "tier"}]}, "source": "ROUTE_ENTRY"}
CLUSTERS = [("destination_cluster", "backend"), ("source_cluster", "")]
G, H = ("generic_key", "g"), ("generic_key", "h")
HOST_RULE = by(generic("h"))

CASES: dict[str, tuple[list[Json], list[Json], Json]] = {
    "value": ([of(2, ("k", "a")), of(1, ("k", ""))], [by(header("x-k"))], {}),
    "pairs": (
        [of(1, ("k", ""), ("l", "1")), of(2, ("k", "a"), ("l", ""))],
        [by(header("x-k"), header("x-l", "l"))],
        {},
    ),
    "skip": ([of(1, G), of(2, ("k", "a"), G)], [by(header("x-k", skip_if_absent=True), generic("g"))], {}),
    "query": ([of(1, ("k", "1 2")), of(2, ("k", ""))], [by(query("q"))], {}),
    "address": ([of(1, ("remote_address", "127.0.0.1"))], [by({"remote_address": {}})], {}),
    "network": (
        [of(2, ("masked_remote_address", "127.0.0.0/8"))],
        [by({"masked_remote_address": {"v4_prefix_mask_len": 8}})],
        {},
    ),
    "match": ([of(1, ("header_match", "v")), of(2, ("query_match", "v"))], [by(MATCH), by(PARAMETER)], {}),
    "clusters": ([of(2, *CLUSTERS)], [by({"destination_cluster": {}}, {"source_cluster": {}})], {}),
    "metadata": ([of(1, ("t", "gold"))], [by({"metadata": TIER})], {}),
    "stage": ([of(1, G), of(2, H)], [by(generic("g"), stage=3), by(generic("h"))], {"stage": 3}),
    "disabled": ([of(1, G)], [by(generic("g"), disable_key="k")], {}),
    "override": ([of(1, H)], [], {}),
    "include": ([of(1, H), of(2, G)], [by(generic("g"))], {"vh_rate_limits": "INCLUDE"}),
    "ignore": ([of(1, H)], [], {"vh_rate_limits": "IGNORE"}),
    "slowest": ([of(3, G, interval="10s"), of(2, H)], [by(generic("g")), by(generic("h"))], {}),
    "twice": ([of(3, G)], [by(generic("g")), by(generic("g"))], {}),
    "instead": ([of(1, ("k", "a"))], [by(header("x-k"))], {"always_consume_default_token_bucket": False}),
    "own": ([of(1, G), of(2, H)], [by(generic("g"))], {"rate_limits": [by(generic("h"))]}),
    "hits": ([of(5, G)], [], {"rate_limits": [by(generic("g"), hits_addend={"number": 2})]}),
    "cost": ([of(9, G)], [], {**FULL, "rate_limits": [by(generic("g"), hits_addend={"format": "%REQ(x-l)%"})]}),
    "back": ([of(9, G)], [], {**FULL, "rate_limits": [TAKES, BACK]}),
    "back-by-value": ([of(9, ("generic_key", ""))], [], {**FULL, "rate_limits": [TAKES, BACK]}),
    "near": ([of(1, ("remote_address_match", "v"))], [by(address_match("127.0.0.0", 8))], {}),
    "far": ([of(1, ("remote_address_match", "v"))], [by(address_match("10.0.0.0", 8)), by(generic("g"))], {}),
    "any": ([of(1, ("remote_address_match", "v"))], [by(address_match("10.0.0.0"))], {}),
    "not-far": (
        [of(1, ("n", ""))],
        [by(address_match("10.0.0.0", 8, True, descriptor_value="%REQ(x-k)%", descriptor_key="n"))],
        {},
    ),
    "far-each": (
        [of(1, ("remote_address_match", "")), of(2, ("remote_address_match", "d"))],
        [by(address_match("10.0.0.0", 8, descriptor_value="%REQ(x-k)%", default_value="d"))],
        {},
    ),
    "each-address": (
        [of(2, ("remote_address_match", ""))],
        [by(address_match("0.0.0.0", 0, descriptor_value="a %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"))],
        {},
    ),
    "literal": ([of(1, ("generic_key", "%REQ(x-k)%"))], [by(generic("%REQ(x-k)%"))], {}),
    "shadow": ([of(1, G, shadow_mode=True)], [by(generic("g"))], {}),
    "quiet": ([of(5, G)], [], {"rate_limits": [by(generic("g"), x_ratelimit_option="OFF")]}),
    "connection": ([of(1, ("k", ""))], [by(header("x-k"))], {"local_rate_limit_per_downstream_connection": True}),
}
HEADERS = (
    "x-k: a",
    "x-k: a",
    "x-k: a",
    "x-k: b",
    "x-k: b\r\nx-l: 1",
    "x-k: b\r\nx-l: 1",
    "x-k: a\r\nx-l: 2",
    "x-l: 1",
    "x-k: 1 2",
    "x-l: 0",
    "x-l: 9",
    "x-forwarded-for: 10.1.2.3",
    "x-forwarded-for: 10.1.2.3\r\nx-k: c",
)
QUERIES = ("?q=1%202", "?%71=1%202", "?q=1+2", "?q=", "?q", "?p")
NAMES = (b"x-ratelimit-limit", b"x-ratelimit-remaining", b"x-ratelimit-reset")


def limited(name: str) -> Json:
    """A route of a case: 6 requests pass its default bucket."""
    descriptors, rules, fields = CASES[name]
    own = {"typed_per_filter_config": {NAME: rate(name, 6, descriptors=descriptors, **TOLD, **fields)}}
    metadata = {"filter_metadata": {"ours": {"tier": "gold"}}}
    return {**proxies.route(f"/{name}/", "backend", rate_limits=rules), **own, "metadata": metadata}


@pytest.fixture(scope="module")
def world(worlds: Worlds) -> World:
    node = Node(answering(lambda node, request: OK))
    filters = [{"name": NAME, "typed_config": rate("above", 1000)}, ROUTER]
    manager = proxies.connection_manager([limited(name) for name in CASES], http_filters=filters)
    manager["route_config"]["virtual_hosts"][0]["rate_limits"] = [HOST_RULE]
    return worlds.run(manager, [proxies.cluster("backend", [node.port])], [node])


@pytest.fixture(scope="module")
def envoy(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    with proxies.envoy_beside(world.proxy.configuration, tmp_path_factory.mktemp("envoy")) as ports:
        yield ports


def asked(client: Peer, name: str) -> list[tuple[Any, ...]]:
    """The answers to all requests of a case: start line, and what is told of the bucket that decided."""
    answers = []
    for target, line in [(target, "x-l: 2") for target in QUERIES] + [("", line) for line in HEADERS]:
        client << f"GET /{name}/{target} HTTP/1.1\r\nhost: a\r\n{line}\r\n\r\n".encode()
        head = client.read_response().head
        answers.append((target or line, head.start, *(head.get(each) for each in NAMES)))
    return answers


@pytest.mark.parametrize("name", CASES)
def test_the_same_answers_and_counters(world: World, envoy: tuple[int, int], name: str) -> None:
    for _ in range(2):  # the connections are others
        beside = Peer(socket.create_connection(("127.0.0.1", envoy[0]), timeout=5))
        expected_answers = asked(beside, name)
        beside.close()
        assert asked(world.client(), name) == expected_answers
    assert counted_by_both(world, envoy, f"{name}.")


def test_workers_share_the_buckets_of_descriptors(worlds: Worlds) -> None:
    """Those by value as well; and they are not filled by the death of a worker."""
    answer = {"status": 200, "body": {"inline_string": "hi"}}
    limit = rate("x", 100, descriptors=[of(4, ("k", "a")), of(3, ("k", ""))], rate_limits=[by(header("x-k"))])
    route = {"match": {"prefix": "/"}, "direct_response": answer, "typed_per_filter_config": {NAME: limit}}
    filters = [{"name": NAME, "typed_config": rate("above", 1)}, ROUTER]
    world = worlds.start(nodes=[], routes=[route], concurrency=2, prefix="/none", http_filters=filters)

    def statuses(value: str, count: int) -> list[int]:
        found = []
        for _ in range(count):
            client = world.client() << f"GET / HTTP/1.1\r\nhost: a\r\nx-k: {value}\r\n\r\n".encode()
            found.append(client.read_response().head.status)
        return found

    first = statuses("a", 3) + statuses("b", 2)
    world.proxy.replace_workers()
    assert first + statuses("a", 5) + statuses("b", 5) == [200] * 6 + [429] * 4 + [200] + [429] * 4
