"""Tunnels: bytes both ways, ends passed on one way at a time, and slow readers."""

import hashlib
import time

import pytest

from tests.support.punctual import punctual
from tests.unit.engine_world import Peer, World, fill, handshake, read_slowly, small_buffer, switching


def tunnel(world: World) -> tuple[Peer, Peer]:
    client, node = world.ask(handshake())
    node.head()
    node.send(switching())
    client.head()
    return client, node


@pytest.mark.parametrize("from_node", [False, True])
def test_half_close_is_carried_through(world, from_node):
    """Who has ended its direction can still be answered; both ends make the end."""
    first, second = reversed(tunnel(world)) if from_node else tunnel(world)
    first.send(b"last words")
    first.shut()
    assert second.end() == b"last words"
    second.send(b"an answer")
    assert first.take(9) == b"an answer"
    assert world.engine.tunnels == 1
    second.shut()
    assert first.end() == b""
    world.until(lambda: world.engine.tunnels == 0)
    assert world.engine.active == 1


@pytest.mark.parametrize("from_node", [False, True])
def test_an_end_behind_bytes_that_wait(world, from_node):
    """The reader is slow: the end comes behind everything that was sent before it."""
    first, second = reversed(tunnel(world)) if from_node else tunnel(world)
    data = bytes(range(256)) * 40_000
    sent = memoryview(data)
    while sent:
        try:
            sent = sent[first.sock.send(sent) :]
        except BlockingIOError:
            world.turn()
            second.read()
    first.shut()
    world.settle()
    rest = second.end()
    assert hashlib.sha256(rest).digest() == hashlib.sha256(data).digest()
    second.shut()
    first.end()


@pytest.mark.parametrize("from_node", [False, True])
def test_a_slow_reader_stops_its_sender(world, from_node):
    """What is held is bounded: the sender's socket fills up long before 64 MiB."""
    first, second = reversed(tunnel(world)) if from_node else tunnel(world)
    piece, sent = b"x" * 65536, 0
    while sent < 64 << 20:
        try:
            sent += first.sock.send(piece)
        except BlockingIOError:
            before = world.count("downstream_cx_rx_bytes_total") + world.count("upstream_cx_rx_bytes_total")
            world.settle()
            if before == world.count("downstream_cx_rx_bytes_total") + world.count("upstream_cx_rx_bytes_total"):
                break
    assert sent < 64 << 20
    second.until(lambda: len(second.got) == sent)
    first.send(b"go on")
    second.until(lambda: len(second.got) == sent + 5)


@pytest.mark.parametrize("from_node", [False, True])
def test_a_reset_ends_both_sides(world, from_node):
    first, second = reversed(tunnel(world)) if from_node else tunnel(world)
    first.close(reset=True)
    second.end()
    second.close()
    world.until(lambda: world.engine.tunnels == 0)
    assert world.engine.active == 1


def test_both_ends_at_once(world):
    pairs = [tunnel(world) for _ in range(10)]
    for client, node in pairs:
        client.send(b"bye").shut()
        node.send(b"bye").shut()
    for client, node in pairs:
        assert (client.end(), node.end()) == (b"bye", b"bye")
    world.until(lambda: world.engine.tunnels == 0)


def test_an_idle_tunnel_ends_in_time(worlds):
    world = worlds(manager={"stream_idle_timeout_s": 0.1})
    client, node = tunnel(world)
    assert client.end() == b""
    assert node.end() == b""
    assert world.count("downstream_rq_idle_timeout") == 1


def test_counters_count_both_directions(world):
    client, node = tunnel(world)
    names = [f"{side}_cx_{way}_bytes_total" for side in ("downstream", "upstream") for way in ("rx", "tx")]
    before = [world.count(name) for name in names]
    client.send(b"x" * 1000)
    node.take(1000)
    node.send(b"y" * 30)
    client.take(30)
    after = [world.count(name) for name in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1000, 30, 30, 1000]


SIDES = pytest.mark.parametrize("from_node", [False, True], ids=["client first", "node first"])


@SIDES
@punctual
def test_a_slow_reader_of_an_ended_tunnel_has_the_time_it_needs(worlds, from_node):
    """The tunnel may be silent for less than the reader takes; as long as it reads, that is no silence."""
    world = worlds(manager={"stream_idle_timeout_s": 0.2})
    first, second = reversed(tunnel(world)) if from_node else tunnel(world)
    small_buffer(second)
    data = fill(first)
    first.shut()
    read_slowly(second, len(data), timer_s=0.2)
    second.send(b"that is all")
    assert first.take(11) == b"that is all"
    assert second.end() == data


@SIDES
@punctual
def test_a_slow_reader_of_a_silent_tunnel_has_the_time_it_needs(worlds, from_node):
    world = worlds(manager={"stream_idle_timeout_s": 0.2})
    first, second = reversed(tunnel(world)) if from_node else tunnel(world)
    small_buffer(second)
    data = fill(first)
    read_slowly(second, len(data), timer_s=0.2)
    assert second.got == data
    assert second.end() == data  # nothing waits any more, so now it is silent
    assert world.count("downstream_rq_idle_timeout") == 1


@SIDES
def test_a_reader_that_takes_nothing_of_an_ended_tunnel(worlds, from_node):
    world = worlds(manager={"stream_idle_timeout_s": 0.1})
    first, _second = reversed(tunnel(world)) if from_node else tunnel(world)
    fill(first)
    first.shut()
    world.until(lambda: world.engine.tunnels == 0)
    assert world.count("downstream_rq_idle_timeout") == 1


@SIDES
@pytest.mark.parametrize("reset", [False, True], ids=["closes", "resets"])
def test_the_tail_of_a_side_that_is_gone_while_the_other_still_sends(world, from_node, reset):
    """Nobody takes what the other side says; what had come for it before is all its own."""
    first, second = reversed(tunnel(world)) if from_node else tunnel(world)
    data = fill(first)
    first.close(reset=reset)
    for _ in range(5):
        second.send(b"still here")
        world.settle()
    assert second.end() == data
    assert not second.was_reset
    second.close()
    world.until(lambda: world.engine.tunnels == 0)


@SIDES
def test_both_sides_are_gone_with_a_tail_for_each(world, from_node):
    first, second = reversed(tunnel(world)) if from_node else tunnel(world)
    fill(first)
    fill(second)
    first.close(reset=True)
    world.settle()
    second.close(reset=True)
    world.until(lambda: world.engine.tunnels == 0)


@SIDES
def test_who_does_not_end_behind_a_side_that_is_gone_is_closed(world, from_node):
    first, second = reversed(tunnel(world)) if from_node else tunnel(world)
    first.close(reset=True)
    assert second.end() == b""
    world.until(lambda: world.engine.tunnels == 0)
    assert world.engine.active == 1


def test_a_client_that_pauses_behind_a_node_that_is_gone_is_waited_for(world):
    """Longer than the second in which one that has taken everything has to end."""

    def let_pass(duration_s):
        end_s = time.monotonic() + duration_s
        world.until(lambda: time.monotonic() > end_s)

    client, node = tunnel(world)
    small_buffer(client)
    data = bytes(range(256)) * 700  # the client's kernel does not have room for all of it, ours has
    node.send(data)
    let_pass(0.4)  # until the client's kernel takes no more
    node.close(reset=True)
    let_pass(1.2)
    client.send(b"still here")
    world.settle()
    assert client.end() == data
    assert not client.was_reset
