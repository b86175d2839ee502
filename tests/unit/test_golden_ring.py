"""Every host that a real Envoy 1.40 chose on a ring, chosen again.

Three recordings lie in tests/data/golden and always run. The whole collection lies beside the repository on the
machines where it was made; where it is absent the test says so and goes on with the three.
"""

import base64
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fastproxy._ring import Ring, xx_hash

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "tests" / "data" / "golden"
WHOLE = ROOT.parent / "shared" / "golden"
FAMILIES = ("01*.json", "02-ring-hash-*.json", "07-ring-hash-*.json")

# What a case may set to be a matter of the ring alone. Health, priorities, localities, names that are resolved, and
# policies of another form decide which hosts come to the ring, which is not the ring's business.
CLUSTER_KEYS = {"name", "type", "hosts", "lb_policy", "ring_hash_lb_config"}
HOST_KEYS = {"address", "weight", "hostname", "metadata"}

Case = dict[str, Any]


def is_ring_alone(case: Case) -> bool:
    cluster = case["cluster"]
    return (
        cluster["type"] == "STATIC"
        and set(cluster) <= CLUSTER_KEYS
        and all(set(host) <= HOST_KEYS for host in cluster["hosts"])
    )


@cache
def load(path: Path) -> Case:
    case: Case = json.loads(path.read_text())
    return case


def recordings(folder: Path, *patterns: str) -> list[Path]:
    return sorted(
        path for pattern in patterns or FAMILIES for path in folder.glob(pattern) if is_ring_alone(load(path))
    )


def all_recordings() -> list[Path]:
    """The whole collection where it is, and in any case our own copies."""
    return recordings(OURS) + (recordings(WHOLE) if WHOLE.is_dir() else [])


def hash_key(host: Case) -> str:
    named = host.get("metadata", {}).get("filter_metadata", {}).get("envoy.lb", {}).get("hash_key")
    return str(named or host["address"])


def build(case: Case) -> tuple[Ring, list[str]]:
    """The ring of a recording and the addresses of its hosts."""
    hosts, sizes = case["cluster"]["hosts"], case["cluster"].get("ring_hash_lb_config", {})
    ring = Ring(
        [hash_key(host).encode() for host in hosts],
        [host["weight"] for host in hosts],
        minimum_size=sizes.get("minimum_ring_size", 1024),
        maximum_size=sizes.get("maximum_ring_size", 8 * 1024 * 1024),
        murmur=sizes.get("hash_function") == "MURMUR_HASH_2",
    )
    return ring, [host["address"] for host in hosts]


def line(value: str | dict[str, str]) -> bytes:
    """One header line as HTTP hands it on: without the blanks around it."""
    raw = value.encode() if isinstance(value, str) else base64.b64decode(value["b64"])
    return raw.strip(b" \t")


def lines(request: Case, name: str) -> Iterator[bytes]:
    for given, value in request["headers"].items():
        if given.lower() == name:
            yield from map(line, value if isinstance(value, list) else [value])


def request_hash(request: Case, name: str) -> int:
    """The lines of a header sorted, each hash the seed of the next.

    Referer is among the headers that Envoy keeps as one value: it joins the lines that are not empty by commas.
    """
    values = list(lines(request, name))
    if name == "referer":
        values = [b",".join(filter(None, values))]
    digest = 0
    for value in sorted(values):
        digest = xx_hash(value, digest)
    return digest


def name_of(case: Case) -> str:
    (policy,) = case["hash_policy"]
    return str(policy["header"]["header_name"])


@pytest.mark.parametrize("path", all_recordings(), ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_envoys_hosts(path: Path) -> None:
    case = load(path)
    ring, addresses = build(case)
    hashed = [vector for vector in case["vectors"] if not vector.get("random")]
    for vector in hashed:
        host = ring.choose_py(request_hash(vector["request"], name_of(case)))
        assert host is not None
        assert addresses[host] == vector["upstream"], vector["request"]
    assert len(hashed) >= 30


def test_how_much_was_compared() -> None:
    assert [path.stem for path in recordings(OURS)] == [
        "01-ring-hash-referer",
        "07-ring-hash-base",
        "07-ring-hash-removed-8003",
    ]
    if not WHOLE.is_dir():
        print(f"no recordings at {WHOLE}: only the three of tests/data/golden were compared")
        return
    paths = recordings(WHOLE)
    vectors = sum(len(load(path)["vectors"]) for path in paths)
    print(f"{len(paths)} recordings, {vectors} vectors")
    assert [len(recordings(WHOLE, family)) for family in FAMILIES] == [4, 30, 8]
    assert vectors >= 6560


def test_without_a_hash_envoy_left_nothing_to_compare() -> None:
    """A vector is random only where Envoy dropped the header; then there is nothing to hash."""
    for path in all_recordings():
        for vector in load(path)["vectors"]:
            if vector.get("random"):
                kept = vector["upstream_saw_referer"]
                assert kept == [] or not any(lines(vector["request"], "referer"))


def moved(path: Path) -> tuple[int, int]:
    """How many keys changed their host, by our rings and by Envoy's answers."""
    case, base = load(path), load(path.with_name("07-ring-hash-base.json"))
    ring, addresses = build(case)
    base_ring, base_addresses = build(base)
    ours = envoys = 0
    for vector in case["vectors"]:
        digest = request_hash(vector["request"], "referer")
        before, after = base_ring.choose_py(digest), ring.choose_py(digest)
        assert before is not None
        assert after is not None
        assert base_addresses[before] == vector["before"]
        ours += base_addresses[before] != addresses[after]
        envoys += vector["before"] != vector["upstream"]
    return ours, envoys


@pytest.mark.parametrize(
    "path",
    [path for path in all_recordings() if path.stem.startswith("07-") and not path.stem.endswith("-base")],
    ids=lambda path: f"{path.parts[-3]}-{path.stem}",
)
def test_share_that_moves(path: Path) -> None:
    """`moved_of_500` counts all 500 keys; a file may hold only a part of them."""
    ours, envoys = moved(path)
    case = load(path)
    assert ours == envoys
    assert envoys <= case["moved_of_500"] <= envoys + 500 - len(case["vectors"])


@pytest.mark.parametrize("path", [path for path in all_recordings() if "-removed-" in path.stem], ids=str)
def test_a_host_that_leaves_takes_about_its_share_along(path: Path) -> None:
    """Exact sharing would move the keys of the lost host alone; Envoy's ring of 1024 also gains entries elsewhere."""
    case = load(path)
    gone = "127.0.0.1:" + path.stem.rpartition("-")[2]
    lost = [vector for vector in case["vectors"] if vector["before"] == gone]
    assert all(vector["upstream"] != gone for vector in case["vectors"])
    ours, _ = moved(path)
    assert len(lost) <= ours
