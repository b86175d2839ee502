"""Too much of everything at a real proxy: pressure, descriptors, a full disk. What stands goes on, and it passes."""

import signal
from collections.abc import Callable
from pathlib import Path

from tests.support import processes, proxies
from tests.support.adversary import Node, Peer
from tests.support.proxies import Json, World, Worlds
from tests.support.websocket import handshake, switching, upgrade_seen

TYPES = "type.googleapis.com/envoy.extensions.resource_monitors"
FILE = "envoy.resource_monitors.injected_resource"
HEAP = "envoy.resource_monitors.fixed_heap"
DIRECT = {"match": {"prefix": "/direct"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}
GET = b"GET /direct HTTP/1.1\r\nhost: a\r\n\r\n"
STAT = "http.ingress_http."
SCALE = "type.googleapis.com/envoy.config.overload.v3.ScaleTimersOverloadActionConfig"
DESCRIPTORS = 96


def echo(node: Node, peer: Peer) -> None:
    """Return every byte behind a handshake, and answer nothing else."""
    if upgrade_seen(peer.read_head()):
        peer << switching()
        while data := peer.socket.recv(65536):
            peer << data
    while peer.socket.recv(65536):
        pass


def world_of(worlds: Worlds, around: Callable[[list[str]], list[str]] = list, log: str = "", **more: object) -> World:
    """A direct response at /direct, and tunnels to a node that echoes everywhere else."""
    node = Node(echo)
    logs = {"name": "file", "typed_config": {"@type": f"{LOGGER}.v3.FileAccessLog", "path": log}}
    manager = proxies.connection_manager(
        [DIRECT, proxies.route("/", "backend", timeout="0s")],
        upgrade_configs=proxies.WEBSOCKET,
        access_log=[logs] if log else [],
    )
    clusters = [proxies.cluster("backend", [node.port])]
    port, admin_port = processes.free_ports(2)
    return worlds.run_file({**proxies.bootstrap(port, admin_port, manager, clusters), **more}, [node], around=around)


LOGGER = "type.googleapis.com/envoy.extensions.access_loggers.file"


def ask(client: Peer, status: int = 200) -> Peer:
    """A request on this connection has that answer."""
    client << GET
    head = client.read_head()
    assert head.status == status
    client.read_exactly(int(head.all(b"content-length")[0]))
    return client


def open_tunnel(world: World) -> Peer:
    client = world.client() << handshake()
    assert client.read_head().status == 101
    return client


def goes_on(tunnel: Peer) -> None:
    tunnel << b"still there"
    assert tunnel.read_exactly(11) == b"still there"


def manager_of(pressure: Path) -> Json:
    def action(name: str, value: float) -> Json:
        return {"name": name, "triggers": [{"name": FILE, "threshold": {"value": value}}]}

    def monitor(name: str, kind: str, **settings: object) -> Json:
        return {"name": name, "typed_config": {"@type": f"{TYPES}.{kind}", **settings}}

    return {
        "refresh_interval": "0.02s",
        "resource_monitors": [
            monitor(FILE, "injected_resource.v3.InjectedResourceConfig", filename=str(pressure)),
            monitor(HEAP, "fixed_heap.v3.FixedHeapConfig", max_heap_size_bytes=1 << 20),
        ],
        "actions": [
            action("fastproxy.overload_actions.refuse_new_sessions", 0.5),
            action("envoy.overload_actions.stop_accepting_requests", 0.7),
            action("envoy.overload_actions.reject_incoming_connections", 0.9),
        ],
    }


def test_pressure_stops_what_the_file_says_and_nothing_else(worlds: Worlds, tmp_path: Path) -> None:
    pressure = tmp_path / "pressure"
    pressure.write_text("0")
    world = world_of(worlds, overload_manager=manager_of(pressure))

    def press(value: float) -> None:
        pressure.with_suffix(".new").write_text(str(value))
        pressure.with_suffix(".new").rename(pressure)
        name = f"overload.{FILE}.pressure"
        processes.wait_until(lambda: world.proxy.stats()[name] == int(value * 100), "the pressure is known")

    tunnel, kept = open_tunnel(world), ask(world.client())
    press(0.5)
    goes_on(tunnel)
    ask(kept)
    refused = world.client() << handshake()
    assert refused.read_head().status == 503
    press(0.75)
    goes_on(tunnel)
    ask(kept, 503)
    press(0.95)
    goes_on(tunnel)
    assert world.client().read_to_end() == b""
    stats = world.proxy.stats()
    assert stats[f"{STAT}downstream_rq_overload_new_session"] == 1
    assert stats[f"{STAT}downstream_rq_overload_close"] == 1
    assert stats[f"overload.{HEAP}.pressure"] > 100
    assert stats["overload.envoy.overload_actions.reject_incoming_connections.active"] == 1
    press(0)
    goes_on(tunnel)
    ask(kept)
    goes_on(open_tunnel(world))


def test_pressure_makes_timers_shorter_and_leaves_tunnels_alone(worlds: Worlds, tmp_path: Path) -> None:
    pressure = tmp_path / "pressure"
    pressure.write_text("0")
    manager = manager_of(pressure)
    timer = {"timer": "HTTP_DOWNSTREAM_CONNECTION_IDLE", "min_timeout": "0.001s"}
    manager["actions"] = [
        {
            "name": "envoy.overload_actions.reduce_timeouts",
            "triggers": [{"name": FILE, "threshold": {"value": 0.5}}],
            "typed_config": {"@type": SCALE, "timer_scale_factors": [timer]},
        }
    ]
    world = world_of(worlds, overload_manager=manager)
    tunnel, idle = open_tunnel(world), world.client()
    pressure.with_suffix(".new").write_text("0.5")
    pressure.with_suffix(".new").rename(pressure)
    assert idle.read_to_end() == b""
    goes_on(tunnel)
    assert world.proxy.stats()[f"{STAT}downstream_cx_idle_timeout"] == 1


def narrow(argv: list[str]) -> list[str]:
    return ["/bin/sh", "-c", f'ulimit -n {DESCRIPTORS} && exec "$@"', "sh", *argv]


def test_without_descriptors_what_stands_goes_on_and_it_passes(worlds: Worlds) -> None:
    world = world_of(worlds, narrow)
    overflow = f"listener.127.0.0.1_{world.proxy.port}.downstream_cx_overflow"
    tunnel = open_tunnel(world)
    for _ in range(2 * DESCRIPTORS):
        world.client()
    ask(world.client())
    goes_on(tunnel)
    stats = world.proxy.stats()
    assert stats[f"{STAT}downstream_cx_overload_idle_close"] > 0
    assert stats[overflow] == 0

    busy = [world.client() << b"GET /busy HTTP/1.1\r\nhost: a\r\n\r\n" for _ in range(DESCRIPTORS // 4)]
    while not world.proxy.stats()[overflow]:  # many at a time: a head that is slow may be given up
        halves = [world.client() << b"GET /half-a-head HTTP/1.1\r\n" for _ in range(DESCRIPTORS // 3)]
        busy += halves  # neither idle, nor answered when there is no descriptor more
        assert len(busy) < 8 * DESCRIPTORS
    goes_on(tunnel)
    waiting = world.client() << GET
    for client in busy:
        client.close()
    assert waiting.read_head().status == 200
    goes_on(tunnel)
    goes_on(open_tunnel(world))
    world.proxy.process.wait_output("descriptors are scarce")


def test_a_full_disk_loses_lines_and_nothing_else(worlds: Worlds, tmp_path: Path) -> None:
    """/dev/full refuses every byte with ENOSPC."""
    log = tmp_path / "access.log"
    log.symlink_to("/dev/full")
    world = world_of(worlds, log=str(log))
    client = world.client()
    for _ in range(10):
        ask(client)
    processes.wait_until(lambda: world.proxy.stats()["filesystem.write_failed"] > 0, "a write has failed")
    ask(client)
    log.unlink()
    world.proxy.process.send_signal(signal.SIGUSR1)
    processes.wait_until(lambda: log.exists() and log.read_text().count("GET /direct") == 11, "the lines are written")
    assert world.proxy.stats()["filesystem.write_completed"] > 0
