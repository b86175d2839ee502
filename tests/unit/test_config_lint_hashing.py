"""Advice about hash policies."""

import pytest

from fastproxy.config.lint import hashing
from tests.unit.config_files import V3_ROUTE_PATH, advised, v3_cluster, v3_listener, v3_manager, v3_route

POLICY = f"{V3_ROUTE_PATH}.route.hash_policy[0]"
SOURCE_IP = {"connection_properties": {"source_ip": True}}
PRIORITY = {
    "name": "previous",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
        "update_frequency": 1,
    },
}


def policies(*found):
    return lambda d: v3_route(d)["route"].update(hash_policy=list(found))


def header(name):
    return policies({"header": {"header_name": name}})


def codes(change):
    return [code for code, _, _ in advised(change)]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("referrer", "referer"),
        ("Referrer", "referer"),
        ("refferer", "referer"),
        ("user_agent", "user-agent"),
        ("x-forwaded-for", "x-forwarded-for"),
        ("cookies", "cookie"),
        ("autorization", "authorization"),
        ("x-real-p", "x-real-ip"),
    ],
)
def test_misspelt_headers(name, meant):
    assert hashing.misspelt(name) == meant


@pytest.mark.parametrize(
    "name", ["referer", "Referer", ":path", ":authority", "x-sid", "x-user", "x-key", "session", "sid"]
)
def test_headers_that_are_meant(name):
    assert hashing.misspelt(name) is None


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (
            header("referrer"),
            (
                "FP101",
                f"{POLICY}.header.header_name",
                'no client sends a header "referrer", so the ring would choose at random; write "referer"',
            ),
        ),
        (
            lambda d: (header("referer")(d), v3_cluster(d).update(lb_policy="RANDOM")),
            (
                "FP102",
                f"{V3_ROUTE_PATH}.route.hash_policy",
                'has no effect here: the balancer of the cluster "nodes" is not ring_hash',
            ),
        ),
        (
            lambda d: (header("referer")(d), v3_route(d)["route"].update(retry_policy={"retry_priority": PRIORITY})),
            (
                "FP127",
                f"{V3_ROUTE_PATH}.route.retry_policy.retry_priority",
                'has no effect, as in Envoy: in the cluster "nodes" the hash draws the priority; '
                "use retry_host_predicate",
            ),
        ),
        (
            policies(SOURCE_IP),
            (
                "FP103",
                f"{POLICY}.connection_properties",
                "the address is what the client writes into x-forwarded-for; set use_remote_address: true, "
                "and xff_num_trusted_hops behind other proxies",
            ),
        ),
        (
            lambda d: (policies(SOURCE_IP)(d), v3_manager(d).update(use_remote_address=True)),
            (
                "FP103",
                f"{POLICY}.connection_properties",
                "behind another proxy all clients have the address of that one, and so one node; "
                "say with xff_num_trusted_hops how many there are",
            ),
        ),
        (
            header("X-Forwarded-For"),
            (
                "FP104",
                f"{POLICY}.header.header_name",
                "the whole list of addresses is hashed, which differs with each way to here; "
                "use connection_properties: {source_ip: true}",
            ),
        ),
        (
            policies({"query_parameter": {"name": "sid"}}),
            (
                "FP105",
                f"{POLICY}.query_parameter.name",
                "the first request of a session has no sid yet, and its answer decides the node; "
                "leave this to sid_affinity, or hash on something else as well",
            ),
        ),
        (
            policies({"cookie": {"name": "n", "ttl": "0s"}}),
            (
                "FP106",
                f"{POLICY}.cookie",
                "browsers keep this cookie from requests of pages on other sites; "
                "add the attributes SameSite=None and Secure, or SameSite=Lax",
            ),
        ),
        (
            policies({"cookie": {"name": "n"}}),
            (
                "FP107",
                f"{POLICY}.cookie",
                "without a ttl this cookie is never set here, and a request without it goes to any node; "
                "add a ttl (0s: until the browser closes)",
            ),
        ),
    ],
)
def test_advice(change, advice):
    assert advised(change) == [advice]


def test_a_cookie_for_other_sites_is_a_secure_one():
    attributes = [{"name": "SameSite", "value": "None"}]
    cookie = {"name": "n", "ttl": "0s", "attributes": attributes}
    assert codes(policies({"cookie": cookie})) == ["FP106"]
    assert codes(policies({"cookie": {**cookie, "attributes": [*attributes, {"name": "secure"}]}})) == []
    assert codes(policies({"cookie": {**cookie, "attributes": [{"name": "samesite", "value": "lax"}]}})) == []


def test_an_edge_has_the_addresses_of_its_clients():
    def change(document):
        policies(SOURCE_IP)(document)
        v3_manager(document)["use_remote_address"] = True
        v3_listener(document)["address"]["socket_address"]["address"] = "0.0.0.0"

    assert codes(change) == []


@pytest.mark.parametrize(
    "found",
    [
        [{"query_parameter": {"name": "sid"}}, {"header": {"header_name": "referer"}}],
        [{"cookie": {"name": "n"}}, {"header": {"header_name": "referer"}}],
        [{"header": {"header_name": "referer"}}],
    ],
)
def test_what_is_well(found):
    assert codes(policies(*found)) == []
