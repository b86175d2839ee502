"""Sessions of other protocols than Engine.IO's, through an engine: what answers teach, and where requests then go."""

import gzip
import zlib
from collections.abc import Callable

import pytest

from fastproxy.model_affinity import (
    ENGINE_IO,
    MCP,
    SOCKJS,
    SessionAffinity,
    SessionProtocol,
    cookie,
    header,
    json_field,
    query,
)
from tests.unit.engine_world import Peer, World, get, ok

EVENTS = "content-type: text/event-stream"
JSON = "content-type: application/json; charset=utf-8"


def keeping(*protocols: SessionProtocol) -> dict[str, object]:
    return {"affinity": SessionAffinity(protocols=(ENGINE_IO, *protocols), ask=False, least_sessions=False)}


class Cluster:
    """Two nodes, each with at most one connection, which is kept; every request is told apart by who got it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.peers: dict[int, Peer] = {}

    def taken(self) -> tuple[int, Peer]:
        """The node that got a request, read up to the end of its head."""
        found: list[tuple[int, Peer]] = []

        def look() -> bool:
            for number, node in enumerate(self.world.nodes):
                if number not in self.peers and node.is_asked():
                    self.peers[number] = node.accept()
            for number, peer in self.peers.items():
                peer.read()
                if b"\r\n\r\n" in peer.got:
                    found.append((number, peer))
            return bool(found)

        self.world.until(look)
        number, peer = found[0]
        peer.head()
        return number, peer

    def ask(self, request: bytes, answer: bytes | None = None) -> int:
        """The number of the node that a request goes to, which gives this answer."""
        client = self.world.client().send(request)
        number, peer = self.taken()
        peer.send(answer or ok())
        client.response()
        client.close()
        return number

    def stays(self, request: bytes, number: int) -> bool:
        """Whether a request goes to that node again and again, where the balancer takes the nodes in turn."""
        return [self.ask(request) for _ in range(3)] == [number] * 3


@pytest.fixture
def cluster(worlds) -> Callable[..., Cluster]:
    return lambda *protocols: Cluster(worlds(2, manager=keeping(*protocols)))


ROUND_TRIPS = {
    "a cookie": (cookie("SID"), get(), ok(b"x", "set-cookie: SID=abc; Path=/"), get("/", "cookie: a=b; SID=abc")),
    "a quoted cookie": (cookie("SID"), get(), ok(b"x", 'set-cookie: SID="abc"'), get("/", 'cookie: SID="abc"')),
    "a header": (header("X-Session"), get(), ok(b"x", "X-Session: abc"), get("/", "X-SESSION: abc")),
    "a redirect": (
        query("s"),
        get(),
        ok(b"x", "location: /in?s=a%2Bb").replace(b"200 OK", b"302 Found"),
        get("/in?x=y&s=a%2bb"),
    ),
    "a JSON member": (json_field("tok"), get(), ok(b'{"a":{"tok":"x"},"tok":"abc"}', JSON), get("/?tok=abc")),
    "a JSON number": (json_field("tok"), get(), ok(b'{"tok":17}', JSON), get("/", "tok: 17")),
    "JSON in gzip": (
        json_field("tok"),
        get(),
        ok(gzip.compress(b'{"tok":"abc"}'), JSON, "content-encoding: gzip"),
        get("/?tok=abc"),
    ),
    "an MCP header": (
        MCP,
        get("/mcp", method="POST"),
        ok(b"{}", "Mcp-Session-Id: abc"),
        get("/mcp", "mcp-session-id: abc"),
    ),
    "an MCP stream": (
        MCP,
        get("/sse"),
        ok(b"event: endpoint\r\ndata: /messages/?session_id=abc\r\n\r\n", EVENTS),
        get("/messages/?session_id=abc", method="POST"),
    ),
    "a path of SockJS": (
        SOCKJS,
        get("/echo/000/abc/xhr", method="POST"),
        ok(b"o\n"),
        get("/echo/123/abc/xhr_send", method="POST"),
    ),
}


@pytest.mark.parametrize(("protocol", "first", "answer", "later"), ROUND_TRIPS.values(), ids=ROUND_TRIPS)
def test_a_session_stays_where_its_id_came_from(cluster, protocol, first, answer, later):
    nodes = cluster(protocol)
    home = nodes.ask(first, answer)
    assert nodes.world.count("sid_learned") == 1
    assert nodes.stays(later, home)
    assert nodes.world.count("sid_learned") == 1


@pytest.mark.parametrize(("protocol", "first", "answer", "later"), ROUND_TRIPS.values(), ids=ROUND_TRIPS)
def test_an_error_issues_nothing(cluster, protocol, first, answer, later):
    nodes = cluster(protocol)
    status = answer.split(b" ", 1)[1].split(b"\r\n")[0]
    nodes.ask(first, answer.replace(status, b"404 Not Found", 1))
    assert nodes.world.count("sid_learned") == 0
    assert {nodes.ask(later) for _ in range(2)} == {0, 1} or protocol is SOCKJS


def test_a_preflight_changes_nothing(cluster):
    nodes = cluster(SOCKJS, cookie("SID"))
    nodes.ask(get("/echo/000/abc/xhr", method="OPTIONS"), ok(b"", "set-cookie: SID=abc"))
    assert nodes.world.count("sid_learned") == 0


@pytest.mark.parametrize("line", ["set-cookie: SID=; Path=/", "set-cookie: SID=abc; Max-Age=0"])
def test_a_cookie_that_is_deleted_is_forgotten(cluster, line):
    nodes = cluster(cookie("SID"))
    home = nodes.ask(get(), ok(b"x", "set-cookie: SID=abc"))
    assert nodes.ask(get("/", "cookie: SID=abc"), ok(b"x", line)) == home
    assert {nodes.ask(get("/", "cookie: SID=abc")) for _ in range(2)} == {0, 1}


def test_only_a_request_of_the_session_has_its_cookie_forgotten(cluster):
    nodes = cluster(cookie("SID"))
    home = nodes.ask(get(), ok(b"x", "set-cookie: SID=abc"))
    nodes.ask(get("/", "cookie: SID=other"), ok(b"x", "set-cookie: SID=; Max-Age=0"))
    assert nodes.stays(get("/", "cookie: SID=abc"), home)


def test_an_id_that_is_issued_anew_is_learned_too(cluster):
    nodes = cluster(cookie("SID"))
    home = nodes.ask(get(), ok(b"x", "set-cookie: SID=abc"))
    assert nodes.ask(get("/", "cookie: SID=abc"), ok(b"x", "set-cookie: SID=def")) == home
    assert nodes.stays(get("/", "cookie: SID=def"), home)
    assert nodes.stays(get("/", "cookie: SID=abc"), home)


def test_an_mcp_session_ends_by_its_delete(cluster):
    nodes = cluster(MCP)
    home = nodes.ask(get("/mcp", method="POST"), ok(b"{}", "mcp-session-id: abc"))
    ends = get("/mcp", "mcp-session-id: abc", method="DELETE")
    assert nodes.ask(ends, ok(b"{}", "mcp-session-id: abc").replace(b"200 OK", b"405 No")) == home
    assert nodes.stays(get("/mcp", "mcp-session-id: abc"), home)
    assert nodes.ask(ends, ok(b"{}", "mcp-session-id: abc")) == home
    assert {nodes.ask(get("/mcp", "mcp-session-id: abc")) for _ in range(2)} == {0, 1}


def test_protocols_do_not_mix(cluster):
    """The same text, issued by two nodes in two places, is two sessions."""
    nodes = cluster(cookie("SID"), header("x-session"))
    one = nodes.ask(get(), ok(b"x", "set-cookie: SID=abc"))
    two = nodes.ask(get(), ok(b"x", "x-session: abc"))
    assert one != two
    assert nodes.stays(get("/", "cookie: SID=abc"), one)
    assert nodes.stays(get("/", "x-session: abc"), two)


def test_an_answer_may_issue_ids_of_several_protocols(cluster):
    nodes = cluster(cookie("SID"), header("x-session"))
    home = nodes.ask(get(), ok(b"x", "set-cookie: SID=abc", "x-session: def"))
    assert nodes.world.count("sid_learned") == 2
    assert nodes.stays(get("/", "cookie: SID=abc"), home)
    assert nodes.stays(get("/", "x-session: def"), home)


def test_a_session_of_sockjs_is_opened_by_an_id_that_is_not_known(cluster):
    nodes = cluster(SOCKJS)
    home = nodes.ask(get("/echo/000/abc/xhr", method="POST"), ok(b"o\n"))
    assert nodes.world.host(home)["sid_opened_polling"] == 1
    assert nodes.ask(get("/echo/000/abc/xhr", method="POST")) == home
    assert nodes.world.host(home)["sid_opened_polling"] == 1


def test_an_id_is_known_under_its_own_name_only(cluster):
    nodes = cluster(cookie("SID"), cookie("other"))
    nodes.ask(get(), ok(b"x", "set-cookie: SID=abc"))
    assert {nodes.ask(get("/", "cookie: other=abc")) for _ in range(2)} == {0, 1}


def test_repeated_lines_of_a_header_are_no_id(cluster):
    nodes = cluster(header("x-session"))
    nodes.ask(get(), ok(b"x", "x-session: abc", "x-session: def"))
    assert nodes.world.count("sid_learned") == 0
    nodes.ask(get(), ok(b"x", "x-session: abc"))
    assert {nodes.ask(get("/", "x-session: abc", "x-session: abc")) for _ in range(2)} == {0, 1}


def test_what_a_client_makes_up_is_not_learned(cluster):
    nodes = cluster(cookie("SID"), MCP)
    assert {nodes.ask(get("/", "cookie: SID=abc", "mcp-session-id: abc")) for _ in range(2)} == {0, 1}
    assert nodes.world.count("sid_learned") == 0


def test_a_stream_tells_its_session_in_pieces(cluster):
    """The stream goes on: its session is known as soon as its first event is there."""
    nodes = cluster(MCP)
    client = nodes.world.client().send(get("/sse"))
    home, peer = nodes.taken()
    peer.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    told = b"event: endpoint\ndata: /messages?sessionId=abc\n\n"
    for at in range(0, len(told), 7):
        piece = told[at : at + 7]
        peer.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        nodes.world.settle()
    client.until(lambda: b"abc" in client.got)
    del nodes.peers[home]
    assert nodes.stays(get("/messages?sessionId=abc", method="POST"), home)


def opened(world: World, *lines: str, body: bytes, cut: int = 0) -> bytes:
    """What a client gets of an answer to a handshake of Engine.IO that is sent in two pieces."""
    client, node = world.ask(get("/socket.io/?EIO=4&transport=polling"))
    node.head()
    answer = ok(body, *lines)
    cut = cut or len(body)
    node.send(answer[:-cut])
    world.settle()
    node.send(answer[-cut:])
    status, got = client.response()
    assert status == 200
    return got


OPEN = b'0{"sid":"abc","pingInterval":25000,"pingTimeout":20000}'
RAW = zlib.compressobj(wbits=-15)
COMPRESSED = {
    "gzip": ("gzip", gzip.compress(OPEN)),
    "x-gzip": ("X-GZIP", gzip.compress(OPEN)),
    "deflate": ("deflate", zlib.compress(OPEN)),
    "raw deflate": ("deflate", RAW.compress(OPEN) + RAW.flush()),
    "identity": ("identity", OPEN),
}


@pytest.mark.parametrize(("coding", "body"), COMPRESSED.values(), ids=COMPRESSED)
@pytest.mark.parametrize("cut", [0, 1, 40])
def test_a_compressed_answer_is_read_and_passed_on_as_it_is(world, coding, body, cut):
    assert opened(world, f"content-encoding: {coding}", body=body, cut=cut) == body
    assert world.count("sid_learned") == 1


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br"])
def test_a_coding_that_is_not_read_is_counted(world, coding):
    assert opened(world, f"content-encoding: {coding}", body=OPEN) == OPEN
    assert (world.count("sid_learned"), world.count("sid_not_learned_coding")) == (0, 1)


@pytest.mark.parametrize("body", [b"not compressed at all", gzip.compress(bytes(100_000))])
def test_what_is_no_handshake_is_passed_on(world, body):
    assert opened(world, "content-encoding: gzip", body=body, cut=3) == body
    assert (world.count("sid_learned"), world.count("sid_not_learned_coding")) == (0, 0)


def test_a_script_is_read(world):
    script = b'___eio[0]("0{\\"sid\\":\\"abc\\"}");'
    assert opened(world, body=script, cut=9) == script
    assert world.count("sid_learned") == 1


def test_a_long_answer_is_not_looked_through(cluster):
    nodes = cluster(json_field("tok"))
    nodes.ask(get(), ok(b'{"a":"' + b"x" * 16384 + b'","tok":"abc"}', JSON))
    assert nodes.world.count("sid_learned") == 0
