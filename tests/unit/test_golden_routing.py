"""Every host that a real Envoy 1.40 chose, chosen again by the path that a request takes.

The recording's own configuration goes through `config.load`, a Runtime is made of it, and the request's bytes go
through the head parser, the Referer rule, the route table, the route's hash policies and the cluster's balancer.
"""

import json
from pathlib import Path

import pytest

from fastproxy import config
from fastproxy.inspection import route_and_hash
from fastproxy.model import ClusterType, Configuration
from fastproxy.runtime import Runtime
from fastproxy.stats import StatsLayout
from tests.unit.recordings import OURS, WHOLE, head, load

FAMILIES = ("01-*.json", "01b-*.json", "01c-*.json", "02-ring-hash-*.json", "07-ring-hash-*.json")
# Left to test_golden_balancing.py: what decides there is more than the route and the ring.
OTHER_MATTERS = ("health", "locality", "priority", "typed-policy", "strict-dns")


def recordings(folder: Path) -> list[Path]:
    found = sorted(path for pattern in FAMILIES for path in folder.glob(pattern))
    return [path for path in found if not any(matter in path.stem for matter in OTHER_MATTERS)]


def runtime_of(configuration: Configuration) -> Runtime:
    layout = StatsLayout(configuration)
    row = memoryview(bytearray(8 * layout.slots)).cast("Q")
    return Runtime(configuration, layout, row, None, bytes(16))


@pytest.mark.parametrize("path", recordings(OURS) + recordings(WHOLE), ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_envoys_hosts(path, tmp_path):
    case = load(path)
    file = tmp_path / "envoy.json"
    file.write_text(json.dumps(case["envoy_config"]))
    runtime = runtime_of(config.load(str(file)).configuration)
    (manager,) = runtime.managers
    for vector in case["vectors"]:
        route, digest = route_and_hash(manager.routes, head(vector["request"]))
        assert route is not None
        if vector.get("random"):
            assert digest is None, vector["request"]
            continue
        assert digest is not None, vector["request"]
        cluster = runtime.clusters[route.model.cluster]
        assert cluster.hosts[cluster.balancer.pick(digest)].address.decode() == vector["upstream"], vector["request"]
    assert len(case["vectors"]) >= 30


def test_how_much_is_compared():
    assert len(recordings(OURS)) == 3
    if not WHOLE.is_dir():
        print(f"no recordings at {WHOLE}: only those of tests/data/golden were compared")
        return
    paths = recordings(WHOLE)
    assert sum(len(load(path)["vectors"]) for path in paths) >= 6000
    assert {path.stem[:3] for path in paths} == {"01-", "01b", "01c", "02-", "07-"}


def test_every_case_is_static():
    for path in recordings(WHOLE):
        assert load(path)["cluster"]["type"] == ClusterType.STATIC.value
