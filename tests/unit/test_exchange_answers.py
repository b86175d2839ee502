"""Routes that answer by themselves, those that do not, and CORS before both."""

import pytest

from fastproxy.model import AccessLog, EscapedSlashesAction, HeaderRules, HeaderValue, Normalization, StripPort
from fastproxy.model_routes import CorsPolicy, DirectResponse, Redirect, StringMatch, StringMatcher
from tests.unit.engine_world import field, get, handshake, ok

POLICY = CorsPolicy(
    (StringMatcher(StringMatch.EXACT, "https://good.example"),),
    allow_methods="GET, POST",
    allow_headers="x-a",
    expose_headers="x-b",
    max_age="600",
    allow_credentials=True,
)


def preflight(origin="https://good.example", *lines):
    return get("/", f"Origin: {origin}", "Access-Control-Request-Method: PUT", *lines, method="OPTIONS")


def lines(head):
    return [line.decode() for line in head.split(b"\r\n") if line.startswith(b"access-control")]


def replied(world, request):
    client = world.client().send(request)
    head = client.head()
    return head, client.take(int(field(head, b"content-length") or 0))


def test_a_route_that_forwards_does_not_answer(world):
    client, node = world.ask(get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert (world.count("rq_redirect"), world.count("rq_direct_response")) == (0, 0)


@pytest.mark.parametrize("request_head", [get("/a?b"), handshake("/a?b")])
def test_a_redirect(worlds, request_head):
    """An upgrade is redirected as well, as with Envoy."""
    world = worlds(route={"redirect": Redirect(308, host="new.example"), "cluster": ""})
    head, body = replied(world, request_head)
    assert head.split(b"\r\n")[:2] == [b"HTTP/1.1 308 Permanent Redirect", b"location: http://new.example/a?b"]
    assert body == b""
    assert world.count("rq_redirect") == 1


def test_a_direct_response(worlds):
    rules = HeaderRules(response_add=(HeaderValue("x-path", "%REQ(:path)%"), HeaderValue("content-type", "a/b")))
    route = {"direct_response": DirectResponse(418, b"teapot"), "header_rules": rules, "cluster": ""}
    world = worlds(route=route)
    head, body = replied(world, get("/pot"))
    assert head.split(b"\r\n")[0] == b"HTTP/1.1 418 Unknown"
    assert (field(head, b"x-path"), field(head, b"content-type"), body) == (b"/pot", b"a/b", b"teapot")
    assert world.count("rq_direct_response") == 1


def test_a_large_direct_response(worlds):
    world = worlds(route={"direct_response": DirectResponse(200, b"x" * 300_000), "cluster": ""})
    assert replied(world, get())[1] == b"x" * 300_000


def test_a_direct_response_without_content(worlds):
    head, _ = replied(worlds(route={"direct_response": DirectResponse(204), "cluster": ""}), get())
    assert head.startswith(b"HTTP/1.1 204 ")
    assert field(head, b"content-length") is None


def test_a_cluster_that_does_not_exist(worlds):
    world = worlds(route={"cluster": "", "cluster_header": "x-cluster", "missing_cluster_status": 404})
    assert world.client().send(get("/", "x-cluster: nosuch")).response() == (404, b"")
    assert world.count("no_cluster") == 1
    client, node = world.ask(get("/", "x-cluster: backend"))
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_a_preflight_is_answered(worlds):
    world = worlds(route={"cors": POLICY})
    head, body = replied(world, preflight())
    assert (head.split(b"\r\n")[0], body) == (b"HTTP/1.1 200 OK", b"")
    assert lines(head) == [
        "access-control-allow-origin: https://good.example",
        "access-control-allow-credentials: true",
        "access-control-allow-methods: GET, POST",
        "access-control-allow-headers: x-a",
        "access-control-max-age: 600",
        "access-control-expose-headers: x-b",
    ]
    assert world.count("cors.origin_valid") == 1


def test_a_response_says_what_the_page_may_do(worlds):
    world = worlds(route={"cors": POLICY})
    client, node = world.ask(get("/", "Origin: https://good.example"))
    node.head()
    node.send(ok(b"hello", "access-control-allow-origin: https://node.example"))
    assert lines(client.head()) == [
        "access-control-allow-origin: https://good.example",
        "access-control-allow-credentials: true",
        "access-control-expose-headers: x-b",
    ]


def test_so_does_a_reply_of_the_proxy(worlds):
    world = worlds(0, route={"cors": POLICY})
    head, body = replied(world, get("/", "Origin: https://good.example"))
    assert body == b"no healthy upstream"
    assert "access-control-allow-origin: https://good.example" in lines(head)


@pytest.mark.parametrize(
    "request_head",
    [get("/", "Origin: https://bad.example"), preflight("https://bad.example"), get(), get("/", "Origin:")],
)
def test_other_origins_are_told_nothing(worlds, request_head):
    world = worlds(route={"cors": POLICY})
    client, node = world.ask(request_head)
    node.head()
    node.send(ok())
    assert lines(client.head()) == []


def test_a_preflight_of_another_origin_ends_here_when_it_is_not_to_be_forwarded(worlds):
    policy = CorsPolicy(POLICY.origins, allow_methods="GET", forward_not_matching_preflights=False)
    world = worlds(route={"cors": policy})
    head, _ = replied(world, preflight("https://bad.example"))
    assert (head.split(b"\r\n")[0], lines(head)) == (b"HTTP/1.1 200 OK", [])
    assert world.count("cors.origin_invalid") == 1


def test_a_policy_in_the_shadow_only_counts(worlds):
    world = worlds(route={"cors": CorsPolicy(POLICY.origins, enabled=0, shadow_enabled=1_000_000)})
    client, node = world.ask(get("/", "Origin: https://good.example"))
    node.head()
    node.send(ok())
    assert lines(client.head()) == []
    assert world.count("cors.origin_valid") == 1


REDIRECT = Normalization(escaped_slashes=EscapedSlashesAction.UNESCAPE_AND_REDIRECT)


def test_a_path_that_is_not_normal_is_redirected(worlds):
    world = worlds(manager={"normalization": REDIRECT})
    client = world.client().send(get("/a%2Fb?%2F") + get("/a%2Fb?%2F", "content-type: application/grpc-web"))
    for _ in range(2):
        head = client.head()
        assert head.split(b"\r\n")[:2] == [b"HTTP/1.1 307 Temporary Redirect", b"location: /a/b?%2F"]
    assert world.count("downstream_rq_redirected_with_normalized_path") == 2


@pytest.mark.parametrize(
    ("normalization", "request_head"),
    [
        (Normalization(normalize_path=True), get("/a%00b")),
        (Normalization(escaped_slashes=EscapedSlashesAction.REJECT_REQUEST), get("/a%5cb")),
        (REDIRECT, get("/a%2Fb", "content-type: application/grpc")),
        (REDIRECT, get("/a%2Fb", "content-type: application/grpc+proto")),
    ],
)
def test_a_path_that_is_refused(worlds, normalization, request_head):
    world = worlds(manager={"normalization": normalization})
    client = world.client().send(request_head)
    assert client.response() == (400, b"")
    assert client.end() == b""
    assert world.count("downstream_rq_failed_path_normalization") == 1


def test_the_node_is_asked_for_what_is_normal(worlds):
    normalization = Normalization(normalize_path=True, strip_port=StripPort.ANY, strip_trailing_host_dot=True)
    world = worlds(manager={"normalization": normalization}, route={"prefix_rewrite": "/new/"})
    client, node = world.ask(get("/x/../%61?..").replace(b"example.com", b"example.com.:99"))
    head = node.head()
    assert head.startswith(b"GET /new/a?.. HTTP/1.1\r\n")
    assert (field(head, b"host"), field(head, b"x-envoy-original-path")) == (b"example.com", b"/a?..")
    node.send(ok())
    assert client.response()[0] == 200


@pytest.mark.parametrize(
    "settings",
    [{"manager": {"normalization": REDIRECT}}, {"route": {"redirect": Redirect(307, path="/a/b"), "cluster": ""}}],
)
def test_the_log_of_a_redirect(worlds, tmp_path, settings):
    log = AccessLog(str(tmp_path / "log"), "%RESPONSE_CODE% %RESP(LOCATION)%\n")
    world = worlds(**(settings | {"manager": {"access_logs": (log,), **settings.get("manager", {})}}))
    head = world.client().send(get("/a%2Fb")).head()
    world.engine.flush_logs()
    location = field(head, b"location")
    assert location is not None
    assert (tmp_path / "log").read_text() == f"307 {location.decode()}\n"


def test_the_log_of_a_refused_path(worlds, tmp_path):
    """As with Envoy nothing else was done to the request: it has no id yet, and its authority has its port."""
    normalization = Normalization(escaped_slashes=EscapedSlashesAction.REJECT_REQUEST, strip_port=StripPort.ANY)
    log = AccessLog(str(tmp_path / "log"), "%REQ(:PATH)% %REQ(:AUTHORITY)% %REQ(X-REQUEST-ID)% %RESPONSE_CODE%\n")
    world = worlds(manager={"normalization": normalization, "access_logs": (log,)})
    client = world.client().send(get("/a%2Fb").replace(b"example.com", b"example.com:99"))
    client.response()
    world.engine.flush_logs()
    assert (tmp_path / "log").read_text() == "/a/b example.com:99 - 400\n"
