"""Heads as they are written anew: names, order and values, byte for byte."""

import re

import pytest

from fastproxy.model import ServerHeaderTransformation
from tests.unit.engine_world import World, get, handshake, ok, switching


def sent_on(world: World, request: bytes) -> list[str]:
    """The lines of the head that the node is sent for a request."""
    client, node = world.ask(request)
    lines = node.head().decode("latin-1").split("\r\n")
    node.send(ok())
    assert client.response() == (200, b"hello")
    return lines[:-2]


def answered(world: World, response: bytes, request: bytes | None = None) -> list[str]:
    """The lines of the head that the client is sent for a node's response."""
    client, node = world.ask(request or get())
    node.head()
    node.send(response)
    lines = client.head().decode("latin-1").split("\r\n")
    node.close()  # the next request has a connection of its own
    world.settle()
    return [re.sub(r"^(date: ).+|^(x-envoy-upstream-service-time: )\d+$", r"\1\2", line) for line in lines[:-2]]


def response(*lines: str, status: str = "200 OK", body: str = "") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", body]).encode("latin-1")


ADDED = ["x-forwarded-proto: http", "x-envoy-expected-rq-timeout-ms: 15000"]
BEHIND = ["x-envoy-upstream-service-time: ", "date: ", "server: envoy"]


@pytest.fixture
def plain(worlds):
    """A manager that makes no request ids."""
    return worlds(manager={"generate_request_id": False})


def test_a_request_is_written_in_its_order(plain):
    lines = sent_on(plain, get("/a?b", "X-One: 1", "Accept: x", "Cookie: a", "x-one: 2", "Cookie: b"))
    assert lines == [
        "GET /a?b HTTP/1.1", "host: example.com", "x-one: 1", "accept: x", "cookie: a", "x-one: 2", "cookie: b", *ADDED,
    ]  # fmt: skip


def test_hop_by_hop_fields_go_no_further(plain):
    lines = sent_on(
        plain,
        get("/", "Connection: keep-alive, X-Mine", "Keep-Alive: 5", "Proxy-Connection: x", "Upgrade: h2c", "X-Mine: 1"),
    )
    assert lines == ["GET / HTTP/1.1", "host: example.com", *ADDED]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["TE: gzip, trailers"], ["te: trailers"]),
        (["TE: gzip"], []),
        (["Expect: 200-maybe"], ["expect: 200-maybe"]),
        (["Accept: a", "x: y", "Accept: b"], ["accept: a,b", "x: y"]),
        (["Accept:", "Accept: b", "Accept:"], ["accept: b"]),
        (["Referer: a", "Referer: b"], ["referer: a,b"]),
        (["Referer: about:blank", "x: y"], ["x: y"]),
        (["Referer: /a", 'Referer: "', "x: y"], ["x: y"]),
        (["x-envoy-retry-on: 5xx", "x-envoy-else: 1"], ["x-envoy-else: 1"]),
        (["x-empty:"], ["x-empty: "]),
        (["x-\xe9: a"], None),
        (["x-raw: \xe9\xff"], ["x-raw: \xe9\xff"]),
    ],
)
def test_single_fields(plain, given, expected):
    if expected is None:
        client = plain.client().send("\r\n".join(["GET / HTTP/1.1", "host: a", *given, "", ""]).encode("latin-1"))
        assert client.response() == (400, b"Bad Request")
        return
    request = "\r\n".join(["GET / HTTP/1.1", "host: example.com", *given, "", ""]).encode("latin-1")
    assert sent_on(plain, request)[2:] == [*expected, *ADDED]


@pytest.mark.parametrize(("method", "expected"), [("POST", ["content-length: 0"]), ("PUT", ["content-length: 0"]),
                                                  ("GET", []), ("DELETE", [])])  # fmt: skip
def test_a_method_that_has_a_body_says_that_there_is_none(plain, method, expected):
    assert sent_on(plain, get(method=method))[2:] == [*ADDED, *expected]


def test_at_the_edge(worlds):
    """use_remote_address: what a client says about itself does not count."""
    edge = worlds(manager={"use_remote_address": True, "generate_request_id": True})
    lines = sent_on(edge, get("/", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https", "X-Request-Id: mine"))
    fields = dict(line.split(": ", 1) for line in lines[1:])
    assert re.fullmatch(r"1\.2\.3\.4,[0-9.]+", fields["x-forwarded-for"])
    assert fields["x-forwarded-proto"] == "http"
    assert fields["x-envoy-external-address"] == "127.0.0.1"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", fields["x-request-id"])


def test_inside(worlds):
    """Without use_remote_address a client is believed, and an id made only where there is none."""
    lines = sent_on(worlds(), get("/", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https", "X-Request-Id: mine"))
    assert lines[2:] == [
        "x-forwarded-for: 1.2.3.4", "x-forwarded-proto: https", "x-request-id: mine",
        "x-envoy-expected-rq-timeout-ms: 15000",
    ]  # fmt: skip


def test_rewrites(worlds):
    world = worlds(
        manager={"generate_request_id": False},
        route={"prefix_rewrite": "/new", "host_rewrite": "other.example", "timeout_s": None},
    )
    lines = sent_on(world, get("/a?b"))
    assert lines == [
        "GET /newa?b HTTP/1.1", "host: other.example", "x-forwarded-proto: http",
        "x-envoy-original-host: example.com", "x-envoy-original-path: /a?b",
    ]  # fmt: skip


def test_a_handshake_keeps_its_connection_and_upgrade_and_has_no_framing(plain):
    client, node = plain.ask(handshake("/ws", "Content-Length: 0"))
    lines = node.head().decode().split("\r\n")[:-2]
    assert lines[2:4] == ["connection: keep-alive, Upgrade", "upgrade: websocket"]
    assert not [line for line in lines if line.startswith(("content-length", "transfer-encoding"))]
    node.send(switching())
    head = client.head().decode().split("\r\n")
    assert head[0] == "HTTP/1.1 101 Switching Protocols"
    assert "connection: Upgrade" in head
    assert "upgrade: websocket" in head
    assert not [line for line in head if line.startswith(("content-length", "transfer-encoding"))]


def test_a_response_is_written_in_its_order(plain):
    lines = answered(plain, response("X-One: 1", "Set-Cookie: a", "Content-Length: 0", "Set-Cookie: b"))
    assert lines == ["HTTP/1.1 200 OK", "x-one: 1", "set-cookie: a", "content-length: 0", "set-cookie: b", *BEHIND]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["Server: x", "Server: y"], ["server: envoy", BEHIND[0], BEHIND[1]]),
        (["Date: then"], ["date: ", BEHIND[0], BEHIND[2]]),
        (["x-envoy-upstream-service-time: 77"], ["x-envoy-upstream-service-time: ", *BEHIND[1:]]),
        (["Connection: x-mine", "Keep-Alive: 5"], BEHIND),
        (["Vary: a", "Vary: b"], ["vary: a,b", *BEHIND]),
    ],
)
def test_single_fields_of_a_response(plain, given, expected):
    lines = answered(plain, response("content-length: 0", *given))
    assert lines[1:] == ["content-length: 0", *expected]


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ("204", "HTTP/1.1 204 No Content"), ("503 down", "HTTP/1.1 503 Service Unavailable"),
        ("413 x", "HTTP/1.1 413 Payload Too Large"), ("299 x", "HTTP/1.1 299 Unknown"),
    ],
)  # fmt: skip
def test_reasons_are_the_proxys(plain, status, line):
    assert answered(plain, response("content-length: 0", status=status))[0] == line


def test_a_head_answer_says_how_a_get_would_be_framed(plain):
    lines = answered(plain, response(), get(method="HEAD"))
    assert lines[-1] == "transfer-encoding: chunked"
    lines = answered(plain, response("content-length: 12"), get(method="HEAD"))
    assert lines[1] == "content-length: 12"
    assert "transfer-encoding: chunked" not in lines


@pytest.mark.parametrize(
    ("transformation", "given", "expected"),
    [
        ("OVERWRITE", ["Server: x"], ["server: envoy"]),
        ("APPEND_IF_ABSENT", ["Server: x"], ["server: x"]),
        ("APPEND_IF_ABSENT", [], ["server: envoy"]),
        ("PASS_THROUGH", ["Server: x"], ["server: x"]),
        ("PASS_THROUGH", [], []),
    ],
)
def test_server_header_transformation(worlds, transformation, given, expected):
    world = worlds(manager={"server_header_transformation": ServerHeaderTransformation[transformation]})
    lines = answered(world, response("content-length: 0", *given))
    assert [line for line in lines if line.startswith("server:")] == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], "via: fp"),
        (["via: 1.1 a"], "via: 1.1 a, fp"),
        (["via: a", "via: b"], "via: a,b, fp"),
        (["via:"], "via: fp"),
    ],
)
def test_via_of_a_response(worlds, given, expected):
    lines = answered(worlds(manager={"via": "fp"}), response("content-length: 0", *given))
    assert [line for line in lines if line.startswith("via:")] == [expected]


@pytest.mark.parametrize("given", [[], ["x-request-id: theirs"]])
def test_the_request_id_in_the_response(worlds, given):
    world = worlds(manager={"always_set_request_id_in_response": True})
    client, node = world.ask(get("/", "x-request-id: mine"))
    node.head()
    node.send(response("content-length: 0", *given))
    assert client.head().count(b"x-request-id: mine\r\n") == 1


def test_no_envoy_headers(worlds):
    client, node = worlds(manager={"suppress_envoy_headers": True}).ask(get("/"))
    assert b"x-envoy-" not in node.head()
    node.send(response("content-length: 0"))
    assert b"x-envoy-" not in client.head()
