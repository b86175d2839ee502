"""What a node sees of a request's head (docs: Envoy, "HTTP header manipulation" and "HTTP header sanitizing")."""

import re

import pytest

from tests.support.messages import Head
from tests.support.proxies import World, Worlds

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
ADDED = b"x-forwarded-proto: http\r\nx-request-id: 00000000-0000-4000-8000-000000000000\r\n"
UUID4 = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def forwarded(world: World, head: bytes, how: str = "whole") -> Head:
    """The head that the node gets for this one."""
    client = world.client().send_cut(head + b"\r\n", how)
    node = world.node.busy_peer()
    got = node.read_request().head
    node << OK
    assert client.read_response().body == b"ok"
    return got


def expected(lines: bytes, start: bytes = b"GET / HTTP/1.1", timeout: bytes = b"15000") -> Head:
    return Head.parse(start + b"\r\n" + lines + ADDED + b"x-envoy-expected-rq-timeout-ms: " + timeout + b"\r\n\r\n")


def assert_forwarded(world: World, sent: bytes, lines: bytes, how: str = "whole") -> None:
    got = forwarded(world, b"GET / HTTP/1.1\r\n" + sent, how)
    assert got.masked() == expected(lines).masked(), got


CASES = {
    "names are lower-cased": (
        b"Host: example.com\r\nX-MiXeD: Value\r\nACCEPT: */*\r\n",
        b"host: example.com\r\nx-mixed: Value\r\naccept: */*\r\n",
    ),
    "order and repeats of ordinary headers are kept": (
        b"Host: a\r\nx-b: 1\r\nx-a: 2\r\nx-b: 3\r\n",
        b"host: a\r\nx-b: 1\r\nx-a: 2\r\nx-b: 3\r\n",
    ),
    "inline headers are joined": (
        b"Host: a\r\naccept: a\r\naccept: b\r\nx-forwarded-for: 1.2.3.4\r\nx-forwarded-for: 5.6.7.8\r\n",
        b"host: a\r\naccept: a,b\r\nx-forwarded-for: 1.2.3.4,5.6.7.8\r\n",
    ),
    "white space around values is dropped": (
        b"Host:a\r\nx-a:b\r\nx-b: \t c d \t \r\nx-c:\r\n",
        b"host: a\r\nx-a: b\r\nx-b: c d\r\nx-c: \r\n",
    ),
    "bytes beyond ASCII are kept": (b"Host: a\r\nx-l: \xe9\xc3\xa9\r\n", b"host: a\r\nx-l: \xe9\xc3\xa9\r\n"),
    "connection and its kind are dropped": (
        b"Host: a\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n",
        b"host: a\r\n",
    ),
    "headers named by connection are dropped": (
        b"Host: a\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nx-stay: 2\r\nx-hop: 3\r\n",
        b"host: a\r\nx-stay: 2\r\n",
    ),
    "te is dropped": (b"Host: a\r\nTE: gzip\r\n", b"host: a\r\n"),
    "te: trailers is kept": (b"Host: a\r\nConnection: TE\r\nTE: trailers\r\n", b"host: a\r\nte: trailers\r\n"),
    "upgrade without connection is dropped": (b"Host: a\r\nUpgrade: websocket\r\n", b"host: a\r\n"),
    "connection: upgrade without upgrade is dropped": (b"Host: a\r\nConnection: Upgrade\r\n", b"host: a\r\n"),
    "other forwarding headers are kept": (
        b"Host: a\r\nX-Forwarded-Host: h\r\nX-Forwarded-Port: 81\r\nX-Real-IP: 9.9.9.9\r\nForwarded: for=1.2.3.4\r\n",
        b"host: a\r\nx-forwarded-host: h\r\nx-forwarded-port: 81\r\nx-real-ip: 9.9.9.9\r\nforwarded: for=1.2.3.4\r\n",
    ),
    "envoy's own headers of a stranger are dropped": (
        b"Host: a\r\nx-envoy-retry-on: 5xx\r\nx-envoy-max-retries: 3\r\nx-envoy-upstream-rq-timeout-ms: 1\r\n"
        b"x-envoy-force-trace: 1\r\nx-envoy-internal: true\r\nx-envoy-unknown: stays\r\n",
        b"host: a\r\nx-envoy-unknown: stays\r\n",
    ),
    "two cookie lines stay two": (
        b"Host: a\r\ncookie: a=1\r\ncookie: b=2\r\n",
        b"host: a\r\ncookie: a=1\r\ncookie: b=2\r\n",
    ),
    "underscores are allowed": (b"Host: a\r\nx_under: 1\r\n", b"host: a\r\nx_under: 1\r\n"),
    "a port in host is kept": (b"Host: Example.com:8080\r\n", b"host: Example.com:8080\r\n"),
    "an empty host is a host": (b"Host:\r\n", b"host: \r\n"),
}


@pytest.mark.parametrize("case", CASES)
def test_forwarded(world: World, case: str) -> None:
    assert_forwarded(world, *CASES[case])


def test_cut_anywhere(world: World, how: str) -> None:
    for case in ("names are lower-cased", "headers named by connection are dropped"):
        assert_forwarded(world, *CASES[case], how)


@pytest.mark.parametrize("target", [b"/?a=b&c=%20", b"/..//x/%2e%2E/%2f", b"/a;b=c", b"/\\x?y=/../z"])
def test_target_is_not_touched(world: World, target: bytes) -> None:
    assert forwarded(world, b"GET " + target + b" HTTP/1.1\r\nhost: a\r\n").start == b"GET " + target + b" HTTP/1.1"


@pytest.mark.parametrize("method", [b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE"])
def test_methods(world: World, method: bytes) -> None:
    assert forwarded(world, method + b" / HTTP/1.1\r\nhost: a\r\n").method == method


def test_request_id_is_a_new_uuid_each_time(world: World) -> None:
    ids = {forwarded(world, b"GET / HTTP/1.1\r\nhost: a\r\n").get(b"x-request-id") for _ in range(5)}
    assert len(ids) == 5
    assert all(each and UUID4.fullmatch(each) for each in ids), ids


def test_request_id_of_the_client_is_kept(world: World) -> None:
    assert (
        forwarded(world, b"GET / HTTP/1.1\r\nhost: a\r\nX-Request-ID: abc-123\r\n").get(b"x-request-id") == b"abc-123"
    )


@pytest.mark.parametrize("proto", [b"http", b"https", b"gopher"])
def test_forwarded_proto_of_the_client_is_kept(world: World, proto: bytes) -> None:
    head = forwarded(world, b"GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-proto: " + proto + b"\r\n")
    assert head.get(b"x-forwarded-proto") == proto


def test_no_user_agent_is_made_up(world: World) -> None:
    assert forwarded(world, b"GET / HTTP/1.1\r\nhost: a\r\n").get(b"user-agent") is None


@pytest.fixture(scope="module")
def edge(worlds: Worlds) -> World:
    return worlds.start(use_remote_address=True)


class TestRemoteAddress:
    """`use_remote_address`: the proxy stands at the edge and knows better than the client."""

    def test_address_is_appended(self, edge: World) -> None:
        head = forwarded(edge, b"GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 1.2.3.4\r\n")
        assert (head.get(b"x-forwarded-for") or b"").startswith(b"1.2.3.4,")
        assert head.get(b"x-envoy-external-address") is not None

    def test_address_without_one_before(self, edge: World) -> None:
        client = edge.client(source="127.0.0.5") << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
        node = edge.node.busy_peer()
        address = node.read_request().head.get(b"x-forwarded-for")
        assert address is not None
        assert b"," not in address
        node << OK
        client.read_response()

    def test_proto_is_overwritten(self, edge: World) -> None:
        head = forwarded(edge, b"GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-proto: https\r\n")
        assert head.get(b"x-forwarded-proto") == b"http"

    def test_request_id_is_replaced(self, edge: World) -> None:
        head = forwarded(edge, b"GET / HTTP/1.1\r\nhost: a\r\nx-request-id: abc\r\n")
        assert UUID4.fullmatch(head.get(b"x-request-id") or b"")


class TestOptions:
    def test_add_user_agent(self, worlds: Worlds) -> None:
        """A missing user-agent is given the proxy's own service cluster; one that is there stays."""
        world = worlds.start(add_user_agent=True)
        head = forwarded(world, b"GET / HTTP/1.1\r\nhost: a\r\nuser-agent: mine\r\n")
        assert head.get(b"user-agent") == b"mine"

    def test_no_request_id(self, worlds: Worlds) -> None:
        world = worlds.start(generate_request_id=False)
        assert forwarded(world, b"GET / HTTP/1.1\r\nhost: a\r\n").get(b"x-request-id") is None

    @pytest.mark.parametrize(("timeout", "announced"), [("0s", None), ("2.5s", b"2500"), ("60s", b"60000")])
    def test_timeout_is_announced(self, worlds: Worlds, timeout: str, announced: bytes | None) -> None:
        world = worlds.start(action={"timeout": timeout})
        assert forwarded(world, b"GET / HTTP/1.1\r\nhost: a\r\n").get(b"x-envoy-expected-rq-timeout-ms") == announced

    def test_host_rewrite(self, worlds: Worlds) -> None:
        world = worlds.start(action={"host_rewrite_literal": "other.example"})
        assert forwarded(world, b"GET / HTTP/1.1\r\nhost: a\r\n").get(b"host") == b"other.example"

    def test_prefix_rewrite(self, worlds: Worlds) -> None:
        world = worlds.start(action={"prefix_rewrite": "/base/"})
        head = forwarded(world, b"GET /x?y=/ HTTP/1.1\r\nhost: a\r\n")
        assert (head.target, head.get(b"x-envoy-original-path")) == (b"/base/x?y=/", b"/x?y=/")
