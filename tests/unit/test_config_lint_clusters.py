"""Advice about clusters."""

import pytest

from fastproxy.config.lint.clusters import entries_of_the_lightest
from fastproxy.model import Address, Cluster, Host, RingHashConfig
from tests.unit.config_files import V3_CLUSTER_PATH, advised, endpoint, v3_cluster, v3_manager


def hosts(*found, **cluster):
    assignment = {"cluster_name": "nodes", "endpoints": [{"lb_endpoints": list(found)}]}
    return lambda d: v3_cluster(d).update(load_assignment=assignment, **cluster)


HOST = f"{V3_CLUSTER_PATH}.load_assignment.endpoints[0].lb_endpoints[1]"


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (
            lambda d: v3_cluster(d).update(ring_hash_lb_config={"minimum_ring_size": 4}),
            (
                "FP114",
                f"{V3_CLUSTER_PATH}.ring_hash_lb_config",
                "the lightest host has about 2 places on the ring, so the load is uneven; use a ring of 200 or more",
            ),
        ),
        (
            hosts(endpoint("127.0.0.1", 1), endpoint("127.0.0.1", 2, load_balancing_weight=1000)),
            (
                "FP114",
                f"{V3_CLUSTER_PATH}.name",
                "the lightest host has about 2 places on the ring, so the load is uneven; use a ring of 100100 or more",
            ),
        ),
        (
            lambda d: v3_cluster(d).update(connect_timeout="11s"),
            (
                "FP115",
                f"{V3_CLUSTER_PATH}.connect_timeout",
                "a node that is gone holds each request for 11 s before another one is tried; write 1s or less",
            ),
        ),
        (
            hosts(endpoint("127.0.0.1", 1), endpoint("127.0.0.1", 1)),
            (
                "FP116",
                HOST,
                f"this host stands already at {HOST[:-3]}[0] and gets two shares; give it a load_balancing_weight",
            ),
        ),
        (
            hosts(endpoint("127.0.0.1", 1), endpoint("a", 1, load_balancing_weight=2), type="STRICT_DNS"),
            (
                "FP117",
                f"{HOST}.load_balancing_weight",
                'each address of "a" gets this weight, however many there are; write addresses to weigh them',
            ),
        ),
    ],
)
def test_advice(change, advice):
    assert advised(change) == [advice]


@pytest.mark.parametrize("field", ["max_connections", "max_requests"])
@pytest.mark.parametrize(("limit", "is_told"), [(0, True), (1024, True), (1025, False)])
def test_few_websockets(field, limit, is_told):
    def change(document):
        v3_cluster(document)["circuit_breakers"] = {"thresholds": [{field: limit}]}
        v3_manager(document)["upgrade_configs"] = [{"upgrade_type": "websocket"}]

    message = f"a WebSocket holds one connection and one request: there can be {limit} at a time"
    place = f"{V3_CLUSTER_PATH}.circuit_breakers.thresholds[0].{field}"
    expected = ("FP126", place, f"{message}; write what the nodes can carry, or leave it out")
    assert advised(change) == [expected] * is_told


def test_few_requests_without_websockets():
    assert advised(lambda d: v3_cluster(d).update(circuit_breakers={"thresholds": [{"max_requests": 9}]})) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda d: v3_cluster(d).update(ring_hash_lb_config={"minimum_ring_size": 20}),
        lambda d: v3_cluster(d).update(ring_hash_lb_config={"minimum_ring_size": 4}, lb_policy="RANDOM"),
        lambda d: v3_cluster(d).update(connect_timeout="10s"),
        hosts(endpoint("127.0.0.1", 1), endpoint("127.0.0.2", 1), endpoint("127.0.0.1", 2)),
        hosts(endpoint("127.0.0.1", 1, load_balancing_weight=2), endpoint("a", 1), type="STRICT_DNS"),
        hosts(endpoint("127.0.0.1", 1, load_balancing_weight=0), endpoint("127.0.0.2", 1)),
        hosts(),
    ],
)
def test_what_is_well(change):
    assert advised(change) == []


@pytest.mark.parametrize(
    ("weights", "least", "most", "entries"),
    [((1, 1), 1024, 8388608, 512), ((1, 3), 100, 8, 2), ((1, 1, 1), 1, 1, 1 / 3)],
)
def test_entries(weights, least, most, entries):
    found = tuple(Host(Address("h", 1), weight) for weight in weights)
    cluster = Cluster("c", hosts=found, ring_hash=RingHashConfig(least, most))
    assert entries_of_the_lightest(cluster) == pytest.approx(entries)
