"""Which way a request goes through a connection manager: the same as that of traffic, and said in full."""

import pytest

from fastproxy._ring import xx_hash
from fastproxy.explanation import Follower
from fastproxy.model import (
    Address,
    Cluster,
    ConcurrentTunnels,
    Configuration,
    DescriptorLimit,
    EscapedSlashesAction,
    HeaderHashPolicy,
    Host,
    HttpConnectionManager,
    LbPolicy,
    Listener,
    LocalRateLimit,
    Normalization,
    Rate,
    Route,
    RouteConfiguration,
    RouteMatch,
    SessionAffinity,
    TokenBucket,
    TrafficLimits,
    VirtualHost,
)
from fastproxy.model_affinity import MCP, SOCKJS, cookie
from fastproxy.model_descriptors import ActionKind, DescriptorAction, DescriptorRule
from fastproxy.runtime import Runtime
from fastproxy.stats import StatsLayout

HOSTS = tuple(Host(Address("127.0.0.1", port)) for port in (1, 2, 3, 4))
BY_USER = (HeaderHashPolicy("x-user"),)


def runtime(*routes: Route, **manager) -> Runtime:
    host = VirtualHost("all", ("*",), routes)
    listener = Listener(
        "main", Address("127.0.0.1", 9), HttpConnectionManager("h", RouteConfiguration((host,)), **manager)
    )
    ring = Cluster("ring", lb_policy=LbPolicy.RING_HASH, hosts=HOSTS)
    clusters = (ring, Cluster("turns", hosts=HOSTS), Cluster("one", hosts=HOSTS[:1]))
    configuration = Configuration((listener,), clusters)
    layout = StatsLayout(configuration)
    return Runtime(configuration, layout, memoryview(bytearray(8 * layout.slots)).cast("Q"), None, bytes(16))


def follow(made: Runtime, target: str = "/", *lines: str, source: str = "10.1.2.3", down=(), method: str = "GET"):
    head = "\r\n".join([f"{method} {target} HTTP/1.1", "host: h", *lines, "", ""]).encode()
    return Follower(made.managers[0]).follow(head, source, down)


def test_hash_and_host():
    made = runtime(Route(RouteMatch(prefix="/"), "ring", name="r", hash_policies=BY_USER))
    hosts = made.clusters["ring"].hosts
    for user in ("a", "b", "c", "d", "e"):
        way = follow(made, "/", f"x-user: {user}")
        digest = xx_hash(user.encode())
        chosen = hosts[made.clusters["ring"].balancer.pick(digest)].address.decode()
        assert way["hash"]["hash"] == f"{digest:#018x}"
        assert [step["values"] for step in way["hash"]["policies"]] == [[user]]
        assert way["node"] == chosen
        assert way["is_certain"]
        assert sorted([way["node"], *way["next"]]) == [str(host.address) for host in HOSTS]
        assert way["route"]["name"] == "r"
        assert way["balancer"]["policy"] == "RingHash"


def test_hosts_that_are_down():
    made = runtime(Route(RouteMatch(prefix="/"), "ring", hash_policies=BY_USER))
    up = follow(made, "/", "x-user: a")
    down = follow(made, "/", "x-user: a", down=[up["node"]])
    assert down["node"] == up["next"][0]
    assert down["next"] == up["next"][1:]
    nowhere = follow(made, "/", "x-user: a", down=[str(host.address) for host in HOSTS])
    assert nowhere["node"] is None


def test_no_hash():
    made = runtime(Route(RouteMatch(prefix="/"), "ring", hash_policies=BY_USER))
    way = follow(made)
    assert way["hash"]["hash"] is None
    assert way["hash"]["policies"][0]["values"] is None
    assert not way["is_certain"]


def test_routes_that_do_not_match():
    made = runtime(Route(RouteMatch(path="/x"), "ring", name="x"), Route(RouteMatch(prefix="/"), "turns", name="rest"))
    way = follow(made, "/y")
    assert [passed["name"] for passed in way["route"]["passed_over"]] == ["x"]
    assert way["route"]["name"] == "rest"
    assert way["route"]["cluster"] == "turns"
    nothing = follow(runtime(Route(RouteMatch(path="/x"), "ring")), "/y")
    assert nothing["route"]["action"] == "none"
    assert nothing["node"] is None


def test_what_the_route_rewrites_is_what_is_hashed():
    policies = (HeaderHashPolicy(":path"),)
    made = runtime(Route(RouteMatch(prefix="/a"), "ring", prefix_rewrite="/b", hash_policies=policies))
    way = follow(made, "/a/c?d")
    assert way["route"]["path"] == "/b/c?d"
    assert way["hash"]["hash"] == f"{xx_hash(b'/b/c?d'):#018x}"


UPGRADE = ("connection: upgrade", "upgrade: websocket")


@pytest.mark.parametrize(("allow", "lines", "refused"), [
    (False, UPGRADE, "403: the route lets no websocket through (upgrade_configs)"),
    (True, UPGRADE, None),
    (True, ("connection: upgrade", "upgrade: other"), "403: only upgrades to websocket are let through"),
    (False, (), None),
])  # fmt: skip
def test_upgrades(allow, lines, refused):
    made = runtime(Route(RouteMatch(prefix="/"), "ring", allow_websocket=allow))
    way = follow(made, "/", *lines)
    assert way["refused"] == refused
    assert (way["node"] is None) == (refused is not None)


@pytest.mark.parametrize(("target", "session"), [
    ("/socket.io/?EIO=4&transport=polling&sid=abcdefghijklmnopqrst", "abcdefghijklmnopqrst"),
    ("/socket.io/?EIO=4&transport=polling", None),
    ("/?sid=abcdefghijklmnopqrst", None),
])  # fmt: skip
def test_sessions(target, session):
    assert follow(runtime(Route(RouteMatch(prefix="/"), "ring")), target)["session"] == session


@pytest.mark.parametrize(("target", "line", "affinity"), [
    ("/mcp", "mcp-session-id: abc", "asked"),
    ("/echo/000/abc/xhr", "accept: */*", "random"),
    ("/", "cookie: a=b; JSESSIONID=abc", "random"),
])  # fmt: skip
def test_sessions_of_learned_protocols(target, line, affinity):
    route = Route(RouteMatch(prefix="/"), "ring", affinity=SessionAffinity((MCP, SOCKJS, cookie("JSESSIONID"))))
    way = follow(runtime(route), target, line)
    assert (way["session"], way["affinity"]) == ("abc", affinity)


KNOWN = "/socket.io/?EIO=4&transport=polling&sid=abc"
HANDSHAKE = "/socket.io/?EIO=4&transport=polling"


@pytest.mark.parametrize(("target", "lines", "affinity", "expected"), [
    (KNOWN, (), SessionAffinity(), "asked"),
    (KNOWN, ("x-user: a",), SessionAffinity(), "asked"),
    (KNOWN, ("x-user: a",), SessionAffinity(ask=False), "hash"),
    (KNOWN, (), SessionAffinity(ask=False), "random"),
    (HANDSHAKE, (), SessionAffinity(), "least"),
    (HANDSHAKE, ("x-user: a",), SessionAffinity(), "hash"),
    (HANDSHAKE, (), SessionAffinity(least_sessions=False), "random"),
    ("/socket.io/?EIO=4&transport=websocket", UPGRADE, SessionAffinity(), "least"),
    ("/page", (), SessionAffinity(), "random"),
    (HANDSHAKE, (), SessionAffinity(protocols=()), "random"),
])  # fmt: skip
def test_what_decides(target, lines, affinity, expected):
    route = Route(RouteMatch(prefix="/"), "ring", hash_policies=BY_USER, affinity=affinity, allow_websocket=True)
    assert follow(runtime(route), target, *lines)["affinity"] == expected


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_methods_that_are_not_asked_with(method):
    way = follow(runtime(Route(RouteMatch(prefix="/"), "ring")), KNOWN, method=method)
    assert (way["session"], way["affinity"]) == ("abc", "random")


def test_one_node_is_not_asked():
    way = follow(runtime(Route(RouteMatch(prefix="/"), "one")), KNOWN)
    assert (way["session"], way["affinity"]) == ("abc", "random")


def test_a_preflight_opens_no_session():
    made = runtime(Route(RouteMatch(prefix="/"), "ring"))
    assert follow(made, HANDSHAKE, method="OPTIONS")["affinity"] == "random"


def test_targets_that_are_refused():
    made = runtime(Route(RouteMatch(prefix="/"), "ring"))
    assert follow(made, "/a#b")["refused"].startswith("400")


@pytest.mark.parametrize(("target", "refused", "path"), [
    ("/x/../a", None, "/a"),
    ("/%00", "400", None),
    ("/a%2Fb", "307", None),
])  # fmt: skip
def test_paths_are_normalized(target, refused, path):
    action = EscapedSlashesAction.UNESCAPE_AND_REDIRECT
    normalization = Normalization(normalize_path=True, escaped_slashes=action)
    way = follow(runtime(Route(RouteMatch(prefix="/a"), "ring"), normalization=normalization), target)
    assert way["refused"] is None if refused is None else way["refused"].startswith(refused)
    assert path == (way["route"] and way["route"]["path"])


@pytest.mark.parametrize(("source", "target"), [("nowhere", "/"), ("10.1.2.3", "/a b")])
def test_what_is_no_request(source, target):
    with pytest.raises(ValueError, match=r"."):
        follow(runtime(Route(RouteMatch(prefix="/"), "ring")), target, source=source)


# --- limits -----------------------------------------------------------------------------------------------------------

UPGRADE = ("upgrade: websocket", "connection: upgrade")
BY_KEY = DescriptorRule((DescriptorAction(ActionKind.REQUEST_HEADER, "k", name="x-k"),))
RATE = LocalRateLimit(
    "api", "x", TokenBucket(10, 1, 1.0), enabled=1_000_000, enforced=1_000_000, rules=(BY_KEY,),
    descriptors=(DescriptorLimit((("k", ""),), TokenBucket(2, 1, 1.0)),),
)  # fmt: skip
LIMITS = TrafficLimits(
    RATE, handshakes=Rate("y", 5.0, 5), concurrent_tunnels=ConcurrentTunnels("z", 4), max_url_bytes=100
)


@pytest.mark.parametrize(
    ("target", "lines", "expected"),
    [
        ("/page", (), ["local_ratelimit api", "max_url_bytes"]),
        ("/page", ("x-k: a",), ["local_ratelimit api", "local_ratelimit api", "max_url_bytes"]),
        ("/?EIO=4&transport=polling", (), ["local_ratelimit api", "max_url_bytes", "handshake_rate"]),
        ("/?EIO=4&transport=polling&sid=a", (), ["local_ratelimit api", "max_url_bytes"]),
        ("/?EIO=4", UPGRADE, ["local_ratelimit api", "max_url_bytes", "handshake_rate", "tunnel_limits"]),
        ("/ws", UPGRADE, ["local_ratelimit api", "max_url_bytes", "tunnel_limits"]),
    ],
    ids=["request", "descriptor", "poll", "session", "handshake", "websocket"],
)
def test_limits(target, lines, expected):
    made = runtime(Route(RouteMatch(prefix="/"), "one", allow_websocket=True, limits=LIMITS))
    found = follow(made, target, *lines)["limits"]
    assert [words.partition(":")[0] for words in found] == expected
    assert ("for k=a: 2," in found[0]) == (len(lines) == 1)


def test_without_a_route_the_managers_limits_hold():
    made = runtime(Route(RouteMatch(path="/other"), "one"), limits=TrafficLimits(max_request_bytes=7))
    assert follow(made)["limits"] == ["buffer: 413 beyond 7 bytes of a body"]
