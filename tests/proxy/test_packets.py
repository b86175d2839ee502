"""Packets of sessions over polls and WebSockets, counted to the last one by route, host and connection manager."""

import pytest

from tests.support import processes
from tests.support.adversary import Node, Peer
from tests.support.engine_io import ask, node_of, open_packet, response, sid_in
from tests.support.proxies import Worlds, query, route
from tests.support.websocket import frame, handshake, switching, upgrade_seen

SESSIONS = 6
FETCHED = '42["tick",1]\x1ebAQID\x1e42["é😀"]'.encode()
BROUGHT = b'42["a"]\x1e42["b"]'


def serve(node: Node, peer: Peer) -> None:
    """Engine.IO without a memory: three packets for each poll, and three messages in each WebSocket."""
    while True:
        request = peer.read_request()
        if upgrade_seen(request.head):
            (key,) = request.head.all(b"sec-websocket-key")
            peer << switching(key, b"x-node: %d\r\n" % node.port) + frame(b"3probe")
            peer << frame(b"2") + frame(b"42" * 40_000, final=False) + frame(b"", 9) + frame(b"x", 0)
            peer.read_to_end()
            return
        if "sid" not in query(request.head.target):
            peer << response(node, open_packet(f"sid{len(node.requests)}-{node.port}"))
        else:
            peer << response(node, b"ok" if request.body else FETCHED)
        node.requests.append(request)


def post(target: str, body: bytes) -> bytes:
    return b"POST %b HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%b" % (target.encode(), len(body), body)


@pytest.mark.departure("Envoy counts no packets, and no bytes by host or route")
def test_packets_and_bytes_of_sessions(worlds: Worlds) -> None:
    chat = {**route("/socket.io/", "backend"), "name": "chat"}
    world = worlds.start(nodes=[Node(serve) for _ in range(2)], routes=[chat], concurrency=2)
    sessions_of = {node.port: 0 for node in world.nodes}
    for _ in range(SESSIONS):
        opening = ask(world, "/socket.io/?EIO=4&transport=polling")
        sid = sid_in(opening.body)
        sessions_of[node_of(opening)] += 1
        poll = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
        brought = world.client() << post(poll, BROUGHT)
        assert node_of(brought.read_response()) == node_of(opening)
        assert ask(world, poll).body == FETCHED
        tunnel = world.client() << handshake(f"/socket.io/?EIO=4&transport=websocket&sid={sid}".encode())
        assert node_of(tunnel.read_head()) == node_of(opening)
        tunnel >> frame(b"3probe") + frame(b"2") + frame(b"42" * 40_000, final=False) + frame(b"", 9) + frame(b"x", 0)
        tunnel.send_cut(frame(b"2probe", masked=True) + frame(b"5", masked=True) + frame(b"", 10, masked=True), "x")
    rx, tx = 4 * SESSIONS, 7 * SESSIONS  # of clients: 2 in polls, 2 messages; to clients: 1 and 3 in polls, 3 messages
    name = "http.ingress_http.packets_rx_total"
    processes.wait_until(lambda: world.proxy.stats()[name] == rx, lambda: f"{rx}: {world.proxy.stats()[name]}")
    stats = world.proxy.stats()
    for scope in ("http.ingress_http", "vhost.all.route.chat"):
        assert (stats[f"{scope}.packets_rx_total"], stats[f"{scope}.packets_tx_total"]) == (rx, tx)
        assert (stats[f"{scope}.packets_unread_polls"], stats[f"{scope}.packets_unread_ws"]) == (0, 0)
    assert (stats["cluster.backend.packets_rx_total"], stats["cluster.backend.packets_tx_total"]) == (tx, rx)
    for direction in ("rx", "tx"):
        of_manager = stats[f"http.ingress_http.downstream_cx_{direction}_bytes_total"]
        assert stats[f"vhost.all.route.chat.{direction}_bytes_total"] == of_manager
    clusters = world.proxy.admin("/clusters")[1]
    prometheus = world.proxy.admin("/stats/prometheus")[1]
    for port, number in sessions_of.items():
        assert stats[f"cluster.backend.endpoint.127.0.0.1_{port}.packets_tx_total"] == 4 * number
        assert f"backend::127.0.0.1:{port}::packets_rx_total::{7 * number}\n" in clusters
    assert f'envoy_vhost_route_packets_tx_total{{envoy_virtual_host="all",envoy_route="chat"}} {tx}\n' in prometheus
