"""A request that waits for its session's host: how much of it is kept, and whom it is sent to."""

from contextlib import suppress

import pytest

from fastproxy.model import Host, SessionAffinity
from fastproxy.model_balancing import HealthStatus
from tests.unit.asked_hosts import POLL, Asked, counters
from tests.unit.engine_world import Peer, get, ok
from tests.unit.lost_answers import UNKNOWN, UNKNOWN_400


class TestBodies:
    @pytest.mark.parametrize("place", [0, 1])
    def test_a_post_is_sent_whole(self, worlds, place):
        world = worlds(2)
        hosts = Asked(world)
        body = bytes(range(256)) * 100
        client = world.client().send(get(POLL, f"content-length: {len(body)}", method="POST"))
        for at in range(0, len(body), 5000):
            assert not any(node.is_asked() for node in world.nodes)
            client.send(body[at : at + 5000])
            world.settle()
        for _ in range(place):
            peer = hosts.next()
            assert peer.take(len(body)) == body
            peer.send(UNKNOWN_400)
        peer = hosts.next()
        assert peer.take(len(body)) == body
        peer.send(ok())
        assert client.response() == (200, b"hello")

    def test_chunks_stay_chunks(self, worlds):
        world = worlds(2)
        hosts = Asked(world)
        client = world.client().send(get(POLL, "transfer-encoding: chunked", method="POST"))
        for piece in (b"5\r\nhel", b"lo\r", b"\n3;x=y\r\nabc\r\n", b"0\r\n\r\n"):
            client.send(piece)
            world.settle()
        for said in (UNKNOWN_400, ok()):
            peer = hosts.next()
            assert self.unchunked(peer) == b"helloabc"
            peer.send(said)
        assert client.response() == (200, b"hello")

    def unchunked(self, peer: Peer) -> bytes:
        """What the chunks say that a host got."""
        peer.until(lambda: peer.got.endswith(b"0\r\n\r\n"))
        return b"".join(peer.take(len(peer.got)).split(b"\r\n")[1:-2:2])

    @pytest.mark.parametrize("framing", ["content-length: 3000", "transfer-encoding: chunked"])
    def test_a_large_one_is_not_kept(self, worlds, framing):
        world = worlds(2, manager={"affinity": SessionAffinity(max_asked_body_bytes=1000)})
        client = world.client().send(get(POLL, framing, method="POST"))
        body = b"x" * 3000 if "length" in framing else b"bb8\r\n" + b"x" * 3000 + b"\r\n0\r\n\r\n"
        client.send(body[:2000])
        world.settle()
        client.send(body[2000:])
        peer = Asked(world).next()
        peer.until(lambda: peer.got.count(b"x") == 3000)
        world.settle()
        peer.read()
        assert peer.got.endswith(b"0\r\n\r\n") == ("chunked" in framing)
        peer.send(UNKNOWN_400)
        assert client.response() == (400, UNKNOWN)
        assert (world.count("sid_ask_too_large"), *counters(world)) == (1, 0, 0, 0, 0)

    def test_one_of_just_the_size_is(self, worlds):
        world = worlds(2, manager={"affinity": SessionAffinity(max_asked_body_bytes=1000)})
        hosts = Asked(world)
        client = world.client().send(get(POLL, "content-length: 1000", method="POST") + b"x" * 1000)
        peer = hosts.next()
        peer.take(1000)
        peer.send(UNKNOWN_400)
        hosts.next().send(ok())
        assert client.response() == (200, b"hello")

    def test_no_more_is_held_than_a_worker_may(self, worlds):
        world = worlds(2, manager={"affinity": SessionAffinity(max_asked_body_bytes=100_000_000)})
        client = world.client().send(get(POLL, f"content-length: {70_000_000}", method="POST"))
        while not world.count("sid_ask_too_large"):
            with suppress(BlockingIOError):
                client.sock.send(b"x" * 1_000_000)
            world.turn(0)
        peer = Asked(world).next()
        client.close()
        peer.close()
        world.until(lambda: world.count("upstream_cx_active") == 0)
        hosts = Asked(world)  # what was held was given back
        client = world.client().send(get(POLL, "content-length: 1", method="POST") + b"x")
        for said in (UNKNOWN_400, ok()):
            peer = hosts.next()
            assert peer.take(1) == b"x"
            peer.send(said)
        assert client.response() == (200, b"hello")

    def test_the_client_may_leave_in_the_middle(self, worlds):
        world = worlds(2)
        client = world.client().send(get(POLL, "content-length: 10", method="POST") + b"12345")
        world.settle()
        client.close()
        world.settle()
        assert counters(world) == (0, 0, 0, 0)
        assert not any(node.is_asked() for node in world.nodes)

    def test_a_body_that_makes_no_sense_asks_nobody(self, worlds):
        world = worlds(2)
        client = world.client().send(get(POLL, "transfer-encoding: chunked", method="POST"))
        world.settle()
        client.send(b"zz\r\n")
        assert client.response()[0] == 400
        assert counters(world) == (0, 0, 0, 0)

    def test_a_client_that_waits_for_100_is_answered(self, worlds):
        world = worlds(2)
        client = world.client().send(get(POLL, "content-length: 3", "expect: 100-continue", method="POST"))
        assert client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"abc")
        peer = Asked(world).next()
        assert peer.take(3) == b"abc"

    def test_one_that_waits_for_the_host_is_not_asked_for(self, worlds):
        world = worlds(2, manager={"proxy_100_continue": True})
        client = world.client().send(get(POLL, "content-length: 3", "expect: 100-continue", method="POST"))
        peer = Asked(world).next().send(b"HTTP/1.1 100 Continue\r\n\r\n")
        client.head()
        client.send(b"abc")
        assert peer.take(3) == b"abc"
        assert counters(world) == (0, 0, 0, 0)


class TestWhoIsAsked:
    @pytest.mark.parametrize("method", ["OPTIONS", "HEAD"])
    def test_not_for_a_preflight(self, worlds, method):
        world = worlds(2)
        client = world.client().send(get(POLL, method=method))
        Asked(world).next().send(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        assert client.response() == (400, b"")
        assert counters(world) == (0, 0, 0, 0)

    @pytest.mark.parametrize("sid", ["", "a%20b", "x" * 129, "a&sid=b"])
    def test_not_for_an_id_that_no_server_issues(self, worlds, sid):
        world = worlds(2)
        client = world.client().send(get(f"/socket.io/?EIO=4&transport=polling&sid={sid}"))
        Asked(world).next().send(UNKNOWN_400)
        assert client.response() == (400, UNKNOWN)
        assert counters(world) == (0, 0, 0, 0)

    def test_not_where_there_is_one_host(self, world):
        client, peer = world.ask(get(POLL))
        peer.head()
        peer.send(UNKNOWN_400)
        assert client.response() == (400, UNKNOWN)
        assert counters(world) == (0, 0, 0, 0)

    def test_a_host_that_drains_too_and_last(self, worlds):
        world = worlds(3)
        healths = [HealthStatus.DRAINING, HealthStatus.HEALTHY, HealthStatus.UNHEALTHY]
        hosts = tuple(
            Host(node.address, health_status=health) for node, health in zip(world.nodes, healths, strict=True)
        )
        world.change(cluster={"hosts": hosts})
        order = Asked(world)
        client = world.client().send(get(POLL))
        order.all_decline()
        client.response()
        assert order.order[0] is world.nodes[1]
        assert set(order.order) == set(world.nodes)

    def test_one_that_cannot_be_connected_is_passed_over(self, worlds, caplog):
        caplog.set_level("INFO", "fastproxy.affinity")
        world = worlds(3)
        world.nodes[1].stop()
        hosts = Asked(world)
        client = world.client().send(get(POLL))
        for _ in range(2):
            hosts.next().send(UNKNOWN_400)
        assert client.response() == (400, UNKNOWN)
        assert caplog.messages == ["sid no.. is unknown to 2 hosts of cluster backend; 1 could not be asked"]
        client.send(get(POLL))
        hosts.next().send(ok())
        assert client.response() == (200, b"hello")
        assert world.count("sid_declined_cached") == 0

    def test_nobody_can_be_connected(self, worlds):
        world = worlds(2)
        for node in world.nodes:
            node.stop()
        client = world.client().send(get(POLL))
        status, body = client.response()
        assert (status, b"remote connection failure" in body) == (503, True)

    def test_only_hosts_of_the_name_that_the_request_says(self, worlds):
        world = worlds(3)
        hosts = tuple(
            Host(node.address, hostname=name) for node, name in zip(world.nodes, ["a", "b", "a"], strict=True)
        )
        world.change(cluster={"hosts": hosts}, route={"auto_host_rewrite": True})
        order = Asked(world)
        client = world.client().send(get("/page"))
        while order.next() is not order.kept.get(world.nodes[0]):
            order.kept[order.order[-1]].send(ok())
            client.response()
            client.send(get("/page"))
        order.kept[world.nodes[0]].send(ok())
        client.response()
        order.order.clear()
        client.send(get(POLL))
        order.next().send(UNKNOWN_400)
        while order.order[-1] is world.nodes[1]:
            assert client.response() == (400, UNKNOWN)
            order.order.clear()
            client.send(get(POLL))
            order.next().send(UNKNOWN_400)
        order.next().send(UNKNOWN_400)
        assert set(order.order) == {world.nodes[0], world.nodes[2]}
        assert client.response() == (400, UNKNOWN)
