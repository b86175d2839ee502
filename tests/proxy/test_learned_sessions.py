"""Sessions that are no Socket.IO's, from the file's `learn` to the node that issued their ids."""

import json
import secrets

import pytest

from tests.support.adversary import Node, answering
from tests.support.engine_io import ask, node_of, response
from tests.support.messages import Message
from tests.support.proxies import World, Worlds, departures

STAYS = pytest.mark.departure("Envoy learns nothing from its nodes")

SIGNALR = {"name": "signalr", "issued": ["json:connectionToken"], "returned": ["query:id"], "lifetime": 60}
LEARN = ["mcp", "sockjs", "cookie:JSESSIONID", "query:session", SIGNALR]
TRIES = 8


def serve(node: Node, request: Message) -> bytes:
    """Ids from /cookie, /mcp, /redirect and /negotiate, in the way of those that hand out such ids."""
    new = secrets.token_urlsafe(16)
    path = request.head.target.partition(b"?")[0]
    if path == b"/cookie":
        return response(node, new.encode(), more=f"set-cookie: JSESSIONID={new}; Path=/; HttpOnly\r\n".encode())
    if path == b"/mcp" and request.head.get(b"mcp-session-id") is None:
        return response(node, new.encode(), more=f"Mcp-Session-Id: {new}\r\n".encode())
    if path == b"/redirect":
        return response(node, new.encode(), b"302 Found", f"location: /app?a=b&session={new}\r\n".encode())
    if path == b"/negotiate":
        answer = {"negotiateVersion": 1, "connectionId": "other", "connectionToken": new}
        return response(node, json.dumps(answer).encode(), more=b"content-type: application/json\r\n")
    return response(node, b"ok")


@pytest.fixture(scope="module")
def world(worlds: Worlds) -> World:
    """Four nodes in turn: without a session no two requests go to one node."""
    nodes = [Node(answering(serve)) for _ in range(4)]
    return worlds.start(nodes=nodes, concurrency=2, http_filters=departures(learn=LEARN, least_sessions=False))


def assert_stays(world: World, first: Message, target: str, headers: dict[str, str] | None = None) -> None:
    answers = [ask(world, target, headers=headers) for _ in range(TRIES)]
    assert {node_of(answer) for answer in answers} == {node_of(first)}


@STAYS
def test_a_cookie_of_the_application(world: World) -> None:
    for _ in range(3):
        first = ask(world, "/cookie")
        assert_stays(world, first, "/page", {"cookie": f"a=b; JSESSIONID={first.body.decode()}"})


@STAYS
def test_mcp(world: World) -> None:
    for _ in range(3):
        first = ask(world, "/mcp", method="POST")
        assert_stays(world, first, "/mcp", {"mcp-session-id": first.body.decode()})


@STAYS
def test_a_parameter_of_a_redirect(world: World) -> None:
    for _ in range(3):
        first = ask(world, "/redirect")
        assert_stays(world, first, f"/app?session={first.body.decode()}")


@STAYS
def test_a_token_that_comes_back_under_another_name(world: World) -> None:
    """SignalR's."""
    for _ in range(3):
        first = ask(world, "/negotiate", method="POST")
        assert_stays(world, first, f"/hub?id={json.loads(first.body)['connectionToken']}")


@STAYS
def test_sockjs(world: World) -> None:
    for _ in range(3):
        path = f"/echo/{secrets.randbelow(1000):03d}/{secrets.token_hex(4)}"
        first = ask(world, f"{path}/xhr", method="POST")
        assert_stays(world, first, f"{path}/xhr_send")


def test_ids_of_one_kind_are_none_of_another(world: World) -> None:
    first = ask(world, "/cookie")
    answers = [ask(world, f"/app?session={first.body.decode()}") for _ in range(2 * TRIES)]
    assert len({node_of(answer) for answer in answers}) > 1
