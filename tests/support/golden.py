"""The answers recorded from a real Envoy: reading them, and playing families 09 and 10 against a proxy.

They lie beside the repository, in `../shared/golden`; who has the repository alone has no recordings, and the tests
say so. Strings in them are bytes, one latin-1 character each.
"""

import contextlib
import copy
import fcntl
import json
import re
import select
import socket
import struct
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.support import golden_nodes
from tests.support.adversary import FullQueue, Node, Peer
from tests.support.messages import Head, normal
from tests.support.processes import ROOT, free_port, wait_until
from tests.support.proxies import Json, World, Worlds

FOLDER = ROOT.parent / "shared" / "golden"
DEPARTURES = ROOT / "tests" / "data" / "golden-departures.json"
PAUSE_S = 0.15  # between the parts of a request, as recorded: some timeouts lie between it and its multiples
PATIENCE_S = 3.0
_SIOCGIFADDR = 0x8915
_SEEN = re.compile(rb"x-seen-[^\r\n]*\r\n")  # headers that only the recorded configuration added
PROBE = b"GET /probe HTTP/1.1\r\nHost: example.com\r\n\r\n"


def read(name: str) -> Json:
    recorded: Json = json.loads((FOLDER / name).read_text())
    return recorded


def names(*patterns: str) -> list[str]:
    return sorted(path.name for pattern in patterns for path in FOLDER.glob(pattern))


def departures() -> Json:
    written: Json = json.loads(DEPARTURES.read_text())
    return written


def hosts(configuration: Json) -> Iterator[Json]:
    """Every host of every cluster."""
    for cluster in configuration["static_resources"]["clusters"]:
        for locality in cluster.get("load_assignment", {}).get("endpoints", []):
            yield from locality.get("lb_endpoints", [])


def without(tree: Any, key: str) -> Any:
    """The tree with every member of that name left out."""
    if isinstance(tree, dict):
        return {name: without(value, key) for name, value in tree.items() if name != key}
    return [without(each, key) for each in tree] if isinstance(tree, list) else tree


def pruned(name: str, configuration: Json) -> Json:
    """The configuration with what fastproxy refuses left out, where the rest of the file is worth playing.

    `09-xff-*` added headers to show what the proxy took for the client's address. `10-local-replies` has routes that
    answer by themselves, and hosts that are declared ill; a cluster without hosts is as good.
    """
    if name.startswith("09-xff"):
        return without(configuration, "request_headers_to_add")
    if name != "10-local-replies.json":
        return configuration
    resources = configuration["static_resources"]
    manager = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    host = manager["route_config"]["virtual_hosts"][0]
    left_out: set[str | None] = {each["name"] for each in resources["clusters"] if each["lb_policy"] == "MAGLEV"}
    resources["clusters"] = [_cured(each) for each in resources["clusters"] if each["name"] not in left_out]
    left_out.add(None)  # routes without a cluster by name
    host["routes"] = [each for each in host["routes"] if each.get("route", {}).get("cluster") not in left_out]
    return configuration


def _cured(cluster: Json) -> Json:
    is_ill = "health_status" in str(cluster)
    return {**cluster, "load_assignment": {"cluster_name": cluster["name"]}} if is_ill else cluster


class Recording:
    """One recorded file being played: its proxy, its nodes by name, and its vectors."""

    def __init__(self, name: str, worlds: Worlds, folder: Path) -> None:
        self.recorded = read(name)
        upstreams = self.recorded.get("upstreams", {"all": {"port": 18001, "behaviour": "by path"}})
        self._queue = FullQueue()
        self.nodes = {key: Node(golden_nodes.behaviour(key, value)) for key, value in upstreams.items()}
        ports = {value["port"]: self.nodes[key].port for key, value in upstreams.items()}
        if name.startswith("10-connect-timeout"):
            ports[18197] = self._queue.port
        self.ports = ports
        self.world: World = worlds.run_file(self._moved(name, ports, folder), list(self.nodes.values()))

    def _moved(self, name: str, ports: dict[int, int], folder: Path) -> Json:
        """The recorded configuration on ports and files of our own."""
        configuration = pruned(name, copy.deepcopy(self.recorded["envoy_config"]))
        configuration["admin"]["address"]["socket_address"]["port_value"] = free_port()
        listener = configuration["static_resources"]["listeners"][0]
        listener["address"]["socket_address"]["port_value"] = free_port()
        for host in hosts(configuration):
            address = host["endpoint"]["address"]["socket_address"]
            address["port_value"] = ports.get(address["port_value"]) or free_port()
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        for log in manager.get("access_log", []):
            log["typed_config"]["path"] = str(folder / log["typed_config"]["path"])
        return configuration

    def vector(self, name: str) -> Json:
        return next(vector for vector in self.recorded["vectors"] if vector["name"] == name)

    def play(self, name: str) -> "Played":
        vector = self.vector(name)
        for node in self.nodes.values():
            node.hang_up()
            golden_nodes.forget(node)
        for held in vector.get("held_open_before", []):
            before = self._requests()
            _ = self.world.client() << held.encode("latin-1")
            wait_until(lambda: self._requests() > before, "the request has come")  # noqa: B023
        return Played(self, vector)

    def _requests(self) -> int:
        return self.world.proxy.stats()["http.ingress_http.downstream_rq_total"]

    def close(self) -> None:
        self._queue.close()


class Played:
    """What a proxy made of one vector: the stream to the client and how it ended; the nodes know what they received."""

    def __init__(self, recording: Recording, vector: Json) -> None:
        self.recording, self.vector = recording, vector
        self.client: Peer = recording.world.client(source=vector.get("source_ip", "127.0.0.1"))
        self.expected = golden_nodes.as_played(vector["response_raw"].encode("latin-1"))
        self.received = bytearray()
        self.ended = False
        self._send()
        self._read_expected()
        self.closed = self._is_closed()
        self._await_nodes()

    def _send(self) -> None:
        for number, part in enumerate(self.vector["request_parts"]):
            if number:
                time.sleep(PAUSE_S)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.client << part.encode("latin-1")
        if self.vector.get("client_half_closes"):
            with contextlib.suppress(OSError):
                self.client.half_close()

    def _read(self, patience_s: float) -> bool:
        """Take what comes within that time; False when nothing did or the stream is at its end."""
        if self.ended or not select.select([self.client.socket], [], [], patience_s)[0]:
            return False
        with contextlib.suppress(ConnectionResetError):
            data = self.client.socket.recv(262144)
            self.received += data
            self.ended = not data
            return not self.ended
        self.ended = True
        return False

    def _read_expected(self) -> None:
        """Read until everything expected is there, or nothing more comes."""
        wanted = normal(self.expected)
        while normal(bytes(self.received)) != wanted and self._read(PATIENCE_S):
            pass
        while self._read(0):  # what nobody expected but is already there
            pass

    def _is_closed(self) -> bool:
        """Whether the proxy ended the connection. Where it should not have, a further request shows that it lives."""
        if self.vector["connection_closed_by_proxy"]:
            while self._read(PATIENCE_S + self.vector.get("closed_after_about_s", 0)):
                pass
            return self.ended
        if not self._may_probe():
            return self.ended
        with contextlib.suppress(OSError):
            self.client << PROBE
            before = len(self.received)
            while self._read(PATIENCE_S) and b"\r\n\r\n" not in self.received[before:]:
                pass
            del self.received[before:]
        return self.ended

    def _may_probe(self) -> bool:
        """Whether the stream to the proxy stands between two requests."""
        complete = all(status not in (101,) for status in self.vector["statuses"])
        return bool(self.vector["statuses"]) and complete and not self.vector.get("client_half_closes")

    def _await_nodes(self) -> None:
        """Return when the nodes have received what was recorded, or nothing more may be hoped for."""
        wanted = _at_nodes(recorded_outcome(self.vector))
        deadline = time.monotonic() + PATIENCE_S
        while _at_nodes(outcome(self)) != wanted and time.monotonic() < deadline:
            time.sleep(0.005)

    def statuses(self) -> list[int]:
        """Of every response head in the stream."""
        starts = (line for line in bytes(self.received).split(b"\r\n") if b"HTTP/1." in line[:4096])
        return [Head(line[line.rindex(b"HTTP/1.") :], ()).status for line in starts]


def outcome(played: Played) -> dict[str, Any]:
    """What is compared, in a form that a departures table can hold."""
    ports, nodes = played.recording.ports, played.recording.nodes
    compared = {"response": text(played.received, ports), "closed": played.closed}
    if "upstream_raw" in played.vector:
        received = b"".join(golden_nodes.received(node) for node in nodes.values())
        return {**compared, "upstream": text(received, ports)}
    counts = {name: golden_nodes.count(node) for name, node in nodes.items() if golden_nodes.count(node)}
    return compared if "held_open_before" in played.vector else {**compared, "upstream_requests": counts}


def recorded_outcome(vector: Json) -> dict[str, Any]:
    response = golden_nodes.as_played(vector["response_raw"].encode("latin-1"))
    compared = {"response": text(response, {}), "closed": bool(vector["connection_closed_by_proxy"])}
    if "upstream_raw" in vector:
        return {**compared, "upstream": text(_SEEN.sub(b"", vector["upstream_raw"].encode("latin-1")), {})}
    return compared if "held_open_before" in vector else {**compared, "upstream_requests": vector["upstream_requests"]}


def _at_nodes(compared: dict[str, Any]) -> object:
    return compared.get("upstream", compared.get("upstream_requests"))


def text(stream: bytes | bytearray, ports: dict[int, int]) -> str:
    """A stream as it is compared: the ports as recorded, and this machine's address as that of the recording.

    Envoy writes its own interface's address for a loopback peer; where the recordings were made there was none.
    """
    stream = bytes(stream)
    for recorded, ours in ports.items():
        stream = stream.replace(b":%d" % ours, b":%d" % recorded)
    return normal(stream.replace(own_address(), b"127.0.0.1")).decode("latin-1")


@cache
def own_address() -> bytes:
    """The first IPv4 address that is not loopback, loopback's where there is none (netdevice(7), SIOCGIFADDR)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):
                answer = fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack("256s", name.encode()))
                if answer[20] != 127:
                    return socket.inet_ntoa(answer[20:24]).encode()
    return b"127.0.0.1"
