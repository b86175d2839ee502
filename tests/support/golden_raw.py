"""Recordings of raw bytes (families 09 and 10): what was written at one end, what came out at both."""

import contextlib
import copy
import fcntl
import re
import select
import socket
import struct
import time
from functools import cache
from pathlib import Path

from tests.support import golden_nodes, golden_tables
from tests.support.adversary import FullQueue, Node, Peer
from tests.support.golden import Outcome, Outcomes, Refused, Stage, addresses, assert_accepted, without
from tests.support.messages import normal
from tests.support.processes import wait_until
from tests.support.proxies import Json, Worlds

PAUSE_S = 0.15  # between the parts of a request, as recorded: some timeouts lie between it and its multiples
MORE_S = 0.3  # for what the table of departures says to come behind what was recorded
MORE_OFTEN = 8  # is a vector played that may have come too late, on a busy machine: one in parts, or one waited for
PATIENCE_S = 3.0
PROBE = b"GET /probe HTTP/1.1\r\nHost: example.com\r\n\r\n"
NODE_OF_MOST = {"all": {"port": 18001, "behaviour": "by path"}}
_SIOCGIFADDR = 0x8915
_SEEN = re.compile(rb"x-seen-[^\r\n]*\r\n")  # headers that only the recorded configuration added


def play(recorded: Json, vectors: list[Json], worlds: Worlds, folder: Path) -> Outcomes:
    recording = Recording(recorded, worlds, folder)
    try:
        for vector in vectors:
            rows = [row for row in golden_tables.departures() if row.covers(recorded["case"], vector["name"])]
            seen, is_timed = None, bool(rows) or len(vector["request_parts"]) > 1
            for _ in range(1 + MORE_OFTEN):
                began = time.monotonic()
                seen = _play_vector(recording, vector, bool(rows))
                if _is_expected(seen, rows) or (not is_timed and time.monotonic() - began < PATIENCE_S):
                    break
            assert seen
            yield seen
    finally:
        recording.close()


def _is_expected(seen: Outcome, rows: list[golden_tables.Departure]) -> bool:
    """Whether it differs as one of these rows says; without any, whether it does not differ."""
    if not rows:
        return not seen.differences
    return bool(seen.differences) and any(row.explains(seen) for row in rows)


def _play_vector(recording: "Recording", vector: Json, may_differ: bool) -> Outcome:
    played = recording.play(vector, MORE_S if may_differ else 0)
    wanted = recorded_outcome(vector, is_pruned=recording.is_pruned)
    seen = Outcome(vector["name"], wanted, outcome(played), "varies" in vector)
    recording.stage.world.settle()
    return seen


def pruned(recorded: Json) -> Json:
    """The configuration with what fastproxy refuses left out, where the rest of the file is worth playing.

    `09-xff-*` added headers to show what the proxy took for the client's address. `10-local-replies` has routes that
    answer by themselves, and hosts that are declared ill; a cluster without hosts is as good.
    """
    configuration: Json = copy.deepcopy(recorded["envoy_config"])
    if recorded["case"].startswith("09-xff"):
        configuration = without(configuration, "request_headers_to_add")
    if recorded["case"] != "10-local-replies":
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


def _accepted(recorded: Json, folder: Path) -> tuple[Json, bool]:
    """The recorded configuration, or the pruned one where that is refused; and whether it is the pruned one."""
    try:
        assert_accepted(recorded["envoy_config"], folder)
    except Refused:
        assert_accepted(configuration := pruned(recorded), folder)
        return configuration, True
    return recorded["envoy_config"], False


class Recording:
    """One recorded file being played: its proxy, and its nodes by name."""

    def __init__(self, recorded: Json, worlds: Worlds, folder: Path) -> None:
        configuration, self.is_pruned = _accepted(recorded, folder)
        upstreams = recorded.get("upstreams", NODE_OF_MOST)
        self._queue = FullQueue()
        self.nodes = {key: Node(golden_nodes.behaviour(key, value)) for key, value in upstreams.items()}
        ends: dict[str, Node | int] = {
            f"127.0.0.1:{value['port']}": self.nodes[key] for key, value in upstreams.items()
        }
        if not upstreams:  # nobody is meant to answer
            ends = dict.fromkeys(addresses(configuration), self._queue.port)
        self.stage = Stage(configuration, ends, worlds, folder)
        self.ports = {int(name.rpartition(":")[2]): port for name, port in self.stage.ports.items() if port}

    def play(self, vector: Json, more_s: float) -> "Played":
        for node in self.nodes.values():
            node.hang_up()
            golden_nodes.forget(node)
        for held in vector.get("held_open_before", []):
            before = self._requests()
            _ = self.stage.connect() << held.encode("latin-1")
            wait_until(lambda: self._requests() > before, "the request has come")  # noqa: B023
        return Played(self, vector, more_s)

    def _requests(self) -> int:
        return self.stage.world.proxy.stats()["http.ingress_http.downstream_rq_total"]

    def close(self) -> None:
        self._queue.close()


class Played:
    """What a proxy made of one vector: the stream to the client and how it ended; the nodes know what they received.

    `more_s` is how long to wait for what was not recorded.
    """

    def __init__(self, recording: Recording, vector: Json, more_s: float) -> None:
        self.recording, self.vector = recording, vector
        self.client: Peer = recording.stage.connect(vector.get("source_ip", "127.0.0.1"))
        self.expected = golden_nodes.as_played(vector["response_raw"].encode("latin-1"))
        self.received = bytearray()
        self.ended = False
        self._send()
        self._read_expected(more_s)
        self.closed = self._is_closed()
        self._await_nodes()

    def _send(self) -> None:
        began = time.monotonic()
        for number, part in enumerate(self.vector["request_parts"]):
            time.sleep(max(0.0, began + number * PAUSE_S - time.monotonic()))
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

    def _read_expected(self, more_s: float) -> None:
        """Read until everything expected is there, or nothing more comes."""
        wanted = normal(self.expected)
        while normal(bytes(self.received)) != wanted and self._read(PATIENCE_S):
            pass
        while self._read(more_s):  # what nobody expected but is already there
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
        wanted = _at_nodes(recorded_outcome(self.vector, is_pruned=self.recording.is_pruned))
        deadline = time.monotonic() + PATIENCE_S
        while _at_nodes(outcome(self)) != wanted and time.monotonic() < deadline:
            time.sleep(0.005)


def outcome(played: Played) -> Json:
    """What is compared, in a form that a table of departures can hold."""
    ports, nodes = played.recording.ports, played.recording.nodes
    compared = {"response": text(played.received, ports), "closed": played.closed}
    if "upstream_raw" in played.vector:
        received = b"".join(golden_nodes.received(node) for node in nodes.values())
        return {**compared, "upstream": text(received, ports)}
    counts = {name: golden_nodes.count(node) for name, node in nodes.items() if golden_nodes.count(node)}
    return compared if "held_open_before" in played.vector else {**compared, "upstream_requests": counts}


def recorded_outcome(vector: Json, *, is_pruned: bool) -> Json:
    response = golden_nodes.as_played(vector["response_raw"].encode("latin-1"))
    compared = {"response": text(response, {}), "closed": bool(vector["connection_closed_by_proxy"])}
    if "upstream_raw" in vector:
        upstream = vector["upstream_raw"].encode("latin-1")
        return {**compared, "upstream": text(_SEEN.sub(b"", upstream) if is_pruned else upstream, {})}
    return compared if "held_open_before" in vector else {**compared, "upstream_requests": vector["upstream_requests"]}


def _at_nodes(compared: Json) -> object:
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
