"""Sessions stay on their node in whatever shape the real servers hand out the session id."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e import servers
from tests.e2e.polls import EIO_3, PLAIN, PollingSession, Shape
from tests.e2e.servers import NODE_2, NODE_4, PYTHON, RING_OF_NOTHING, Nodes, Server

SESSIONS = 6
ROUNDS = 3
GZIP, DEFLATE = {"accept_encoding": "gzip, deflate"}, {"accept_encoding": "deflate"}
BINARY = Shape("eio3-binary", 3)
JSONP_3, JSONP_4 = Shape("eio3-jsonp", 3, "&j=0"), Shape("eio4-jsonp", 4, "&j=7")
SHAPES = [
    (PYTHON, PLAIN, None),
    (PYTHON, JSONP_4, None),
    (NODE_4, PLAIN, None),
    (NODE_4, Shape("eio4-gzip", headers=GZIP), "gzip"),
    (NODE_4, Shape("eio4-deflate", headers=DEFLATE), "deflate"),
    (NODE_4, JSONP_4, None),
    (NODE_4, EIO_3, None),
    (NODE_4, BINARY, None),
    (NODE_2, EIO_3, None),
    (NODE_2, Shape("eio3-gzip", 3, "&b64=1", GZIP), "gzip"),
    (NODE_2, BINARY, None),
    (NODE_2, Shape("eio3-binary-deflate", 3, "", DEFLATE), "deflate"),
    (NODE_2, JSONP_3, None),
    (NODE_2, Shape("eio3-jsonp-gzip", 3, "&j=0", GZIP), "gzip"),
]

pytestmark = pytest.mark.departure("without a key, Envoy chooses a node for each request anew")


@pytest.fixture(scope="module")
def ports(clusters: dict[Server, Nodes], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Server, int]]:
    """A listener for three nodes of each server."""
    ways = servers.ways(RING_OF_NOTHING)
    hosts = {server: nodes.ports[:3] for server, nodes in clusters.items()}
    with servers.proxied(ways, hosts, tmp_path_factory.mktemp("shapes")):
        yield {way.server: way.port for way in ways}


@pytest.mark.parametrize(
    ("server", "shape", "encoding"), [pytest.param(*row, id=f"{row[0].name}-{row[1].name}") for row in SHAPES]
)
def test_a_session_stays_on_its_node(ports: dict[Server, int], server: Server, shape: Shape, encoding: str | None):
    sessions = [PollingSession(ports[server], shape) for _ in range(SESSIONS)]
    for session in sessions:
        assert session.opening.headers.get("content-encoding") == encoding
        nodes = set()
        for number in range(ROUNDS):
            assert session.say(f"text {number}").status == 200
            nodes.add(session.hear(f"text {number}"))
        assert len(nodes) == 1


@pytest.mark.parametrize("server", [NODE_4, NODE_2], ids=lambda server: server.name)
def test_a_preflight_goes_where_the_session_lives(ports: dict[Server, int], server: Server):
    """It carries no cookie and no body, only the `sid`."""
    wish = {"origin": "http://pages.example", "access_control_request_method": "POST"}
    for _ in range(SESSIONS):
        session = PollingSession(ports[server], PLAIN if server is NODE_4 else EIO_3)
        for _ in range(ROUNDS):
            preflight = session.ask("OPTIONS", access_control_request_headers="x-page", **wish)
            assert preflight.status < 300
            assert preflight.headers["access-control-allow-origin"] == wish["origin"]
            assert preflight.headers["x-node"] == session.opening.headers["x-node"]


def test_an_id_that_no_node_knows_is_refused_as_the_server_would(ports: dict[Server, int]):
    session = PollingSession(ports[NODE_4])
    session.sid = session.sid[::-1]
    for answer in (session.ask(), session.say("is anybody there?")):
        assert answer.status == 400
        assert json.loads(answer.body) == {"code": 1, "message": "Session ID unknown"}
