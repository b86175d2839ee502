"""Buckets that each connection has for itself: beside those of others, and as long as it lasts."""

from dataclasses import replace
from typing import Any

from fastproxy.model import DescriptorLimit, LocalRateLimit, Route, RouteMatch, TokenBucket, TrafficLimits
from fastproxy.model_descriptors import ActionKind, DescriptorAction, DescriptorRule
from fastproxy.model_routes import DirectResponse
from tests.unit.engine_world import get

WHOLE = 1_000_000
RULE = DescriptorRule((DescriptorAction(ActionKind.REQUEST_HEADER, "k", name="x-k"),))
HELLO = DirectResponse(200, b"hi")


def limit(tokens=2, place="here", **fields):
    shares: dict[str, Any] = {"enabled": WHOLE, "enforced": WHOLE, "per_connection": True, "rules": (RULE,)}
    return LocalRateLimit("p", place, TokenBucket(tokens, 1, 1000.0), **shares | fields)


def route(path, limit):
    return Route(RouteMatch(path=path), direct_response=HELLO, limits=TrafficLimits(limit))


def statuses(client, *headers, path="/"):
    return [client.send(get(path, *([header] if header else []))).response()[0] for header in headers]


def test_each_connection_has_its_own(worlds):
    world = worlds(routes=(route("/", limit()),))
    for _ in range(2):
        assert statuses(world.client(), "", "", "") == [200, 200, 429]


def test_each_limit_has_its_own_on_a_connection(worlds):
    world = worlds(routes=(route("/", limit()), route("/other", limit(1, "there"))))
    client = world.client()
    assert statuses(client, "") == [200]
    assert statuses(client, "", "", path="/other") == [200, 429]
    assert statuses(client, "", "") == [200, 429]


def test_those_of_descriptors(worlds):
    """One for the value a, one for each other value."""
    descriptors = (
        DescriptorLimit((("k", "a"),), TokenBucket(2, 1, 1000.0)),
        DescriptorLimit((("k", ""),), TokenBucket(1, 1, 1000.0)),
    )
    world = worlds(routes=(route("/", limit(100, descriptors=descriptors)),))
    for _ in range(2):
        client = world.client()
        assert statuses(client, *["x-k: a"] * 3) == [200, 200, 429]
        assert statuses(client, "x-k: b", "x-k: b", "x-k: c", "") == [200, 429, 200, 200]


def test_after_a_reload_a_connection_has_what_was_left(worlds):
    """A limit that says something else begins anew, and the connection keeps what it has of the other."""
    routes = (route("/", limit()),)
    world = worlds(routes=routes)
    client = world.client()
    assert statuses(client, "") == [200]
    world.change(routes=(route("/", limit(1)),))
    assert statuses(client, "", "") == [200, 429]
    world.change(routes=routes)
    assert statuses(client, "", "") == [200, 429]


def test_more_limits_than_a_connection_has_room_for_begin_anew(worlds):
    many = tuple(DescriptorLimit((("k", str(number)),), TokenBucket(1, 1, 1000.0)) for number in range(4000))
    limits = [replace(limit(place=str(number)), descriptors=many) for number in range(3)]
    world = worlds(routes=tuple(route(f"/{each.place}", each) for each in limits))
    client = world.client()
    for each in limits:
        assert statuses(client, "", "", "", path=f"/{each.place}") == [200, 200, 429]
    assert statuses(client, "", path="/0") == [200]
