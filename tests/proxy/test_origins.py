"""Pages of other origins: from the file's `allowed_origins` to a real handshake and a real poll."""

import pytest

from tests.support.adversary import Node
from tests.support.engine_io import ask, ask_upgrade, engine_io, sid_in
from tests.support.proxies import IS_ENVOY, Json, World, Worlds, departures, route

pytestmark = pytest.mark.departure("Envoy has no such filter")

OPEN = "/socket.io/?EIO=4&transport=polling"
FOREIGN = {"origin": "https://evil.test"}
APP = {"origin": "https://app.test"}


def open_to(*origins: str) -> Json:
    typed = {"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "type_url": "fastproxy.v1.HttpFilter"}
    return {**typed, "value": {"allowed_origins": list(origins)}}


@pytest.fixture(scope="module")
def world(worlds: Worlds) -> World:
    """The listener is open to one origin and to pages of its own; /public to everybody."""
    public = {} if IS_ENVOY else {"typed_per_filter_config": {"fastproxy": open_to("*")}}
    filters = departures(allowed_origins=["same", "https://app.test"], require_origin=True)
    routes = [{**route("/public", "backend"), **public}]
    return worlds.start(nodes=[Node(engine_io())], routes=routes, http_filters=filters)


def test_a_poll(world: World) -> None:
    before = world.proxy.stats()["http.ingress_http.origin_refused"]
    refused = ask(world, OPEN, headers=FOREIGN)
    assert (refused.head.status, refused.body) == (403, b"origin not allowed")
    assert world.proxy.stats()["http.ingress_http.origin_refused"] == before + 1
    for headers in (APP, {}):
        assert sid_in(ask(world, OPEN, headers=headers).body)
    assert ask(world, "/public" + OPEN, headers=FOREIGN).head.status == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (b"https://evil.test", 403),
        (b"https://app.test.evil.test", 403),
        (b"null", 403),
        (b"https://app.test", 101),
        (b"http://a", 101),
        (b"https://a", 101),
        (None, 403),
    ],
)
def test_a_handshake(world: World, origin: bytes | None, status: int) -> None:
    header = b"" if origin is None else b"Origin: " + origin + b"\r\n"
    assert ask_upgrade(world, "/socket.io/?EIO=4&transport=websocket", header).status == status
    assert ask_upgrade(world, "/public/socket.io/?EIO=4&transport=websocket", header).status == (101 if origin else 403)
