"""Which hosts are ejected, by which rule and how many of them at most, beside a real Envoy on the same file."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support import processes, proxies
from tests.support.adversary import Node, Peer, answering
from tests.support.checked_nodes import AT_ONCE, flags
from tests.support.messages import Message
from tests.support.proxies import Json, Worlds

NODES = 3
ROUNDS = 4
RULES: Json = {"consecutive_5xx": 2, "consecutive_gateway_failure": 0, "interval": "300s", "base_ejection_time": "300s"}
ALL = {"max_ejection_percent": 100}
GATEWAY = {**ALL, "consecutive_5xx": 0, "consecutive_gateway_failure": 2}
ENFORCED_GATEWAY = {**GATEWAY, "enforcing_consecutive_gateway_failure": 100}
CASES: dict[str, tuple[Json, str, tuple[str, int, bool]]] = {
    "ten-percent": ({}, "500", ("5xx", 0, True)),
    "at-least-one": ({"always_eject_one_host": True}, "500", ("5xx", 1, True)),
    "none": ({"max_ejection_percent": 0}, "500", ("5xx", 0, True)),
    "none-but-one": ({"max_ejection_percent": 0, "always_eject_one_host": True}, "500", ("5xx", 1, True)),
    "below-a-third": ({"max_ejection_percent": 33}, "500", ("5xx", 0, True)),
    "a-third": ({"max_ejection_percent": 34}, "500", ("5xx", 1, True)),
    "two-thirds": ({"max_ejection_percent": 67}, "500", ("5xx", 2, True)),
    "all": (ALL, "500", ("5xx", 3, False)),
    "all-of-503": (ALL, "503", ("5xx", 3, False)),
    "split": ({**ALL, "split_external_local_origin_errors": True}, "500", ("5xx", 3, False)),
    "not-enforced": ({**ALL, "enforcing_consecutive_5xx": 0}, "500", ("5xx", 0, False)),
    "switched-off": ({**ALL, "consecutive_5xx": 0}, "500", ("", 0, False)),
    "client-s-fault": (ALL, "404", ("", 0, False)),
    "gateway": (ENFORCED_GATEWAY, "502", ("gateway_failure", 3, False)),
    "no-gateway": (ENFORCED_GATEWAY, "500", ("", 0, False)),
    "gateway-not-enforced": (GATEWAY, "504", ("gateway_failure", 0, False)),
}
"""What is set beside `RULES`, the status of all answers, and what comes of it: the rule that detects something, how
many hosts are ejected, and whether more would have been."""
KINDS = ("5xx", "gateway_failure")


def respond(node: Node, request: Message) -> bytes:
    """With the status that ends the path."""
    status = request.head.start.split()[1].rpartition(b"/")[2]
    return b"HTTP/1.1 %b x\r\ncontent-length: 0\r\n\r\n" % status


@pytest.fixture(scope="module")
def both(worlds: Worlds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[int, int]]]:
    """The ports of a fastproxy and of a real Envoy on one file, a cluster for each case."""
    nodes = [Node(answering(respond)) for _ in range(NODES)]
    ports = [node.port for node in nodes]
    panic = {"common_lb_config": {**AT_ONCE, "healthy_panic_threshold": {"value": 0}}}
    clusters = [
        proxies.cluster(name, ports, outlier_detection={**RULES, **rules}, **panic)
        for name, (rules, _, _) in CASES.items()
    ]
    manager = proxies.connection_manager([proxies.route(f"/{name}/", name) for name in CASES])
    port, admin_port = processes.free_ports(2)
    file = proxies.bootstrap(port, admin_port, manager, clusters)
    worlds.run_file(file, nodes)
    with proxies.envoy_beside(file, tmp_path_factory.mktemp("envoy")) as beside:
        yield [(port, admin_port), beside]


def found(admin_port: int, name: str) -> tuple[str, set[int], bool]:
    """What has come of it, as all counters and the flags of the hosts say."""
    lines = proxies.ask_admin(admin_port, f"/stats?filter=^cluster.{name}.outlier_detection")[1].splitlines()
    counters = {line.rpartition(": ")[0].rpartition(".ejections_")[2]: int(line.rpartition(": ")[2]) for line in lines}
    detected = "".join(kind for kind in KINDS if counters[f"detected_consecutive_{kind}"])
    enforced = sum(counters[f"enforced_consecutive_{kind}"] for kind in KINDS)
    ejected = list(flags(admin_port, name).values()).count("/failed_outlier_check")
    return detected, {ejected, enforced, counters["active"], counters["enforced_total"]}, counters["overflow"] > 0


@pytest.mark.parametrize("name", CASES)
def test_the_same_hosts_by_the_same_rules(both: list[tuple[int, int]], name: str) -> None:
    _, status, (rule, ejected, is_limited) = CASES[name]
    request = f"GET /{name}/{status} HTTP/1.1\r\nhost: a\r\n\r\n".encode()
    for port, admin_port in both:
        with closing(Peer(socket.create_connection(("127.0.0.1", port), timeout=5))) as client:
            ask_until(client, request, admin_port, name, (rule, {ejected}, is_limited))


def ask_until(client: Peer, request: bytes, admin_port: int, name: str, expected: tuple[str, set[int], bool]) -> None:
    """An ejection comes a moment after the answer; more answers change nothing in the end."""

    def holds() -> bool:
        for _ in range(NODES * ROUNDS):
            (client << request) and client.read_response()
        return found(admin_port, name) == expected

    processes.wait_until(holds, lambda: f"{expected}, not {found(admin_port, name)}")
