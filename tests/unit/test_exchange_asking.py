"""An id that the table does not know is asked for: what follows from the answers."""

import time

import pytest

from fastproxy._sessions import SessionTable
from fastproxy.model import SessionAffinity
from tests.support.punctual import Late, punctual
from tests.unit.asked_hosts import POLL, Asked, counters
from tests.unit.engine_world import KEY, Node, Peer, World, field, get, ok
from tests.unit.lost_answers import GO, NODE_POLL, PYTHON, UNKNOWN, UNKNOWN_400, answer, chunked


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_host_that_knows_is_found_and_remembered(worlds, place):
    world = worlds(3)
    hosts = Asked(world)
    client = world.client().send(get(POLL))
    for _ in range(place):
        hosts.next().send(UNKNOWN_400)
    peer = hosts.next().send(ok(b"found"))
    assert client.response() == (200, b"found")
    assert counters(world) == (1, place + 1, 1, 0)
    assert len(set(hosts.order)) == place + 1
    client.send(get(POLL))
    peer.head()
    peer.send(ok(b"again"))
    assert client.response() == (200, b"again")
    assert (counters(world), world.count("sid_known")) == ((1, place + 1, 1, 0), 1)


def test_the_same_request_goes_to_each(worlds):
    world = worlds(3)
    hosts = Asked(world)
    world.client().send(get(POLL, "x-anything: 1"))
    hosts.all_decline()
    assert len(set(hosts.heads)) == 1
    assert b"x-anything: 1" in hosts.heads[0]


def test_an_id_that_nobody_knows(worlds, caplog):
    caplog.set_level("INFO", "fastproxy.affinity")
    world = worlds(3)
    client = world.client().send(get(POLL))
    Asked(world).all_decline()
    head = client.head()
    assert head.startswith(b"HTTP/1.1 400 ")
    assert field(head, b"content-type") == b"application/json"
    assert client.take(len(UNKNOWN)) == UNKNOWN
    assert counters(world) == (1, 3, 0, 1)
    (record,) = caplog.records
    assert record.getMessage() == "sid no.. is unknown to 3 hosts of cluster backend"


def test_nobody_is_asked_twice_for_it(worlds):
    world = worlds(3)
    client = world.client().send(get(POLL))
    Asked(world).all_decline()
    client.response()
    assert client.send(get(POLL)).response() == (400, UNKNOWN)
    assert (world.count("sid_declined_cached"), *counters(world)) == (1, 1, 3, 0, 1)


def test_other_hosts_are_asked_anew(worlds):
    world = worlds(3)
    hosts = Asked(world)
    client = world.client().send(get(POLL))
    hosts.all_decline()
    client.response()
    world.nodes.append(Node(world))
    world.change()
    client.send(get(POLL))
    hosts.all_decline()
    assert client.response() == (400, UNKNOWN)
    assert (world.count("sid_declined_cached"), *counters(world)) == (0, 2, 7, 0, 2)


@pytest.mark.parametrize(
    "said", [UNKNOWN_400, PYTHON, GO, NODE_POLL, chunked("400 Bad Request", UNKNOWN[:3], UNKNOWN[3:])]
)
@pytest.mark.parametrize("how", ["whole", "byte by byte"])
def test_every_server_is_understood(worlds, said, how):
    world = worlds(2)
    hosts = Asked(world)
    client = world.client().send(get(POLL))
    peer = hosts.next()
    for piece in [said] if how == "whole" else [said[at : at + 1] for at in range(len(said))]:
        peer.send(piece)
        world.settle() if how != "whole" and piece in (b"\n", b"}") else world.turn(0)
    hosts.next().send(ok(b"mine"))
    assert client.response() == (200, b"mine")
    assert counters(world) == (1, 2, 1, 0)


class TestAtTheSameTime:
    def test_the_host_that_is_silent_is_asked_first(self, worlds):
        world = worlds(3)
        hosts = Asked(world)
        poll = world.client().send(get(POLL))
        hosts.next().send(UNKNOWN_400)
        silent = hosts.next()
        post = world.client().send(get(POLL, "content-length: 1", method="POST") + b"3")
        second = hosts.next()
        assert hosts.order[-1] is hosts.order[-2]
        assert second.take(1) == b"3"
        second.send(ok(b"ok"))
        assert post.response() == (200, b"ok")
        silent.send(ok(b"2hello"))
        assert poll.response() == (200, b"2hello")
        assert counters(world) == (1, 3, 1, 0)

    def test_who_declined_one_is_not_asked_by_the_other(self, worlds):
        world = worlds(3)
        hosts = Asked(world)
        first = world.client().send(get(POLL))
        hosts.next().send(UNKNOWN_400)
        waiting = hosts.next()
        second = world.client().send(get(POLL))
        hosts.next().send(UNKNOWN_400)
        hosts.next().send(ok(b"mine"))
        assert second.response() == (200, b"mine")
        waiting.send(UNKNOWN_400)
        hosts.next().send(ok(b"mine too"))
        assert first.response() == (200, b"mine too")
        assert hosts.order[-1] is hosts.order[-2]

    def test_a_poll_that_waits_for_long_where_no_other_host_can_have_it(self, worlds):
        """It is known then, also to other workers."""
        world = worlds(2)
        hosts = Asked(world)
        client = world.client().send(get(POLL))
        hosts.next().send(UNKNOWN_400)
        silent = hosts.next()
        table = SessionTable(world.sessions, KEY)
        world.until(lambda: table.count(int(time.monotonic())) == 1)
        silent.send(ok(b"2hello"))
        assert client.response() == (200, b"2hello")
        assert counters(world) == (1, 2, 1, 0)

    def test_a_pipelined_request_waits(self, worlds):
        world = worlds(2)
        hosts = Asked(world)
        client = world.client().send(get(POLL) + get("/page"))
        hosts.next().send(UNKNOWN_400)
        hosts.next().send(ok(b"mine"))
        assert client.response() == (200, b"mine")
        hosts.next().send(ok(b"page"))
        assert client.response() == (200, b"page")


class TestEnds:
    def test_the_client_leaves(self, worlds):
        world = worlds(2)
        hosts = Asked(world)
        client = world.client().send(get(POLL))
        peer = hosts.next()
        client.close()
        assert peer.end() == b""
        assert counters(world) == (1, 1, 0, 0)

    def test_a_host_that_closes_is_not_followed_by_another(self, worlds):
        world = worlds(2)
        hosts = Asked(world)
        client = world.client().send(get(POLL))
        hosts.next().close()
        assert client.response()[0] == 503
        assert counters(world) == (1, 1, 0, 0)

    def test_one_that_closes_inside_its_answer_is_not_followed_either(self, worlds):
        world = worlds(2)
        hosts = Asked(world)
        client = world.client().send(get(POLL))
        peer = hosts.next().send(answer("400 Bad Request", b'{"code":3}')[:-3])
        world.settle()
        peer.close()
        assert client.end().endswith(b'{"code"')
        assert counters(world) == (1, 1, 0, 0)

    def test_nonsense_is_an_error(self, worlds):
        world = worlds(2)
        client = world.client().send(get(POLL))
        Asked(world).next().send(b"nonsense\r\n\r\n")
        assert client.response()[0] == 502

    def test_the_routes_timeout_counts_for_all_together(self, worlds):
        world = worlds(2, route={"timeout_s": 0.05, "timeout_is_set": True})
        client = world.client().send(get(POLL))
        Asked(world).next()
        assert client.response()[0] == 504
        assert counters(world) == (1, 1, 0, 0)

    def test_the_streams_idle_timer_runs(self, worlds):
        world = worlds(2, manager={"stream_idle_timeout_s": 0.05})
        client = world.client().send(get(POLL))
        peer = Asked(world).next()
        assert client.response()[0] == 504
        assert peer.end() == b""

    def test_over_a_reload(self, worlds):
        world = worlds(3)
        hosts = Asked(world)
        client = world.client().send(get(POLL))
        peer = hosts.next()
        world.change(cluster={"connect_timeout_s": 7})
        peer.send(UNKNOWN_400)
        hosts.next().send(ok(b"mine"))
        assert client.response() == (200, b"mine")
        client.send(get(POLL))
        hosts.next().send(ok(b"known"))
        assert client.response() == (200, b"known")
        assert counters(world) == (1, 2, 1, 0)

    def test_over_a_drain(self, worlds):
        world = worlds(2)
        hosts = Asked(world)
        client = world.client().send(get(POLL))
        peer = hosts.next()
        world.engine.drain()
        peer.send(UNKNOWN_400)
        hosts.next().send(ok(b"mine"))
        head = client.head()
        assert field(head, b"connection") == b"close"
        assert client.take(4) == b"mine"


class TestFloods:
    def ask(self, world: World, client: Peer, sid: str, address: str, said: bytes) -> tuple[int, bytes]:
        """The answer to a poll from this address; every host that is asked says the same."""
        client.send(get(f"/socket.io/?EIO=4&transport=polling&sid={sid}", f"x-forwarded-for: {address}"))

        def serve() -> bool:
            client.read()
            for node in world.nodes:
                if node.is_asked():
                    node.accept()
            for peer in world.peers:
                peer.read()
                if peer is not client and b"\r\n\r\n" in peer.got:
                    peer.head()
                    peer.send(said)
            return client.got.endswith((b"mine", UNKNOWN))

        world.until(serve)
        return client.response()

    def test_made_up_ids_cost_a_bounded_number_of_requests(self, worlds):
        """All of one network. More of them than are asked for cost nothing; what another one asks for is found."""
        world = worlds(2)
        client = world.client()
        start_s = time.monotonic()
        number = 0
        while world.count("sid_ask_limited_source") < 50:
            number += 1
            said = self.ask(world, client, f"made-up-{number}", f"2001:db8::{number:x}", UNKNOWN_400)
            assert said == (400, UNKNOWN)
        asked = world.count("sid_asked")
        assert asked + 50 == number
        assert 2048 + 4 <= asked <= 2048 + 4 + 26 * (time.monotonic() - start_s) + 1
        assert world.count("sid_asked_rq") == world.count("upstream_rq_total") == 2 * asked
        for address in ("2001:db8:0:1::1", "192.0.2.1"):
            assert self.ask(world, client, f"of-{address[0]}", address, ok(b"mine")) == (200, b"mine")
        assert (world.count("sid_found"), world.count("sid_ask_limited")) == (2, 0)

    @punctual
    def test_a_host_that_declines_late_is_not_followed_by_another_in_a_flood(self, worlds):
        world = worlds(2)
        slow = world.client().send(get(POLL, "x-forwarded-for: 192.0.2.1"))
        host = Asked(world).next()
        end_s = time.monotonic() + 0.3
        world.until(lambda: time.monotonic() > end_s)
        client = world.client()
        number = 0
        while not world.count("sid_ask_limited_source"):
            number += 1
            self.ask(world, client, f"made-up-{number}", "192.0.2.1", UNKNOWN_400)
        host.send(UNKNOWN_400)
        if self.is_followed(world, slow):
            raise Late("the source may ask again after some milliseconds, and this was one of them")
        assert slow.response() == (400, UNKNOWN)
        assert world.count("sid_ask_limited_source") == 2
        assert world.count("sid_asked_rq") == 2 * (number - 1) + 1

    def is_followed(self, world: World, slow: Peer) -> bool:
        """Whether another host is asked before the client has its answer."""
        asked = world.count("sid_asked_rq")
        slow.until(lambda: bool(slow.got) or world.count("sid_asked_rq") > asked)
        return world.count("sid_asked_rq") > asked

    def test_a_silent_host_is_believed_where_too_much_is_held(self, worlds):
        """And like any host that has a session it is not followed by another when it has it no more."""
        world = worlds(3, manager={"affinity": SessionAffinity(max_asked_body_bytes=100_000_000)})
        large = b"x" * 11_200_000  # three are more than half of what a worker holds
        clients, peers = [], []
        for number in range(3):
            lines = f"content-length: {len(large)}"
            clients.append(world.client().send(get(f"{POLL}{number}", lines, method="POST") + large))
            peers.append(world.nodes[number].accept())
            peers[-1].head()
            peers[-1].take(len(large))
        world.until(lambda: world.count("sid_found") > 0)
        peers[0].send(UNKNOWN_400)
        assert clients[0].response() == (400, UNKNOWN)
        assert (world.count("sid_lost_by_host"), world.count("sid_ask_too_large")) == (1, 0)
