"""The answers recorded from a real Envoy, played again on a proxy: what every family of recordings needs.

They lie beside the repository, in `../shared/golden`; who has the repository alone has the few of `tests/data/golden`,
and the tests say so. A file is recognised by what is in it, not by its name, so that files added later are played too.
"""

import copy
import json
import secrets
import socket
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastproxy import config
from fastproxy.errors import ConfigError
from tests.support.adversary import Node, Peer
from tests.support.processes import ROOT, free_port
from tests.support.proxies import IS_ENVOY, Json, World, Worlds

WHOLE = ROOT.parent / "shared" / "golden"
OURS = ROOT / "tests" / "data" / "golden"
FOLDER = WHOLE if WHOLE.is_dir() else OURS
ENOUGH = 40  # requests without a hash that all reach one of two hosts: 1 in 10**12
Outcomes = Generator["Outcome"]
Serve = Callable[[Node, Peer], None]


class Refused(Exception):
    """The recorded configuration is not accepted."""


def files() -> dict[str, Path]:
    """Every recording by its name without `.json`."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.json"))}


def read(path: Path) -> Json:
    recorded: Json = json.loads(path.read_text())
    return recorded


@dataclass(frozen=True, slots=True)
class Outcome:
    """One vector: what was recorded and what was seen now, by the name of what is compared."""

    vector: str
    recorded: Json
    seen: Json
    varies: bool = False  # it did between two recordings

    @property
    def differences(self) -> list[str]:
        return [] if self.varies else [key for key, value in self.recorded.items() if self.seen[key] != value]

    def __str__(self) -> str:
        lines = (f"    {key}: recorded {self.recorded[key]!r}\n    {key}:     seen {self.seen[key]!r}"
                 for key in self.differences)  # fmt: skip
        return "\n".join([f"  {self.vector}", *lines])


def hosts(configuration: Json) -> Iterator[tuple[Json, Json]]:
    """Every host of every cluster, each with its cluster."""
    for cluster in configuration["static_resources"]["clusters"]:
        for locality in cluster.get("load_assignment", {}).get("endpoints", []):
            yield from ((cluster, host) for host in locality.get("lb_endpoints", []))


def address_of(host: Json) -> str:
    """As recorded; the names in the recordings are all names of 127.0.0.1."""
    address = host["endpoint"]["address"]["socket_address"]
    is_number = address["address"].replace(".", "").isdigit()
    return f"{address['address'] if is_number else '127.0.0.1'}:{address['port_value']}"


def addresses(configuration: Json) -> list[str]:
    return sorted({address_of(host) for _, host in hosts(configuration)})


def without(tree: Any, key: str) -> Any:
    """The tree with every member of that name left out."""
    if isinstance(tree, dict):
        return {name: without(value, key) for name, value in tree.items() if name != key}
    return [without(each, key) for each in tree] if isinstance(tree, list) else tree


class Stage:
    """A recorded configuration with nodes instead of its hosts, and files of our own.

    Its listeners keep their ports, which may matter, on an address that nobody else in 127.0.0.0/8 has.
    The hash of a host is that of its recorded address: metadata say so where it would be taken from the address.
    `nodes` are by recorded address; at an address without one nothing listens.
    """

    def __init__(self, configuration: Json, nodes: Mapping[str, Node | int], worlds: Worlds, folder: Path) -> None:
        self.ports = {name: each if isinstance(each, int) else each.port for name, each in nodes.items()}
        self.host = ".".join(["127", *(str(1 + secrets.randbelow(254)) for _ in range(3))])
        self.port: int = configuration["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"]
        live = [each for each in nodes.values() if isinstance(each, Node)]
        self.world: World = worlds.run_file(self._moved(configuration, folder), live)

    def _moved(self, configuration: Json, folder: Path) -> Json:
        configuration = copy.deepcopy(configuration)
        configuration["admin"]["address"]["socket_address"]["port_value"] = free_port()
        for listener in configuration["static_resources"]["listeners"]:
            self._move_listener(listener, folder)
        for cluster, host in hosts(configuration):
            self._move_host(cluster, host)
        return configuration

    def _move_listener(self, listener: Json, folder: Path) -> None:
        listener["address"]["socket_address"]["address"] = self.host
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        for log in manager.get("access_log", []):
            log["typed_config"]["path"] = str(folder / log["typed_config"]["path"])

    def _move_host(self, cluster: Json, host: Json) -> None:
        address = address_of(host)
        port = self.ports.setdefault(address, 0) or free_port()
        host["endpoint"]["address"]["socket_address"].update(port_value=port)
        if _hashes_addresses(cluster) and "hash_key" not in str(host):
            host.setdefault("metadata", {}).setdefault("filter_metadata", {})["envoy.lb"] = {"hash_key": address}

    def connect(self, source: str = "127.0.0.1") -> Peer:
        connection = socket.create_connection((self.host, self.port), 5, (source, 0))
        client = Peer(connection)
        self.world.clients.append(client)
        return client


def stage_of(configuration: Json, serve: Callable[[str], Serve], worlds: Worlds, folder: Path) -> Stage:
    """A stage where `serve(address)` answers at each recorded address."""
    assert_accepted(configuration, folder)
    nodes: dict[str, Node | int] = {
        address: Node(serve(address), host=address.partition(":")[0]) for address in addresses(configuration)
    }
    return Stage(configuration, nodes, worlds, folder)


def _hashes_addresses(cluster: Json) -> bool:
    written = json.dumps(cluster).lower()
    is_hashing = "ring_hash" in written or "maglev" in written
    return is_hashing and '"use_hostname_for_hashing": true' not in written


def assert_accepted(configuration: Json, folder: Path) -> None:
    """Refused, with every message, when fastproxy does not take this file."""
    if IS_ENVOY:
        return
    file = folder / "asked.json"
    file.write_text(json.dumps(configuration))
    try:
        config.load(str(file))
    except ConfigError as error:
        raise Refused(str(error)) from None


def spread(choose: Callable[[], object]) -> object:
    """`random` as soon as equal requests have reached different hosts, else the one that they all reached."""
    first = choose()
    return "random" if any(choose() != first for _ in range(ENOUGH)) else first
