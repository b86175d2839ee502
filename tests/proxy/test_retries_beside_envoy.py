"""A real Envoy and fastproxy on one file, before nodes that always answer 503: retries go to the same hosts.

Where the hash decides, each request has to see the same hosts in the same order. Where turns or lots do, it
has to see the same priorities, and hosts that only the predicates distinguish.
"""

import copy
import json
import socket
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.support import processes, proxies
from tests.support.adversary import Node, Peer, answering
from tests.support.messages import Message
from tests.support.proxies import Json, World, Worlds, cluster, route

BUSY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
TYPES = "type.googleapis.com/envoy.extensions.retry."
PREVIOUS_HOSTS = {"@type": f"{TYPES}host.previous_hosts.v3.PreviousHostsPredicate"}
CANARY_HOSTS = {"@type": f"{TYPES}host.omit_canary_hosts.v3.OmitCanaryHostsPredicate"}
KEYS = 5
NODES = 5
RING = {"lb_policy": "RING_HASH", "ring_hash_lb_config": {"minimum_ring_size": 64}}
MAGLEV = {"lb_policy": "MAGLEV", "maglev_lb_config": {"table_size": 251}}
LABELS: list[Json] = [
    {"canary": True},
    {"stage": "prod", "level": 1},
    {"stage": ["test", "prod"], "level": 1.0},
    {"stage": "prod", "canary": "true"},
    {},
]


def metadata(**fields: Any) -> Json:
    kind = f"{TYPES}host.omit_host_metadata.v3.OmitHostMetadataConfig"
    return {"@type": kind, "metadata_match": {"filter_metadata": {"envoy.lb": fields}}}


def policy(*predicates: Json, attempts: int = 1, update_frequency: int = 0) -> Json:
    found: Json = {
        "retry_on": "5xx",
        "num_retries": 4,
        "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.001s"},
        "host_selection_retry_max_attempts": attempts,
        "retry_host_predicate": [{"name": f"p{i}", "typed_config": each} for i, each in enumerate(predicates)],
    }
    if update_frequency:
        kind = f"{TYPES}priority.previous_priorities.v3.PreviousPrioritiesConfig"
        found["retry_priority"] = {"name": "p", "typed_config": {"@type": kind, "update_frequency": update_frequency}}
    return found


POLICIES = {
    "none": policy(),
    "previous": policy(PREVIOUS_HOSTS, attempts=3),
    "previous-many": policy(PREVIOUS_HOSTS, attempts=60),
    "canaries": policy(CANARY_HOSTS, attempts=2),
    "labels": policy(metadata(stage="prod"), attempts=4),
    "all-labels": policy(metadata(stage="prod", level=1), attempts=4),
    "empty-labels": policy({"@type": metadata()["@type"]}, attempts=4),
    "together": policy(PREVIOUS_HOSTS, CANARY_HOSTS, metadata(stage="prod"), metadata(level=7), attempts=40),
    "priorities-1": policy(update_frequency=1),
    "priorities-2": policy(update_frequency=2),
    "priorities-hosts": policy(PREVIOUS_HOSTS, CANARY_HOSTS, update_frequency=1, attempts=30),
}


def hosts(ports: list[int], priorities: list[int], health: str = "") -> Json:
    """What a cluster says of its hosts; a letter of `health` says of each whether it is up, down or degraded."""
    status = {"u": "UNKNOWN", "d": "UNHEALTHY", "g": "DEGRADED"}
    groups: dict[int, list[Json]] = defaultdict(list)
    for port, priority, labels, letter in zip(ports, priorities, LABELS, health or "u" * len(ports), strict=True):
        address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
        told = {"filter_metadata": {"envoy.lb": labels}}
        groups[priority].append({"endpoint": {"address": address}, "metadata": told, "health_status": status[letter]})
    endpoints = [{"priority": priority, "lb_endpoints": group} for priority, group in groups.items()]
    return {"load_assignment": {"cluster_name": "c", "endpoints": endpoints}}


CLUSTERS: dict[str, tuple[Json, list[int], str]] = {
    "ring": (RING, [0] * NODES, ""),
    "maglev": (MAGLEV, [0] * NODES, ""),
    "ring-priorities": (RING, [0, 0, 1, 1, 2], ""),
    "maglev-priorities": (MAGLEV, [0, 0, 1, 1, 2], "duuuu"),
    "turns": ({}, [0] * NODES, ""),
    "turns-priorities": ({}, [0, 0, 1, 1, 2], ""),
    "least": ({"lb_policy": "LEAST_REQUEST"}, [0, 0, 1, 1, 2], ""),
    "lots": ({"lb_policy": "RANDOM"}, [0, 0, 1, 1, 2], "uuddu"),
    "degraded": ({}, [0, 0, 1, 1, 2], "uuggu"),
    "all-down": ({}, [0, 0, 1, 1, 2], "ddddd"),
}
HASHED = ["ring", "maglev", "ring-priorities", "maglev-priorities"]


class Record:
    """Which nodes each request came to, in order."""

    def __init__(self) -> None:
        self.seen: dict[bytes, list[int]] = defaultdict(list)

    def node(self, place: int) -> Node:
        def answer(_: Node, request: Message) -> bytes:
            self.seen[request.head.get(b"x-who") or b""].append(place)
            return BUSY

        return Node(answering(answer))


@pytest.fixture(scope="module")
def record() -> Record:
    return Record()


@pytest.fixture(scope="module")
def world(worlds: Worlds, record: Record) -> World:
    """A route `/<cluster>/<policy>/` for each pair."""
    nodes = [record.node(place) for place in range(NODES)]
    ports = [node.port for node in nodes]
    clusters = [
        cluster(name, [], **{**fields, **hosts(ports, priorities, health)})
        for name, (fields, priorities, health) in CLUSTERS.items()
    ]
    hashing = [{"header": {"header_name": "x-key"}}]
    routes = [
        route(f"/{name}/{kind}/", name, retry_policy=found, hash_policy=hashing)
        for name in CLUSTERS
        for kind, found in POLICIES.items()
    ]
    return worlds.start(nodes=nodes, routes=routes, clusters=clusters)


@pytest.fixture(scope="module")
def envoy(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an Envoy that runs the same file, but for its ports."""
    configuration = copy.deepcopy(world.proxy.configuration)
    port, admin_port = processes.free_ports(2)
    configuration["admin"]["address"]["socket_address"]["port_value"] = admin_port
    configuration["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] = port
    folder = tmp_path_factory.mktemp("envoy")
    file = folder / "envoy.json"
    file.write_text(json.dumps(configuration))
    command = proxies.envoy_command(file, 1)
    started = processes.start(command, output_path=folder / "output.txt", ports=[port, admin_port])
    started.wait_listening([port, admin_port])
    yield port
    started.end()


class Side:
    """One of the two proxies."""

    def __init__(self, name: str, client: Peer, record: Record) -> None:
        self.name, self.client, self.record = name, client, record

    def ask(self, name: str, kind: str, key: int) -> list[int]:
        """The nodes that a request with this key sees."""
        who = f"{self.name}-{name}-{kind}-{key}".encode()
        head = f"GET /{name}/{kind}/ HTTP/1.1\r\nhost: a\r\nx-key: {key}\r\n".encode()
        self.client << head + b"x-who: " + who + b"\r\n\r\n"
        assert self.client.read_response().status == 503
        return self.record.seen[who]


@pytest.fixture
def sides(world: World, envoy: int, record: Record) -> Iterator[list[Side]]:
    with closing(Peer(socket.create_connection(("127.0.0.1", envoy), timeout=5))) as theirs:
        yield [Side("ours", world.client(), record), Side("theirs", theirs, record)]


@pytest.mark.parametrize("kind", POLICIES)
@pytest.mark.parametrize("name", HASHED)
def test_the_hash_decides(sides: list[Side], name: str, kind: str) -> None:
    for key in range(KEYS):
        ours, theirs = (side.ask(name, kind, key) for side in sides)
        assert ours == theirs


@pytest.mark.parametrize("kind", ["none", "priorities-1", "priorities-2", "priorities-hosts"])
@pytest.mark.parametrize("name", ["turns-priorities", "least", "lots", "degraded"])
def test_turns_and_lots_see_the_same_priorities(sides: list[Side], name: str, kind: str) -> None:
    priorities = CLUSTERS[name][1]
    for key in range(KEYS):
        ours, theirs = ([priorities[place] for place in side.ask(name, kind, key)] for side in sides)
        assert ours == theirs


@pytest.mark.parametrize(("kind", "retried"), [("labels", {0, 4}), ("all-labels", {0, 3, 4})])
def test_turns_pass_over_hosts_with_labels(sides: list[Side], kind: str, retried: set[int]) -> None:
    for side in sides:
        assert {place for key in range(KEYS) for place in side.ask("turns", kind, key)[1:]} == retried


def test_all_hosts_are_tried_in_a_panic(sides: list[Side]) -> None:
    for side in sides:
        assert sorted(side.ask("all-down", "previous-many", 0)) == list(range(NODES))
