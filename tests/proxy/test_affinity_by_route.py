"""Routes say for themselves whose sessions stay: the most specific level counts, wherever it stands."""

import pytest

from tests.proxy.test_affinity import KNOWN, OPEN, RING, assert_sticks, open_session, referer, some_referer
from tests.support.adversary import Node
from tests.support.engine_io import ask, engine_io, node_of, sessions, sid_in
from tests.support.proxies import IS_ENVOY, ROUTER, Json, World, Worlds, departures, route

pytestmark = pytest.mark.departure("Envoy has no such filter")

OFF: Json = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}


def settings(**values: object) -> Json:
    """What the filter of a listener, or of a route, is configured with."""
    typed = {"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "type_url": "fastproxy.v1.HttpFilter"}
    return {**typed, "value": values}


def world_of(worlds: Worlds, *routes: Json, filters: list[Json]) -> World:
    return worlds.start(nodes=[Node(engine_io()) for _ in range(4)], routes=routes, http_filters=filters, **RING)


def special(config: Json) -> Json:
    """The route for /special, with settings of its own."""
    own = {} if IS_ENVOY else {"typed_per_filter_config": {"fastproxy": config}}
    return {**route("/special", "backend", **RING["action"]), **own}


def moves(world: World, prefix: str) -> bool:
    """Whether requests of a session go where the hash says, and not to the node that issued it."""
    sid = sid_in(ask(world, prefix + OPEN, headers=some_referer()).body)
    target = prefix + KNOWN.format(eio=4, transport="polling", sid=sid)
    pages = [node_of(ask(world, "/page", headers=referer(number))) for number in range(12)]
    assert len(set(pages)) > 1
    return pages == [node_of(ask(world, target, headers=referer(number))) for number in range(12)]


def test_off_for_a_route(worlds: Worlds) -> None:
    world = world_of(worlds, special(OFF), filters=departures())
    assert moves(world, "/special")
    assert_sticks(world, *open_session(world))


def test_on_for_a_route_alone(worlds: Worlds) -> None:
    ours = {"name": "fastproxy", "disabled": True, "typed_config": settings()}
    world = world_of(worlds, special(settings()), filters=[ROUTER] if IS_ENVOY else [ours, ROUTER])
    assert moves(world, "")
    assert not moves(world, "/special")


def test_nodes_are_not_asked_on_every_route(worlds: Worlds) -> None:
    world = world_of(worlds, special(settings(ask_unknown=False)), filters=departures())
    home = world.nodes[2]
    for number in range(8):
        strange, other = f"strange{number}", f"other{number}"
        sessions(home).update((strange.encode(), other.encode()))
        pointed_at = node_of(ask(world, "/page", headers=referer(number)))
        target = KNOWN.format(eio=4, transport="polling", sid=strange)
        assert node_of(ask(world, "/special" + target, headers=referer(number))) == pointed_at
        target = KNOWN.format(eio=4, transport="polling", sid=other)
        assert node_of(ask(world, target, headers=referer(number))) == home.port


def test_larger_bodies_are_not_asked_about(worlds: Worlds) -> None:
    """The one of a POST has one byte."""
    world = world_of(worlds, special(settings(max_asked_body_bytes=0)), filters=departures())
    home = world.nodes[2]
    for number in range(8):
        strange, other = f"strange{number}", f"other{number}"
        sessions(home).update((strange.encode(), other.encode()))
        pointed_at = node_of(ask(world, "/page", headers=referer(number)))
        target = KNOWN.format(eio=4, transport="polling", sid=strange)
        assert node_of(ask(world, "/special" + target, method="POST", headers=referer(number))) == pointed_at
        target = KNOWN.format(eio=4, transport="polling", sid=other)
        assert node_of(ask(world, target, method="POST", headers=referer(number))) == home.port
