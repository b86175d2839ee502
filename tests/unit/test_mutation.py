"""What is changed in a request's head before it is routed, hashed and logged."""

import re

import pytest

from fastproxy.model import HeaderHashPolicy, HeadersWithUnderscoresAction, LbPolicy
from tests.unit.engine_world import World, get, ok

UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
EDGE = {"use_remote_address": True}


def changed(world: World, *lines: str) -> list[tuple[bytes, bytes]]:
    """Name and value of the fields that the node is sent, but for those of every request."""
    client, node = world.ask(get("/", *lines))
    head = node.head()
    node.send(ok(b"", "connection: close"))
    client.response()
    fields = [line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2]]
    return [(name, value) for name, value in fields if name not in {b"host", b"x-envoy-expected-rq-timeout-ms"}]


def values(fields: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for each, value in fields if each == name]


@pytest.mark.parametrize("settings", [{}, EDGE])
def test_request_ids(worlds, settings):
    fields = changed(worlds(manager=settings))
    (made,) = values(fields, b"x-request-id")
    assert UUID.fullmatch(made)


@pytest.mark.parametrize(("settings", "is_kept"), [({}, True), (EDGE, False)])
def test_a_clients_request_id(worlds, settings, is_kept):
    (found,) = values(changed(worlds(manager=settings), "x-request-id: mine"), b"x-request-id")
    assert (found == b"mine") == is_kept


def test_no_request_id(worlds):
    world = worlds(manager={"generate_request_id": False})
    assert values(changed(world), b"x-request-id") == []
    assert values(changed(world, "x-request-id: mine"), b"x-request-id") == [b"mine"]


@pytest.mark.parametrize(
    ("lines", "before"),
    [
        ([], b""),
        (["x-forwarded-for: 1.1.1.1"], b"1.1.1.1,"),
        (["x-forwarded-for: 1.1.1.1", "x-forwarded-for: 2.2.2.2"], b"1.1.1.1,2.2.2.2,"),
        (["x-forwarded-for:", "x-forwarded-for: 2.2.2.2", "x-forwarded-for:"], b"2.2.2.2,"),
        (["x-forwarded-for:"], b""),
    ],
)
def test_the_client_is_appended_at_the_edge(worlds, lines, before):
    (found,) = values(changed(worlds(manager=EDGE), *lines), b"x-forwarded-for")
    assert found.startswith(before)
    assert re.fullmatch(rb"[0-9.]+", found.removeprefix(before))


def test_appending_can_be_turned_off(worlds):
    world = worlds(manager={**EDGE, "skip_xff_append": True})
    assert values(changed(world, "x-forwarded-for: 1.1.1.1"), b"x-forwarded-for") == [b"1.1.1.1"]


@pytest.mark.parametrize(("settings", "expected"), [({}, [b"https"]), (EDGE, [b"http"])])
def test_x_forwarded_proto(worlds, settings, expected):
    assert values(changed(worlds(manager=settings), "x-forwarded-proto: https"), b"x-forwarded-proto") == expected


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        *((name, settings) for name in ("retry-on", "max-retries", "internal") for settings in ({}, EDGE)),
        ("original-path", EDGE),
    ],
)
def test_what_a_client_may_not_say(worlds, settings, name):
    assert values(changed(worlds(manager=settings), f"x-envoy-{name}: 1"), f"x-envoy-{name}".encode()) == []


def test_behind_another_proxy_the_original_path_is_kept(worlds):
    assert values(changed(worlds(), "x-envoy-original-path: /x"), b"x-envoy-original-path") == [b"/x"]


def test_the_service_asks_by_name(worlds):
    world = worlds(manager={"add_user_agent": True, "service_cluster": "front", "service_node": "n1"})
    fields = changed(world)
    assert values(fields, b"user-agent") == [b"front"]
    assert values(fields, b"x-envoy-downstream-service-cluster") == [b"front"]
    assert values(fields, b"x-envoy-downstream-service-node") == [b"n1"]
    assert values(changed(world, "user-agent: mine"), b"user-agent") == [b"mine"]


def test_fields_at_the_limit_leave_room_for_the_proxys_own(worlds):
    world = worlds(manager={**EDGE, "add_user_agent": True, "service_cluster": "a", "service_node": "b"})
    fields = changed(world, *(f"x-{number}: {number}" for number in range(99)))
    assert len([name for name, _ in fields if name[2:].isdigit()]) == 99
    assert values(fields, b"x-envoy-downstream-service-node") == [b"b"]


def test_the_changed_head_is_what_is_hashed(worlds):
    """At the edge the hash is on the address that we append, not on what a client says."""
    world = worlds(
        3, manager=EDGE, cluster={"lb_policy": LbPolicy.RING_HASH},
        route={"hash_policies": (HeaderHashPolicy("x-envoy-external-address"),)},
    )  # fmt: skip
    client = world.client()
    chosen = set()
    for number in range(6):
        client.send(get("/", f"x-envoy-external-address: 1.2.3.{number}"))
        if not number:
            world.until(lambda: any(node.is_asked() for node in world.nodes))
            (home,) = [node for node in world.nodes if node.is_asked()]
            peer = home.accept()
        peer.head()
        peer.send(ok())
        client.response()
        chosen.add(home.address)
    assert len(chosen) == 1


PRIVATE = {"internal_addresses": ("127.0.0.0/8",), **EDGE}


def test_an_internal_request_is_said_to_be_one_and_may_ask_for_a_timeout(worlds):
    world = worlds(manager=PRIVATE)
    client, node = world.ask(get("/", "x-envoy-upstream-rq-timeout-ms: 4321", "x-envoy-external-address: 9.9.9.9"))
    head = node.head()
    assert b"\r\nx-envoy-internal: true\r\n" in head
    assert b"\r\nx-envoy-external-address: 9.9.9.9\r\n" in head
    assert b"\r\nx-envoy-expected-rq-timeout-ms: 4321\r\n" in head
    assert b"rq-timeout-ms: 4321\r\nx-forwarded" not in head
    node.send(ok(b""))
    client.response()


@pytest.mark.parametrize("lines", [["x-envoy-internal: true"], ["x-envoy-internal: true", "x-forwarded-for: 1.1.1.1"]])
def test_nobody_else_can_say_so(worlds, lines):
    assert values(changed(worlds(manager=EDGE), *lines), b"x-envoy-internal") == []


@pytest.mark.parametrize("keeps", [False, True])
def test_a_client_certificate_that_nobody_has_checked(worlds, keeps):
    fields = changed(worlds(manager={"forward_client_cert": keeps}), "x-forwarded-client-cert: By=me", "a: b")
    assert values(fields, b"x-forwarded-client-cert") == ([b"By=me"] if keeps else [])
    assert values(fields, b"a") == [b"b"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], [b"fp"]),
        (["via: 1.1 a"], [b"1.1 a, fp"]),
        (["via: 1.1 a", "via: 1.1 b"], [b"1.1 a,1.1 b, fp"]),
        (["via:"], [b"fp"]),
    ],
)
def test_via(worlds, lines, expected):
    assert values(changed(worlds(manager={"via": "fp"}), *lines), b"via") == expected


def test_port_and_scheme(worlds):
    world = worlds(manager={"append_x_forwarded_port": True, "scheme_to_overwrite": "https"})
    fields = changed(world)
    assert values(fields, b"x-forwarded-port") == [b"%d" % world.listener.getsockname()[1]]
    assert values(fields, b"x-forwarded-proto") == [b"https"]
    assert values(changed(world, "x-forwarded-port: 7"), b"x-forwarded-port") == [b"7"]


def test_an_external_request_id_may_be_kept(worlds):
    settings = {**EDGE, "preserve_external_request_id": True}
    assert values(changed(worlds(manager=settings), "x-request-id: mine"), b"x-request-id") == [b"mine"]


def test_a_proxy_in_front_is_believed(worlds):
    settings = {**EDGE, "xff_num_trusted_hops": 1}
    fields = changed(worlds(manager=settings), "x-forwarded-for: 8.8.8.8", "x-forwarded-proto: https")
    assert values(fields, b"x-envoy-external-address") == [b"8.8.8.8"]
    assert values(fields, b"x-forwarded-proto") == [b"https"]


def test_underscores_in_names(worlds):
    dropping = worlds(manager={"headers_with_underscores_action": HeadersWithUnderscoresAction.DROP_HEADER})
    assert changed(dropping, "x_a: 1", "x-b_: 2", "x-c: 3")[0] == (b"x-c", b"3")
    refusing = worlds(manager={"headers_with_underscores_action": HeadersWithUnderscoresAction.REJECT_REQUEST})
    assert changed(refusing, "x-c: 3")[0] == (b"x-c", b"3")
    client = refusing.client().send(get("/", "x_a: 1"))
    assert client.response() == (400, b"Bad Request")
