"""What makes a cluster uneven, or slow to find a node."""

import math
from collections.abc import Iterator

from fastproxy.config.addresses import is_ip
from fastproxy.config.lint.scene import Advice, Rule, Scene, hosts
from fastproxy.config.tree import shorten
from fastproxy.model import Cluster, ClusterType, LbPolicy

MIN_ENTRIES = 10
GOOD_ENTRIES = 100
LONG_CONNECT_S = 10
FEW_WEBSOCKETS = 1024
"""Envoy's default for connections and requests, which files repeat; here there is none."""


def small_ring(scene: Scene) -> Iterator[Advice]:
    for cluster in scene.configuration.clusters:
        view = scene.clusters.get(cluster.name)
        if view is None or cluster.lb_policy is not LbPolicy.RING_HASH or len(cluster.hosts) < 2:
            continue
        if min(host.weight for host in cluster.hosts) < 1:
            continue
        entries = entries_of_the_lightest(cluster)
        if entries < MIN_ENTRIES:
            message = f"the lightest host has about {entries:.0f} places on the ring, so the load is uneven"
            field = "ring_hash_lb_config" if view.has("ring_hash_lb_config") else "name"
            yield Advice(view.node_of(field), f"{message}; use a ring of {_better(cluster)} or more", at_key=True)


def entries_of_the_lightest(cluster: Cluster) -> float:
    """Envoy's formula: reference in `_ring`."""
    weights = [host.weight for host in cluster.hosts]
    lightest = min(weights) / sum(weights)
    ring = cluster.ring_hash
    scale = min(math.ceil(lightest * ring.minimum_ring_size) / lightest, ring.maximum_ring_size)
    return scale * lightest


def _better(cluster: Cluster) -> int:
    weights = [host.weight for host in cluster.hosts]
    return math.ceil(GOOD_ENTRIES * sum(weights) / min(weights))


def slow_connects(scene: Scene) -> Iterator[Advice]:
    for cluster in scene.clusters.values():
        connect_s = cluster.seconds("connect_timeout", None)
        if connect_s is not None and connect_s > LONG_CONNECT_S:
            message = f"a node that is gone holds each request for {connect_s:g} s before another one is tried"
            yield Advice(cluster.node_of("connect_timeout"), f"{message}; write 1s or less")


def host_twice(scene: Scene) -> Iterator[Advice]:
    for cluster in scene.clusters.values():
        seen: dict[tuple[str, int], str] = {}
        for host in hosts(cluster):
            address = host.child("endpoint").child("address").child("socket_address")
            key = (address.value("address"), address.value("port_value"))
            first = seen.setdefault(key, host.node.path)
            if key[0] and first != host.node.path:
                message = f"this host stands already at {first} and gets two shares; give it a load_balancing_weight"
                yield Advice(host.node, message)


def weighted_names(scene: Scene) -> Iterator[Advice]:
    for cluster in scene.clusters.values():
        if cluster.enum_name("type") != ClusterType.STRICT_DNS.value:
            continue
        for host in hosts(cluster):
            name = host.child("endpoint").child("address").child("socket_address").value("address")
            if name and not is_ip(name) and host.wrapped("load_balancing_weight", 1) > 1:
                message = f'each address of "{shorten(name)}" gets this weight, however many there are'
                yield Advice(host.node_of("load_balancing_weight"), f"{message}; write addresses to weigh them")


def few_websockets(scene: Scene) -> Iterator[Advice]:
    carrying = {route.action.value("cluster") for route in scene.routes if route.allows_websocket}
    for name in carrying & scene.clusters.keys():
        for limits in scene.clusters[name].child("circuit_breakers").items("thresholds"):
            for field in ("max_connections", "max_requests"):
                limit = limits.wrapped(field, None)
                if limit is not None and limit <= FEW_WEBSOCKETS:
                    message = f"a WebSocket holds one connection and one request: there can be {limit} at a time"
                    yield Advice(limits.node_of(field), f"{message}; write what the nodes can carry, or leave it out")


RULES: dict[str, Rule] = {
    "FP114": small_ring,
    "FP115": slow_connects,
    "FP116": host_twice,
    "FP117": weighted_names,
    "FP126": few_websockets,
}
