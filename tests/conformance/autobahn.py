"""The Autobahn WebSocket suite against a node, directly and through fastproxy: case by case the same result?

    python -m tests.conformance.autobahn --wstest path/to/wstest [--cases '1.*,7.*']

`wstest` is the program of the package autobahntestsuite, which needs a Python 2.7 of its own. The exit status is 1 when
a case had another outcome through the proxy than without it.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support import processes, proxies

DIRECT, PROXIED = "direct", "through fastproxy"
COMPARED = ("behavior", "behaviorClose", "remoteCloseCode")

Outcomes = Mapping[str, Mapping[str, Any]]  # by case


def run(wstest: str, cases: list[str], folder: Path, timeout_s: float) -> Mapping[str, Outcomes]:
    """What the suite says of each way to the node, by case."""
    node_port, port, admin_port = processes.free_ports(3)
    node_command = [sys.executable, "-m", "tests.conformance.echo_node", str(node_port)]
    node = processes.start(node_command, output_path=folder / "node.txt", ports=[node_port])
    routes = [proxies.route("/", "node", timeout="0s")]
    manager = proxies.connection_manager(routes, upgrade_configs=proxies.WEBSOCKET)
    proxy = proxies.Proxy(
        proxies.bootstrap(port, admin_port, manager, [proxies.cluster("node", [node_port])]), folder, 2
    )
    try:
        return suite(wstest, {DIRECT: node_port, PROXIED: port}, cases, folder, timeout_s)
    finally:
        proxy.stop()
        node.end()


def suite(
    wstest: str, ports: Mapping[str, int], cases: list[str], folder: Path, timeout_s: float
) -> Mapping[str, Outcomes]:
    """Run its fuzzing client against a server on each of the ports."""
    servers = [{"agent": name, "url": f"ws://127.0.0.1:{port}"} for name, port in ports.items()]
    specification = {"outdir": str(folder / "reports"), "servers": servers, "cases": cases, "exclude-cases": []}
    file = folder / "fuzzingclient.json"
    file.write_text(json.dumps(specification))
    command = [wstest, "-m", "fuzzingclient", "-s", str(file)]
    processes.run(command, output_path=folder / "wstest.txt", timeout_s=timeout_s)
    outcomes: Mapping[str, Outcomes] = json.loads((folder / "reports" / "index.json").read_text())
    return outcomes


def differences(outcomes: Mapping[str, Outcomes]) -> list[str]:
    """A line for each case that went otherwise through the proxy, or along one way only."""
    direct, proxied = outcomes[DIRECT], outcomes[PROXIED]
    return [
        f"{case}: {picked(direct.get(case))} directly, {picked(proxied.get(case))} through fastproxy"
        for case in sorted({*direct, *proxied})
        if picked(direct.get(case)) != picked(proxied.get(case))
    ]


def picked(outcome: Mapping[str, Any] | None) -> tuple[Any, ...]:
    return tuple((outcome or {}).get(name) for name in COMPARED)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wstest", default="wstest")
    parser.add_argument("--cases", default="*")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds for the whole suite")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = run(chosen.wstest, chosen.cases.split(","), Path(folder), chosen.timeout)
    for way, by_case in outcomes.items():
        print(way, len(by_case), "cases:", dict(Counter(each["behavior"] for each in by_case.values())))
    different = differences(outcomes)
    print(*different, f"{len(different)} cases differ", sep="\n")
    return 1 if different or not outcomes[DIRECT] else 0


if __name__ == "__main__":
    sys.exit(main())
