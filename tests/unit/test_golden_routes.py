"""Virtual hosts, matches, rewrites and redirects as a real Envoy 1.40 recorded them, asked of the route table."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from fastproxy import config
from fastproxy.model import RouteConfiguration
from fastproxy.route_explanation import Explanation, explain
from fastproxy.routing import RouteTable
from tests.unit.recordings import WHOLE, Case, head, load
from tests.unit.routes import clusters

CASES = (
    "route-match",
    "route-action",
    "virtual-hosts",
    "virtual-hosts-no-default",
    "hosts-ignore-port-in-host-matching",
)
DRAWS = range(0, 1_000_000, 9973)


def table_of(case: Case, folder: Path) -> RouteTable:
    file = folder / "envoy.json"
    file.write_text(json.dumps(case["envoy_config"]))
    configuration = config.load(str(file)).configuration
    routes: RouteConfiguration = configuration.listeners[0].manager.route_config
    return RouteTable(routes, clusters(*(cluster.name for cluster in configuration.clusters)))


def as_routed(request: Case) -> bytes:
    """The head as the connection manager hands it on: with the scheme that the client is thought to have used."""
    sent = head({**request, "headers": {"host": "localhost", **request["headers"]}})
    if "x-forwarded-proto" in request["headers"]:
        return sent
    return sent[:-2] + b"x-forwarded-proto: http\r\n\r\n"


def has_odd_port(sent: bytes) -> bool:
    """Whether the port of Host is no number: Envoy passes that on, here it is a 400 (docs/envoy-compatibility.md)."""
    return re.search(rb"(?im)^host: [^\r\[]*:[^\r]*[^0-9\r][^\r]*\r", sent) is not None


def answered(found: Explanation) -> int:
    """The status with which the proxy answers by itself; 200 when it sends the request on."""
    return found["status"] or (404 if found["action"] == "none" else 200)


def check(vector: Case, found: Explanation) -> None:
    assert found["cluster"] == vector["cluster"]
    assert answered(found) == vector["status"]
    assert found["location"] == vector.get("location")
    if vector["cluster"] is None:
        body = found["route"].body if found["route"] else None
        assert vector["request"]["method"] == "HEAD" or (body or b"").decode() == vector["body"]
        return
    seen = vector["upstream_saw"]
    assert f"{vector['request']['method']} {found['path']} HTTP/1.1" == seen["request_line"]
    assert found["route"] is not None
    assert found["route"].auto_host_rewrite or found["host"] == seen["host"]


@pytest.mark.parametrize("name", CASES)
def test_envoys_routes(name, tmp_path):
    if not WHOLE.is_dir():
        print(f"no recordings at {WHOLE}")
        return
    case = load(WHOLE / f"08-{name}.json")
    table = table_of(case, tmp_path)
    kinds: Counter[str] = Counter()
    for vector in case["vectors"]:
        sent = as_routed(vector["request"])
        if vector.get("random"):
            drawn = {explain(table, sent, draw)["cluster"] for draw in DRAWS}
            assert drawn == set(vector["observed_clusters"]), vector["request"]
            kinds["random"] += 1
        elif vector["status"] != 400 and not has_odd_port(sent):  # answered before any route is asked
            check(vector, explain(table, sent, 1))
            kinds["decided"] += 1
    assert kinds["decided"] >= 20, kinds
