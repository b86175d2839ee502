"""SIGHUP: another configuration in the same processes, and nobody notices who was there before."""

import copy
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from tests.support import processes, proxies
from tests.support.adversary import Node, Peer, answering
from tests.support.messages import Message
from tests.support.processes import wait_until
from tests.support.proxies import Json, World, Worlds, bootstrap, cluster, connection_manager, route
from tests.support.websocket import tunnel

pytestmark = pytest.mark.departure("Envoy does not read its file again")

# A hundred configurations that were not freed would take more; the address sanitizer keeps what is freed for a while.
ALLOWANCE_KIB = 4096 if "libasan" not in os.environ.get("LD_PRELOAD", "") else 1 << 20
GET = b"GET /%s HTTP/1.1\r\nhost: a\r\n\r\n"


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


@pytest.fixture
def world(worlds: Worlds) -> Iterator[World]:
    """Two workers, and two nodes that tests answer for by hand."""
    nodes = [Node(), Node()]
    port, admin_port = processes.free_ports(2)
    started = worlds.run_file(configuration(nodes, 0, port, admin_port), nodes, concurrency=2)
    yield started
    started.settle()
    worlds.live.remove(started)
    assert "Traceback" not in started.proxy.process.output
    started.proxy.stop()


def configuration(nodes: list[Node], number: int, port: int, admin_port: int, **manager: Any) -> Json:
    """A cluster for each node; requests go to the one of that number."""
    clusters = [cluster(f"c{place}", [node.port]) for place, node in enumerate(nodes)]
    routes = [route("/", f"c{number}")]
    return bootstrap(
        port, admin_port, connection_manager(routes, upgrade_configs=proxies.WEBSOCKET, **manager), clusters
    )


def turned_to(world: World, number: int, **manager: Any) -> Json:
    """The configuration in which requests go to that node."""
    return configuration(list(world.nodes), number, world.proxy.port, world.proxy.admin_port, **manager)


def answer(node: Node, body: bytes) -> Message:
    peer = node.busy_peer()
    request = peer.read_request()
    peer << ok(body)
    return request


def test_the_next_request_of_a_kept_connection_takes_the_new_route(world: World) -> None:
    client = world.client() << GET % b"one"
    answer(world.nodes[0], b"zero")
    assert client.read_response().body == b"zero"
    world.proxy.reload(turned_to(world, 1))
    client << GET % b"two"
    answer(world.nodes[1], b"one")
    assert client.read_response().body == b"one"
    assert world.proxy.stats()["http.ingress_http.downstream_cx_total"] == 1


def test_an_exchange_under_way_ends_where_it_began(world: World) -> None:
    client = world.client() << b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\nabc"
    node = world.nodes[0].accept()
    node.read_head()
    world.proxy.reload(turned_to(world, 1))
    client << b"def"
    assert node.read_exactly(6) == b"abcdef"
    node << b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n123"
    world.proxy.reload(turned_to(world, 0, stat_prefix="other"))
    node << b"456"
    assert client.read_response().body == b"123456"
    client << GET % b"next"
    answer(world.nodes[0], b"new")
    assert client.read_response().body == b"new"


def test_a_tunnel_lives_over_ten_reloads_with_bytes_in_flight(world: World) -> None:
    client, node = tunnel(World(world.proxy, world.nodes[:1], world.clients))
    up, down = os.urandom(3_000_000), os.urandom(3_000_000)
    received: dict[str, bytes] = {}

    def read(name: str, peer: Peer, size: int) -> None:
        received[name] = peer.read_exactly(size)

    pumps = [
        threading.Thread(target=read, args=("up", node, len(up))),
        threading.Thread(target=read, args=("down", client, len(down))),
    ]
    for pump in pumps:
        pump.start()
    for number in range(10):
        part = slice(number * 300_000, (number + 1) * 300_000)
        writers = [threading.Thread(target=client.__lshift__, args=(up[part],))]
        writers.append(threading.Thread(target=node.__lshift__, args=(down[part],)))
        for writer in writers:
            writer.start()
        world.proxy.reload(turned_to(world, number % 2, stat_prefix=f"p{number % 3}"))
        for writer in writers:
            writer.join()
    for pump in pumps:
        pump.join()
    assert received == {"up": up, "down": down}
    assert world.proxy.stats()["http.ingress_http.downstream_cx_upgrades_active"] == 1


def with_listener(world: World, port: int, **fields: Any) -> Json:
    """The configuration with a listener more."""
    changed: Json = copy.deepcopy(world.proxy.configuration)
    first = changed["static_resources"]["listeners"][0]
    extra = {**copy.deepcopy(first), "name": "extra", "address": proxies.socket_address(port), **fields}
    changed["static_resources"]["listeners"].append(extra)
    return changed


def test_a_listener_comes_and_goes(world: World) -> None:
    before = world.proxy.configuration
    port = processes.free_port()
    world.proxy.reload(with_listener(world, port))
    assert f"extra::127.0.0.1:{port}" in world.proxy.admin("/listeners")[1]
    with closing(Peer(socket.create_connection(("127.0.0.1", port)))) as client:
        client << GET % b"x"
        answer(world.nodes[0], b"hello")
        assert client.read_response().body == b"hello"
        client << GET % b"y"
        peer = world.nodes[0].busy_peer()
        peer.read_request()
        world.proxy.reload(before)
        peer << ok(b"last")
        response = client.read_response()
        assert (response.body, response.head.get(b"connection")) == (b"last", b"close")
        client.assert_ended()
    assert_refuses(port)
    stats = world.proxy.stats()
    assert (stats["listener_manager.listener_added"], stats["listener_manager.listener_removed"]) == (2, 1)


def test_a_port_that_cannot_be_had_changes_nothing(world: World) -> None:
    sockets = world.proxy.sockets()
    free = processes.free_port()
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        wrong = with_listener(world, free)
        extra = {**copy.deepcopy(wrong["static_resources"]["listeners"][1]), "name": "taken"}
        extra["address"] = proxies.socket_address(taken.getsockname()[1])
        wrong["static_resources"]["listeners"].append(extra)
        world.proxy.file.write_text(json.dumps(wrong))
        assert not world.proxy.hang_up()
    assert (
        f"listener 'taken': tcp://127.0.0.1:{taken_port(wrong)}: address already in use" in world.proxy.process.output
    )
    # a connection of the admin may still be closing, before as after
    processes.wait_until(lambda: world.proxy.sockets() <= sockets, "the sockets that there were")
    assert_refuses(free)
    serves(world, 0)


def assert_refuses(port: int) -> None:
    """Nobody listens there."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def taken_port(wrong: Json) -> int:
    return int(wrong["static_resources"]["listeners"][2]["address"]["socket_address"]["port_value"])


def serves(world: World, number: int) -> None:
    client = world.client() << GET % b"x"
    answer(world.nodes[number], b"hello")
    assert client.read_response().body == b"hello"


def test_a_wrong_file_changes_nothing_and_says_where_it_is_wrong(world: World) -> None:
    client = world.client() << GET % b"one"
    answer(world.nodes[0], b"zero")
    client.read_response()
    text = world.proxy.file.read_text()
    lines = text.replace('"cluster": "c0"', '"cluster": "nowhere"').splitlines()
    world.proxy.file.write_text("\n".join(lines))
    line = next(number for number, each in enumerate(lines, 1) if '"nowhere"' in each)
    column = lines[line - 1].index('"nowhere"') + 1
    assert not world.proxy.hang_up()
    assert f"[error][reload] {world.proxy.file}:{line}:{column}: " in world.proxy.process.output
    stats = world.proxy.stats()
    assert stats["server.config_reload_failure"] == 1
    assert stats["server.config_generation"] == 1
    info = json.loads(world.proxy.admin("/server_info")[1])["configuration"]
    assert (info["generation"], f":{line}:{column}: " in info["last_reload_error"]) == (1, True)
    client << GET % b"two"
    answer(world.nodes[0], b"still")
    assert client.read_response().body == b"still"


@pytest.mark.parametrize("content", [b"", b"\0\xff\xfe", b"{" * 100_000, b"a: [" * 100_000])
def test_no_file_is_too_wrong(world: World, content: bytes) -> None:
    world.proxy.file.write_bytes(content)
    assert not world.proxy.hang_up()
    world.proxy.file.unlink()
    assert not world.proxy.hang_up()
    assert world.proxy.stats()["server.config_reload_failure"] == 2
    serves(world, 0)


def test_counters_go_on(world: World) -> None:
    serves(world, 0)
    for number in (1, 0):
        world.proxy.reload(turned_to(world, number))
    serves(world, 0)
    stats = world.proxy.stats()
    assert stats["http.ingress_http.downstream_rq_2xx"] == 2
    assert stats["cluster.c0.upstream_rq_2xx"] == 2
    assert (stats["server.config_reload_success"], stats["server.config_generation"]) == (2, 3)


def test_a_worker_that_is_killed_comes_back_with_the_new_configuration(world: World) -> None:
    port = processes.free_port()
    changed = turned_to(world, 1)
    changed["static_resources"]["listeners"] += with_listener(world, port)["static_resources"]["listeners"][1:]
    world.proxy.reload(changed)
    for pid in processes.children(world.proxy.process.pid):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: world.proxy.stats()["server.workers_replaced"] == 2, "both are replaced")
    world.proxy.crew = set(world.proxy.pids())
    for _ in range(8):
        serves(world, 1)
    world.proxy.reload(turned_to(world, 0))
    world.proxy.crew = set(world.proxy.pids())
    serves(world, 0)


def test_a_signal_while_a_reload_is_under_way_is_not_lost(world: World) -> None:
    for attempt, number in enumerate((1, 0), 1):
        other = world.proxy.file.with_suffix(".new")
        other.write_text(json.dumps(turned_to(world, number)))
        other.rename(world.proxy.file)
        world.proxy.process.send_signal(signal.SIGHUP)
        wait_until(partial(was_read, world, attempt), "it is read")
    wait_until(lambda: world.proxy.stats()["server.config_reload_success"] == 2, "both reloads")
    serves(world, 0)


def was_read(world: World, times: int) -> bool:
    return world.proxy.process.output.count("reading the configuration again") >= times


class Users:
    """Clients that ask without end on connections that are kept, until they are told to stop."""

    def __init__(self, port: int, count: int) -> None:
        self.wrong: list[str] = []
        self.served = 0
        self._port = port
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        try:
            while not self._stop.is_set():
                with closing(Peer(socket.create_connection(("127.0.0.1", self._port)))) as client:
                    for _ in range(20):
                        client << GET % b"x"
                        body = client.read_response().body
                        assert body in (b"node 0", b"node 1"), body
                        self.served += 1
        except Exception as error:
            self.wrong.append(repr(error))

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def named(number: int) -> Callable[[Node, Peer], None]:
    return answering(lambda node, request: ok(b"node %d" % number))


def memory_kib(world: World) -> int:
    """Private memory of all processes: what nobody shares with them."""
    total = 0
    for pid in world.proxy.pids():
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty:"))
    return total


@pytest.mark.timeout(300)
def test_a_hundred_reloads_under_load_lose_nothing_and_keep_nothing(worlds: Worlds) -> None:
    nodes = [Node(named(0)), Node(named(1))]
    port, admin_port = processes.free_ports(2)
    first = configuration(nodes, 0, port, admin_port)
    second = configuration(nodes, 1, port, admin_port, stat_prefix="second")
    second["static_resources"]["clusters"][1]["connect_timeout"] = "4s"
    world = worlds.run_file(first, nodes, concurrency=2)
    for each in (second, first) * 5:
        world.proxy.reload(each)
    fds, memory = descriptors(world), memory_kib(world)
    users = Users(port, 8)
    try:
        for _ in range(50):
            for each in (second, first):
                world.proxy.reload(each)
    finally:
        users.stop()
    assert users.wrong == []
    assert users.served > 1000
    stats = world.proxy.stats()
    assert stats["http.ingress_http.downstream_rq_2xx"] + read_second(world, second) >= users.served
    assert world.proxy.stats()["server.config_reload_failure"] == 0
    world.settle()
    wait_until(lambda: descriptors(world) <= fds, lambda: f"{descriptors(world)} descriptors, {fds} before")
    assert memory_kib(world) < memory + ALLOWANCE_KIB
    assert "Traceback" not in world.proxy.process.output


def read_second(world: World, second: Json) -> int:
    """What was counted under the other prefix, which is shown while it is configured."""
    world.proxy.reload(second)
    return world.proxy.stats()["http.second.downstream_rq_2xx"]


def descriptors(world: World) -> int:
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in world.proxy.pids())
