"""Every host that a real Envoy 1.40 chose, chosen again from its own configuration.

The recording's file goes through `config.load`, a Runtime is made of it, and the request's bytes go through the head
parser, the route table, the hash policies and the cluster's balancer: families 02, 05, 06 and 07.
"""

import json
from pathlib import Path

import pytest

from fastproxy import config
from fastproxy.counters import ClusterCounter, HostCounter
from fastproxy.inspection import route_and_hash
from fastproxy.model import ClusterType, Configuration
from fastproxy.resolver import ClusterResolver
from fastproxy.runtime import Runtime
from fastproxy.stats import StatsLayout
from tests.unit.recordings import OURS, WHOLE, Case, head, load

FAMILIES = ("02-*.json", "05-*.json", "07-*.json")
BOUNDED = "06-*.json"


def recordings(*patterns: str) -> list[Path]:
    """The whole collection where it is, and in any case our own copies."""
    return sorted(path for folder in (OURS, WHOLE) for pattern in patterns for path in folder.glob(pattern))


class World:
    """A recording's configuration at work, its names resolved as they were there."""

    def __init__(self, case: Case, folder: Path) -> None:
        file = folder / "envoy.json"
        file.write_text(json.dumps(case["envoy_config"]))
        self.configuration: Configuration = config.load(str(file)).configuration
        self.layout = StatsLayout(self.configuration)
        self.row = memoryview(bytearray(8 * self.layout.slots)).cast("Q")
        self.runtime = Runtime(self.configuration, self.layout, self.row, None, bytes(16))
        (model,) = self.configuration.clusters
        self.cluster = self.runtime.clusters[model.name]
        if model.type is not ClusterType.STATIC:
            resolver = ClusterResolver(model, self.layout.host_capacity(model.name))
            for name in resolver.names:
                resolver.succeed(name, ("127.0.0.1",))
            self.cluster.set_hosts(resolver.hosts)
        self.addresses = [host.address.decode() for host in self.cluster.hosts]

    def hash(self, request: Case) -> int | None:
        (manager,) = self.runtime.managers
        route, digest = route_and_hash(manager.routes, head(request))
        assert route is not None
        return digest

    def choose(self, request: Case) -> str | None:
        place = self.cluster.balancer.pick(self.hash(request))
        return self.addresses[place] if place >= 0 else None

    def set_active(self, requests: dict[str, int]) -> None:
        """Have that many requests under way at each host."""
        name = self.cluster.model.name
        for address, count in requests.items():
            slot = self.cluster.hosts[self.addresses.index(address)].slot
            self.row[self.layout.host(name, slot) + HostCounter["host_rq_active"]] = count
        self.row[self.layout.cluster(name) + ClusterCounter["cluster_upstream_rq_active"]] = sum(requests.values())


@pytest.mark.parametrize("path", recordings(*FAMILIES), ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_envoys_hosts(path: Path, tmp_path: Path) -> None:
    case = load(path)
    world = World(case, tmp_path)
    for vector in case["vectors"]:
        if vector.get("random"):
            assert world.hash(vector["request"]) is None, vector["request"]
            continue
        assert world.choose(vector["request"]) == vector["upstream"], vector["request"]
    assert case["vectors"]


@pytest.mark.parametrize("path", recordings(BOUNDED), ids=lambda path: path.stem)
def test_envoys_hosts_under_load(path: Path, tmp_path: Path) -> None:
    case = load(path)
    world = World(case, tmp_path)
    opened = 0
    for vector in case["vectors"]:
        for step in vector["steps"]:
            if step["op"] == "open":
                world.set_active(step["rq_active_before"])
                request = {"headers": {"x-sid": step["x-sid"]}}
                assert world.choose(request) == step["upstream"], (vector["note"], step)
                opened += 1
    assert opened > 100


def test_hosts_that_fail_are_among_them() -> None:
    names = {path.stem.removeprefix("02-ring-hash-") for path in OURS.glob("02-ring-hash-*.json")}
    assert {"health-1-unhealthy", "health-2-unhealthy-panic", "priority-p0-1-of-3-healthy"} <= names
    if not WHOLE.is_dir():
        print(f"no recordings at {WHOLE}: only those of tests/data/golden were compared")
        return
    kinds = ("health", "priority", "locality")
    assert [len(list(WHOLE.glob(f"02-ring-hash-{kind}-*.json"))) for kind in kinds] == [12, 5, 5]


def test_how_much_is_compared() -> None:
    if not WHOLE.is_dir():
        print(f"no recordings at {WHOLE}: only those of tests/data/golden were compared")
        return
    counts = [len(list(WHOLE.glob(pattern))) for pattern in (*FAMILIES, BOUNDED)]
    assert counts == [67, 30, 16, 14]
