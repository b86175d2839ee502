"""Where the next try goes: hosts that are rejected, priorities that are left out, hosts and clusters that change."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from fastproxy.model import HeaderHashPolicy, HealthConfig, HealthStatus, Host, LbPolicy
from fastproxy.model_affinity import MCP, SessionAffinity
from fastproxy.model_clusters import CircuitBreakers, Thresholds
from fastproxy.model_health import HealthFlag
from tests.unit.engine_world import Peer, World, get, ok
from tests.unit.test_exchange_retrying import OPEN, OPENING, answering, busy, counts, policy

HASHED = {"hash_policies": (HeaderHashPolicy("x-sid"),)}
RED, BLUE = (("colour", ('"red"',)),), (("colour", ('"blue"', '"green"')),)
Fields = tuple[dict[str, Any], ...]
MANY = {"host_selection_retry_max_attempts": 1000}
NO_HEALTHY = (503, b"no healthy upstream")


def asked_by(world: World, *lines: str) -> list[int]:
    return answering(world, world.client().send(get("/", *lines)))


def test_canaries_get_no_retries(worlds):
    hosts: Fields = ({"is_canary": True}, {}, {"is_canary": True})
    world = worlds(3, route=policy("5xx", retries=3, omits_canary_hosts=True, **MANY), hosts=hosts)
    assert asked_by(world) == [0, 1, 1, 1]  # the first try may go to a canary


@pytest.mark.parametrize("kind", [LbPolicy.ROUND_ROBIN, LbPolicy.RING_HASH, LbPolicy.MAGLEV])
def test_hosts_with_labels_get_no_retries(worlds, kind):
    omitted = ((("colour", '"red"'),), (("colour", '"green"'),))
    found = policy("5xx", retries=3, omitted_labels=omitted, **MANY) | HASHED
    world = worlds(3, route=found, hosts=({"labels": RED}, {"labels": BLUE}, {}), cluster={"lb_policy": kind})
    assert asked_by(world, "x-sid: a")[1:] == [2, 2, 2]


def test_all_predicates_together(worlds):
    """What remains when one host was tried, one is a canary and one has the label."""
    found = policy(
        "5xx", retries=2, avoids_previous_hosts=True, omits_canary_hosts=True,
        omitted_labels=((("colour", '"red"'),),), **MANY,
    )  # fmt: skip
    world = worlds(4, route=found, hosts=({}, {"is_canary": True}, {"labels": RED}, {}))
    assert asked_by(world)[:2] == [0, 3]


def test_the_last_one_is_taken_when_all_are_rejected(worlds):
    hosts: Fields = ({"is_canary": True},) * 3
    world = worlds(3, route=policy("5xx", omits_canary_hosts=True, host_selection_retry_max_attempts=1), hosts=hosts)
    assert asked_by(world) == [0, 2]  # 1 was rejected, and so would be 2


def test_so_many_attempts_and_no_more(worlds):
    hosts: Fields = (*[{"is_canary": True}] * 3, {})
    world = worlds(4, route=policy("5xx", omits_canary_hosts=True, host_selection_retry_max_attempts=2), hosts=hosts)
    assert asked_by(world) == [0, 3]
    world = worlds(4, route=policy("5xx", omits_canary_hosts=True, host_selection_retry_max_attempts=1), hosts=hosts)
    assert asked_by(world) == [0, 2]


PRIORITIES = tuple({"priority": priority} for priority in (0, 0, 1, 2))


def test_priorities_that_were_tried_are_left_out(worlds):
    world = worlds(4, route=policy("5xx", retries=4, priority_update_frequency=1), hosts=PRIORITIES)
    first, *others, again, last = asked_by(world)
    assert first in (0, 1)
    assert others == [2, 3]
    assert again in (0, 1)  # all were tried, so it begins again
    assert last == 2


def test_priorities_are_left_out_after_every_second_try(worlds):
    world = worlds(4, route=policy("5xx", retries=5, priority_update_frequency=2), hosts=PRIORITIES)
    asked = asked_by(world)
    assert sorted(asked[:2]) == [0, 1]
    assert asked[2:] == [2, 2, 3, 3]


@pytest.mark.parametrize("kind", [LbPolicy.RANDOM, LbPolicy.LEAST_REQUEST])
def test_whatever_does_not_hash_leaves_priorities_out(worlds, kind):
    found = policy("5xx", retries=2, priority_update_frequency=1)
    world = worlds(4, route=found, hosts=PRIORITIES, cluster={"lb_policy": kind})
    assert asked_by(world)[1:] == [2, 3]


@pytest.mark.parametrize("kind", [LbPolicy.RING_HASH, LbPolicy.MAGLEV])
def test_what_hashes_keeps_to_its_priority(worlds, kind):
    """As Envoy: the hash draws the priority."""
    found = policy("5xx", retries=2, priority_update_frequency=1) | HASHED
    world = worlds(4, route=found, hosts=PRIORITIES, cluster={"lb_policy": kind})
    (only,) = set(asked_by(world, "x-sid: a"))
    assert only in (0, 1)


def test_priorities_with_nobody_to_take_a_try_are_passed_over(worlds):
    hosts: Fields = ({}, {"priority": 1, "health_status": HealthStatus.UNHEALTHY}, {"priority": 2})
    found = policy("5xx", retries=2, priority_update_frequency=1)
    world = worlds(3, route=found, hosts=hosts, cluster={"health": HealthConfig(panic_threshold=0)})
    assert asked_by(world) == [0, 2, 0]


def test_predicates_and_priorities_together(worlds):
    """The only host of the next priority is a canary: it is taken, as nothing else is left there."""
    hosts: Fields = ({}, {"priority": 1, "is_canary": True}, {"priority": 2})
    found = policy("5xx", priority_update_frequency=1, omits_canary_hosts=True, **MANY)
    assert asked_by(worlds(3, route=found, hosts=hosts)) == [0, 1]


def test_one_priority_has_nothing_to_leave_out(worlds):
    world = worlds(2, route=policy("5xx", retries=3, priority_update_frequency=1))
    assert Counter(asked_by(world)) == {0: 2, 1: 2}


def test_hosts_that_could_not_be_connected_were_tried(worlds):
    """The first one refuses, the second one answers 503: a retry goes to the third."""
    world = worlds(3, route=policy("5xx", avoids_previous_hosts=True, **MANY))
    world.nodes[0].stop()
    client = world.client().send(get())
    busy(world.nodes[1].accept())
    node = world.nodes[2].accept()
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")


@pytest.mark.parametrize("canaries", [{1}, {1, 2}])
def test_who_cannot_be_connected_is_followed_by_a_host_that_is_not_rejected(worlds, canaries):
    """Without a try of the policy; if all others are rejected it is one of them."""
    hosts: Fields = tuple({"is_canary": place in canaries} for place in range(3))
    world = worlds(3, route=policy("5xx", omits_canary_hosts=True), hosts=hosts)
    world.nodes[0].stop()
    client = world.client().send(get())
    answered(world, 2 if canaries == {1} else 1, client)


@pytest.mark.parametrize("previous", [True, False])
def test_a_new_session_begins_elsewhere(worlds, previous):
    """Where sessions go to the host with the fewest, the one that fails has the fewest for ever."""
    world = worlds(3, route=policy("5xx", retries=2, avoids_previous_hosts=previous))
    for place in range(2):  # the first two hosts get a session each, the third none
        client = world.client().send(get(OPENING))
        world.until(lambda: any(node.is_asked() for node in world.nodes))
        node = next(node for node in world.nodes if node.is_asked()).accept()
        node.head()
        node.send(ok(OPEN.replace(b"abcdefghij", b"%d-abcdefgh" % place), "connection: close"))
        client.response()
    asked = answering(world, world.client().send(get(OPENING)))
    assert len(set(asked)) == (3 if previous else 1)


# names of hosts


NAMES: Fields = ({"hostname": "a.example"}, {"hostname": "b.example"}, {})


def test_each_try_has_the_name_of_its_host(worlds):
    found = policy("5xx", retries=3, avoids_previous_hosts=True, **MANY) | {"auto_host_rewrite": True}
    world = worlds(3, route=found, hosts=NAMES)
    client = world.client().send(get())
    said = []
    for place in range(3):
        head = busy(world.nodes[place].accept())
        said.append([line for line in head.split(b"\r\n") if b"host" in line.partition(b":")[0]])
    original = b"x-envoy-original-host: example.com"
    assert said == [
        [b"host: a.example", original], [b"host: b.example", original], [b"host: example.com", original],
    ]  # fmt: skip
    client.close()


def test_a_name_that_the_first_host_did_not_have(worlds):
    found = policy("5xx", avoids_previous_hosts=True, **MANY) | {"auto_host_rewrite": True}
    world = worlds(2, route=found, hosts=(NAMES[2], NAMES[0]))
    client = world.client().send(get("/", "content-length: 2", method="POST") + b"hi")
    heads = []
    for place in range(2):
        node = world.nodes[place].accept()
        heads.append(node.head())
        assert node.take(2) == b"hi"
        node.send(b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy")
    assert heads[0].startswith(b"POST / HTTP/1.1\r\nhost: example.com\r\n")
    assert heads[1].startswith(b"POST / HTTP/1.1\r\nhost: a.example\r\n")
    assert heads[1].endswith(b"\r\nx-envoy-original-host: example.com\r\n\r\n")
    assert client.response() == (503, b"busy")


# what changes between two tries


def slow(*words: str, **fields: Any) -> dict[str, Any]:
    """A policy whose back-off leaves time for something to happen, of which the test waits for the end."""
    return policy(*words, retries=9, **{"back_off_base_s": 0.08, "back_off_max_s": 0.08, **fields})


def in_back_off(world: World) -> int:
    """Have the request under way fail until it waits for its next try; the place of the host where it has failed."""
    while True:
        world.until(lambda: any(node.is_asked() for node in world.nodes))
        place = next(place for place, node in enumerate(world.nodes) if node.is_asked())
        before = counts(world, "")
        busy(world.nodes[place].accept(), "connection: close")
        world.until(lambda: counts(world, "") != before)  # noqa: B023
        if not any(node.is_asked() for node in world.nodes):  # else the lot was over at once
            return place


def answered(world: World, place: int, client: Peer) -> None:
    node = world.nodes[place].accept()
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")


def hosts_of(world: World, *places: int) -> list[Host]:
    return [Host(world.nodes[place].address) for place in places]


def test_the_host_leaves_during_the_back_off(worlds):
    world = worlds(2, route=slow("5xx"))
    client = world.client().send(get())
    place = in_back_off(world)
    world.engine.set_hosts("backend", hosts_of(world, 1 - place))
    answered(world, 1 - place, client)


def test_all_hosts_leave_during_the_back_off(worlds):
    world = worlds(2, route=slow("5xx"))
    client = world.client().send(get())
    in_back_off(world)
    world.engine.set_hosts("backend", [])
    assert client.response() == NO_HEALTHY


def test_the_cluster_is_another_one_after_the_back_off(worlds):
    """The next try counts among the retries of the cluster that is in use, and goes to its hosts."""
    world = worlds(2, route=slow("5xx"))
    client = world.client().send(get())
    place = in_back_off(world)
    other = replace(
        world.configuration.clusters[0], hosts=tuple(hosts_of(world, 1 - place)), lb_policy=LbPolicy.RANDOM,
        circuit_breakers=CircuitBreakers(Thresholds(max_retries=7)),
    )  # fmt: skip
    world.reload(replace(world.configuration, clusters=(other,)))
    answered(world, 1 - place, client)
    assert world.gauges().keys() & {world.layout.cluster("backend")} == set()


def test_the_cluster_has_gone_after_the_back_off(worlds):
    world = worlds(2, route=slow("5xx"))
    client = world.client().send(get())
    in_back_off(world)
    elsewhere = replace(world.configuration.clusters[0], name="elsewhere")
    manager = world.configuration.listeners[0].filter
    (host,) = manager.route_config.virtual_hosts
    route = replace(host.routes[0], cluster="elsewhere")
    routes = replace(manager.route_config, virtual_hosts=(replace(host, routes=(route,)),))
    listener = replace(world.configuration.listeners[0], filter=replace(manager, route_config=routes))
    world.reload(replace(world.configuration, listeners=(listener,), clusters=(elsewhere,)))
    assert client.response() == NO_HEALTHY


def mcp(worlds: Any, **fields: Any) -> tuple[World, Peer, int]:
    """A world with a session that is not Engine.IO's, its client and the place of its host: requests of it may be sent
    again."""
    found = slow("5xx", avoids_previous_hosts=True, omits_canary_hosts=True, priority_update_frequency=1, **MANY)
    world = worlds(2, route=found, manager={"affinity": SessionAffinity(protocols=(MCP,))}, **fields)
    client = world.client().send(get("/mcp", "content-length: 2", method="POST") + b"{}")
    world.until(lambda: any(node.is_asked() for node in world.nodes))
    place = next(place for place, node in enumerate(world.nodes) if node.is_asked())
    node = world.nodes[place].accept()
    node.head()
    assert node.take(2) == b"{}"
    node.send(ok(b"", "connection: close", "mcp-session-id: 0123456789abcdef"))
    assert client.response() == (200, b"")
    client.send(get("/mcp", "mcp-session-id: 0123456789abcdef"))
    assert in_back_off(world) == place
    return world, client, place


def test_a_session_stays_whatever_its_policy_says(worlds):
    world, client, place = mcp(worlds, hosts=({"is_canary": True}, {"priority": 1}))
    answered(world, place, client)


def test_a_session_stays_while_its_host_is_ejected(worlds):
    world, client, place = mcp(worlds)
    world.engine.set_health("backend", {str(world.nodes[place].address): int(HealthFlag.FAILED_OUTLIER_CHECK)})
    answered(world, place, client)


def test_a_session_s_host_leaves_during_the_back_off(worlds):
    """It may still be there: another one would not know the session."""
    world, client, place = mcp(worlds)
    world.engine.set_hosts("backend", hosts_of(world, 1 - place))
    answered(world, place, client)


def test_a_session_s_host_leaves_and_comes_back(worlds):
    world, client, place = mcp(worlds)
    world.engine.set_hosts("backend", hosts_of(world, 1 - place))
    world.engine.set_hosts("backend", hosts_of(world, place, 1 - place))
    answered(world, place, client)
