"""The system of the two example files on free ports: echo nodes, and the proxy in front of them.

The files are read from the top of the tree and only their ports and paths are replaced. With PROXY_UNDER_TEST=envoy
the same topology runs behind the real Envoy, which no longer reads v1 files, from a v3 file made here.
"""

import contextlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import processes, proxies

PORT = re.compile(r":(\d+)$")
REFERER_RING = {"hash_policy": [{"header": {"header_name": "referer"}}]}


@dataclass(frozen=True)
class Example:
    """One of the shipped configuration files: which ports it speaks of."""

    file: str
    listener: int
    admin: int
    nodes: tuple[int, ...]

    @property
    def ports(self) -> tuple[int, ...]:
        return (self.listener, self.admin, *self.nodes)


ONE_NODE = Example("envoy.json", 9001, 9901, (8001,))
RING = Example("envoy2.json", 9002, 9902, (8002, 8003, 8004))


@dataclass(frozen=True)
class Stack:
    """A running system."""

    nodes: processes.Process
    proxy: processes.Process
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def node_names(self) -> set[str]:
        """What the live nodes call themselves."""
        return {f"node#{pid}" for pid in self.nodes.children()}


@contextlib.contextmanager
def running(example: Example, folder: Path, concurrency: int = 2) -> Iterator[Stack]:
    """The system of an example file, ended when the context is left."""
    moved = dict(zip(example.ports, processes.free_ports(len(example.ports)), strict=True))
    nodes = [moved[port] for port in example.nodes]
    with contextlib.ExitStack() as ends:
        cluster = start_nodes(nodes, folder / "nodes.txt")
        ends.callback(cluster.end)
        file = folder / example.file
        file.write_text(json.dumps(configuration(example, moved, folder), indent=2))
        proxy = processes.start(
            proxies.command(file, concurrency),
            output_path=folder / "proxy.txt",
            ports=[moved[example.listener], moved[example.admin]],
        )
        ends.callback(proxy.end)
        processes.wait_until(lambda: proxies.is_ready(moved[example.admin]), lambda: f"ready: {proxy.output}")
        yield Stack(cluster, proxy, moved[example.listener])


def start_nodes(ports: Sequence[int], output_path: Path, *, waits: bool = True) -> processes.Process:
    """Echo nodes on these ports, one process each, below one parent; they listen if it `waits` for that."""
    command = [sys.executable, "-m", "echo", "--cluster", ",".join(map(str, ports))]
    return processes.start(command, output_path=output_path, ports=ports if waits else ())


def configuration(example: Example, moved: Mapping[int, int], folder: Path) -> proxies.Json:
    """The example with its ports moved, on the loopback interface alone, its logs in `folder`."""
    if proxies.IS_ENVOY:
        return bootstrap(example, moved)
    text = (processes.ROOT / example.file).read_text()
    return dict(replaced(json.loads(text), lambda key, value: _moved(key, value, moved, folder)))


def replaced(tree: Any, change: Callable[[str, str], str], key: str = "") -> Any:
    """A copy of a JSON document with each string changed; `change` gets the key it stands under, too."""
    if isinstance(tree, dict):
        return {name: replaced(value, change, name) for name, value in tree.items()}
    if isinstance(tree, list):
        return [replaced(value, change, key) for value in tree]
    return change(key, tree) if isinstance(tree, str) else tree


def _moved(key: str, value: str, moved: Mapping[int, int], folder: Path) -> str:
    if value.startswith("tcp://"):
        loopback = value.replace("//0.0.0.0:", "//127.0.0.1:")
        return PORT.sub(lambda match: f":{moved[int(match[1])]}", loopback)
    is_log = key in ("path", "access_log_path") and value != "/dev/null" and not value.startswith("/dev/std")
    return str(folder / Path(value).name) if is_log else value


def bootstrap(example: Example, moved: Mapping[int, int]) -> proxies.Json:
    """What the example means, as a v3 file."""
    nodes = [moved[port] for port in example.nodes]
    is_ring = len(nodes) > 1
    ring: proxies.Json = {"lb_policy": "RING_HASH", "ring_hash_lb_config": {"minimum_ring_size": 1024}}
    cluster = proxies.cluster("echo", nodes, connect_timeout="0.25s", **(ring if is_ring else {}))
    route = proxies.route("/", "echo", **(REFERER_RING if is_ring else {}))
    manager = proxies.connection_manager([route], upgrade_configs=proxies.WEBSOCKET)
    return proxies.bootstrap(moved[example.listener], moved[example.admin], manager, [cluster])


def nodes_of(texts: Iterable[str]) -> set[str]:
    """The nodes that gave these replies; AssertionError for a reply that names none."""
    names = set()
    for text in texts:
        name = re.match(r"node#\d+", text)
        assert name, f"a reply that names no node: {text!r}"
        names.add(name[0])
    return names
