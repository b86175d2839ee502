"""Which sessions stay on their nodes: what the filter of a listener says, and what stands at routes and above them."""

import pytest

from fastproxy.config import build, coverage
from fastproxy.config.build_affinity import Settings, session_table_slots
from fastproxy.model import DEFAULT_AFFINITY, SessionAffinity
from fastproxy.model_affinity import ENGINE_IO, MCP, SOCKJS, cookie
from tests.unit.config_files import (
    MANAGER_PATH,
    V3_MANAGER_PATH,
    V3_ROUTE_PATH,
    errors,
    load,
    refused,
    v1,
    v1_manager,
    v3_file,
    v3_listener,
    v3_manager,
    v3_route,
    view,
)

TYPED = "type.googleapis.com/"
FILTER_CONFIG = f"{TYPED}envoy.config.route.v3.FilterConfig"
CONFIG_PATH = f"{V3_MANAGER_PATH}.route_config"
HOST_PATH = f"{CONFIG_PATH}.virtual_hosts[0]"
VALUE = f"{V3_MANAGER_PATH}.http_filters[0].typed_config.value"
OFF = SessionAffinity(protocols=())


def ours(**value):
    """What our filter is configured with, at a listener or for a route."""
    return {
        "@type": f"{TYPED}xds.type.v3.TypedStruct",
        "type_url": f"{TYPED}fastproxy.v1.HttpFilter",
        "value": value,
    }


def at_listener(value=None, name="fastproxy", **more):
    return lambda document: v3_manager(document)["http_filters"].insert(
        0, {"name": name, "typed_config": ours(**(value or {})), **more}
    )


def at_config(config, name="fastproxy"):
    return lambda document: v3_manager(document)["route_config"].update(typed_per_filter_config={name: config})


def at_host(config, name="fastproxy"):
    return lambda document: v3_manager(document)["route_config"]["virtual_hosts"][0].update(
        typed_per_filter_config={name: config}
    )


def at_route(config, name="fastproxy"):
    return lambda document: v3_route(document).update(typed_per_filter_config={name: config})


def built(*changes):
    document = v3_file()
    for change in changes:
        change(document)
    bootstrap, report = view(document)
    return build.build(bootstrap, report), report


def mistakes(*changes):
    return errors(built(*changes)[1])


def listener(*changes):
    """The affinity of the only connection manager."""
    found, report = built(*changes)
    assert errors(report) == []
    return found.listeners[0].manager.affinity


def route(*changes):
    """The affinity of the only route."""
    found, report = built(*changes)
    assert errors(report) == []
    return found.listeners[0].manager.route_config.virtual_hosts[0].routes[0].affinity


def test_without_a_filter():
    assert listener() == DEFAULT_AFFINITY == Settings().affinity()
    assert route() is None


@pytest.mark.parametrize(
    ("value", "affinity"),
    [
        ({}, DEFAULT_AFFINITY),
        ({"sid_affinity": False}, OFF),
        ({"learn": ["mcp", "cookie:a"]}, SessionAffinity((ENGINE_IO, MCP, cookie("a")))),
        ({"sid_affinity": False, "learn": ["sockjs"]}, SessionAffinity((SOCKJS,))),
        ({"ask_unknown": False}, SessionAffinity(ask=False)),
        ({"max_asked_body_bytes": 0}, SessionAffinity(max_asked_body_bytes=0)),
        ({"max_asked_body_bytes": 64 << 20}, SessionAffinity(max_asked_body_bytes=64 << 20)),
        ({"max_asked_body_bytes": 5.0}, SessionAffinity(max_asked_body_bytes=5)),
        ({"least_sessions": False}, SessionAffinity(least_sessions=False)),
    ],
)
def test_keys_of_the_listener_and_of_a_route(value, affinity):
    assert listener(at_listener(value)) == affinity
    assert route(at_route(ours(**value))) == affinity


def test_a_disabled_entry_is_off_but_for_routes_that_say_more():
    off = at_listener({"learn": ["mcp"]}, disabled=True)
    assert listener(off) == OFF
    assert route(off) is None
    assert route(off, at_route(ours())) == SessionAffinity((ENGINE_IO, MCP))
    assert route(off, at_route({"@type": FILTER_CONFIG, "config": {}})) == SessionAffinity((ENGINE_IO, MCP))


def test_the_most_specific_level_that_has_a_key_counts():
    levels = [
        at_listener({"learn": ["mcp"], "max_asked_body_bytes": 1, "ask_unknown": False}),
        at_config(ours(learn=["sockjs"], least_sessions=False)),
        at_host(ours(max_asked_body_bytes=2)),
    ]
    assert route(*levels) == SessionAffinity((ENGINE_IO, SOCKJS), False, 2, False)
    assert route(*levels, at_route(ours(learn=[], ask_unknown=True))) == SessionAffinity((ENGINE_IO,), True, 2, False)


def test_a_route_is_turned_off_and_on():
    off = {"@type": FILTER_CONFIG, "disabled": True}
    assert route(at_host(off)) == OFF
    assert route(at_route({**off, "config": ours(learn=["mcp"])})) == OFF
    assert route(at_host(off), at_route(ours())) == DEFAULT_AFFINITY
    assert route(at_host(off), at_route({"@type": FILTER_CONFIG, "config": ours(learn=["mcp"])})) == SessionAffinity(
        (ENGINE_IO, MCP)
    )


def test_settings_stand_under_the_name_of_the_filter():
    assert route(at_listener(name="sticky"), at_route(ours(learn=["mcp"]), "sticky")).protocols == (ENGINE_IO, MCP)
    [(path, message)] = mistakes(at_route(ours(), "sticky"))
    assert path == f"{V3_ROUTE_PATH}.typed_per_filter_config.sticky"
    assert message == 'settings of this filter stand under its name, "fastproxy"'


def test_disabling_another_filter_is_none_of_ours():
    assert route(at_route({"@type": FILTER_CONFIG, "disabled": True}, "other")) is None


PER_ROUTE = f"{V3_ROUTE_PATH}.typed_per_filter_config.fastproxy"
LISTENER_ONLY = "counts for a whole listener; write it to the entry in http_filters"


@pytest.mark.parametrize(
    ("value", "key", "message"),
    [
        ({"connect_failover": True}, "connect_failover", LISTENER_ONLY),
        ({"polls_outlive_default_timeout": True}, "polls_outlive_default_timeout", LISTENER_ONLY),
        ({"session_table_slots": 4096}, "session_table_slots", LISTENER_ONLY),
        ({"learnt": []}, "learnt", 'there is no such key for a route; did you mean "learn"?'),
        ({"ask_unknown": "no"}, "ask_unknown", 'expected true or false, not the text "no"'),
        ({"learn": ["sokjs"]}, "learn[0]", 'there is no preset "sokjs"; did you mean "sockjs"?'),
    ],
)
def test_mistakes_of_a_route(value, key, message):
    assert mistakes(at_route(ours(**value))) == [(f"{PER_ROUTE}.value.{key}", message)]


@pytest.mark.parametrize(
    ("value", "key", "message"),
    [
        (
            {"max_asked_body_bytes": (64 << 20) + 1},
            "max_asked_body_bytes",
            "expected a whole number from 0 to 67108864 (each request that is asked for is held in memory), "
            "not the number 67108865",
        ),
        (
            {"session_table_slots": 1023},
            "session_table_slots",
            "expected a whole number from 1024 to 268435456 (16 bytes each, 4 GiB at most), not the number 1023",
        ),
        (
            {"session_table_slots": True},
            "session_table_slots",
            "expected a whole number from 1024 to 268435456 (16 bytes each, 4 GiB at most), not true",
        ),
        ({"least_sessions": None}, "least_sessions", "expected true or false, not null"),
        (
            {"sid_afinity": False},
            "sid_afinity",
            'there is no such key in the fastproxy filter; did you mean "sid_affinity"?',
        ),
    ],
)
def test_mistakes_of_a_listener(value, key, message):
    assert mistakes(at_listener(value)) == [(f"{VALUE}.{key}", message)]


def test_the_clusters_of_a_weighted_route_have_no_settings():
    def change(document):
        clusters = [{"name": "nodes", "weight": 1, "typed_per_filter_config": {"fastproxy": ours()}}]
        v3_route(document)["route"] = {"weighted_clusters": {"clusters": clusters}}

    document = v3_file()
    change(document)
    bootstrap, report = view(document)
    coverage.check(bootstrap, report)
    path = f"{V3_ROUTE_PATH}.route.weighted_clusters.clusters[0].typed_per_filter_config"
    message = "not supported: what filters do is the same for all clusters of a route; write it to the route"
    assert errors(report) == [(path, message)]


class TestSizeOfTheTable:
    def test_is_the_default_where_nobody_says_another(self):
        assert built()[0].session_table_slots == 1 << 20

    def test_is_the_largest_of_the_file(self):
        def second(document):
            chain = v3_listener(document)["filter_chains"][0]
            other = {**v3_manager(document), "http_filters": list(v3_manager(document)["http_filters"])}
            other["http_filters"][0] = {"name": "fastproxy", "typed_config": ours(session_table_slots=4096)}
            v3_listener(document)["default_filter_chain"] = {
                "filters": [{**chain["filters"][0], "typed_config": other}]
            }

        found, report = built(at_listener({"session_table_slots": 2048}), second)
        assert errors(report) == []
        assert found.session_table_slots == 4096

    def test_is_read_from_a_tcp_proxy_too(self):
        """Whose chains have no HTTP filters at all."""
        tcp = {"@type": f"{TYPED}envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", "stat_prefix": "t"}
        document = v3_file()
        v3_listener(document)["filter_chains"][0]["filters"] = [{"name": "tcp", "typed_config": tcp}]
        bootstrap, _ = view(document)
        assert session_table_slots(bootstrap.child("static_resources"), 7) == 7


class TestV1:
    def test_the_entry_of_a_manager(self, tmp_path):
        document = v1()
        value = {"learn": ["mcp"], "session_table_slots": 1024}
        v1_manager(document)["filters"].insert(0, {"name": "fastproxy", "config": value})
        found = load(tmp_path, document).configuration
        assert found.listeners[0].manager.affinity == SessionAffinity((ENGINE_IO, MCP))
        assert found.session_table_slots == 1024

    def test_a_mistake_has_its_place(self, tmp_path):
        document = v1()
        v1_manager(document)["filters"].insert(0, {"name": "fastproxy", "config": {"learn": ["cookie:"]}})
        [problem] = refused(tmp_path, document)
        assert problem.path == f"{MANAGER_PATH}.filters[0].config.learn[0]"
        assert problem.message == 'the name of the cookie is missing behind "cookie:"'
        assert problem.line > 1
