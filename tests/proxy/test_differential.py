"""The real Envoy and fastproxy on the same generated configuration: the same node, status, location and headers.

Hypothesis draws a connection manager and requests to it. Where Envoy itself answers equal requests from different
nodes, nothing was hashed, and any node of that cluster is right. `DIFFERENTIAL_EXAMPLES=200` looks further than CI has
time for.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.support import processes, proxies
from tests.support.adversary import Peer
from tests.support.generated import Request, worlds
from tests.support.telling_nodes import serving

EXAMPLES = int(os.environ.get("DIFFERENTIAL_EXAMPLES", "20"))
IS_LONG = "DIFFERENTIAL_EXAMPLES" in os.environ
VOLATILE = ("x-request-id", "date", "x-envoy-upstream-service-time", "content-length")
ASKED_AGAIN = 60  # times at most, to see whether Envoy draws lots
SIZES = {"ring": 4, "maglev": 4, "weighted": 3, "single": 1}
Json = dict[str, Any]


@pytest.fixture(scope="module")
def clusters() -> Iterator[dict[str, list[int]]]:
    """The ports of the nodes of each cluster."""
    ports = iter(processes.free_ports(sum(SIZES.values())))
    found = {name: [next(ports) for _ in range(size)] for name, size in SIZES.items()}
    with serving([port for each in found.values() for port in each]):
        yield found


def defined(clusters: dict[str, list[int]]) -> list[Json]:
    ring = proxies.cluster("ring", clusters["ring"], lb_policy="RING_HASH")
    maglev = proxies.cluster("maglev", clusters["maglev"], lb_policy="MAGLEV")
    weighted = proxies.cluster("weighted", clusters["weighted"], lb_policy="RING_HASH")
    hosts = weighted["load_assignment"]["endpoints"][0]["lb_endpoints"]
    for weight, host in zip((1, 2, 5), hosts, strict=True):
        host["load_balancing_weight"] = weight
    return [ring, maglev, weighted, proxies.cluster("single", clusters["single"])]


def bootstrap(manager: Json, clusters: dict[str, list[int]]) -> Json:
    port, admin_port = processes.free_ports(2)
    return proxies.bootstrap(port, admin_port, proxies.connection_manager([]) | manager, defined(clusters))


def ports_of(configuration: Json) -> list[int]:
    listener = configuration["static_resources"]["listeners"][0]
    return [each["address"]["socket_address"]["port_value"] for each in (listener, configuration["admin"])]


def start(command: list[str], configuration: Json, folder: Path, ends: ExitStack) -> int:
    """Run a proxy on the configuration; the port of its listener."""
    folder.mkdir()
    file = folder / "proxy.json"
    file.write_text(json.dumps(configuration, indent=1))
    ports = ports_of(configuration)
    place = command.index("FILE")
    started = processes.start(
        [*command[:place], str(file), *command[place + 1 :]], output_path=folder / "output.txt", ports=ports
    )
    ends.callback(started.end)
    started.wait_listening(ports)
    return ports[0]


def ask(port: int, request: Request) -> Json:
    """What came back, without what changes from one answer to the next."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(request.source, 0))
    client = Peer(connection)
    try:
        client << request.raw()
        answer = client.read_response()
    finally:
        client.close()
    head = answer.head
    lines = sorted((name.lower(), value) for name, value in head.lines if name.lower().decode() not in VOLATILE)
    return {"status": head.status, "lines": lines, **seen_by_node(answer.body)}


def seen_by_node(body: bytes) -> Json:
    if not body.startswith(b"{"):
        return {"node": None, "body": body}
    seen = json.loads(body)
    lines = sorted(line for line in seen["lines"] if line.partition(":")[0] not in VOLATILE)
    return {"node": seen["node"], "first": seen["first"], "saw": lines}


def cluster_of(node: int | None, clusters: dict[str, list[int]]) -> str | None:
    return next((name for name, ports in clusters.items() if node in ports), None)


def assert_same(envoy: int, ours: int, request: Request, clusters: dict[str, list[int]]) -> None:
    expected, got = ask(envoy, request), ask(ours, request)
    if expected["node"] != got["node"] and draws_lots(envoy, request):
        expected["node"], got["node"] = (cluster_of(each["node"], clusters) for each in (expected, got))
    assert got == expected, request


def draws_lots(envoy: int, request: Request) -> bool:
    first = ask(envoy, request)["node"]
    return any(ask(envoy, request)["node"] != first for _ in range(ASKED_AGAIN))


numbers = count()


@pytest.mark.timeout(3600 if IS_LONG else 600)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=not IS_LONG,  # what CI finds, everybody finds
    phases=[Phase.generate],  # an example takes a second: what fails is printed as it is
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
@given(world=worlds())
def test_same_answers(
    world: tuple[Json, list[Request]], clusters: dict[str, list[int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    manager, requests = world
    folder = tmp_path_factory.mktemp(f"world{next(numbers)}")
    with ExitStack() as ends:
        configuration = bootstrap(manager, clusters)
        envoy = start(proxies.envoy_command(Path("FILE"), 1), configuration, folder / "envoy", ends)
        ours = start(proxies.command(Path("FILE"), 1), bootstrap(manager, clusters), folder / "ours", ends)
        for request in requests:
            assert_same(envoy, ours, request, clusters)
