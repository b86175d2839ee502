"""The channel between supervisor and worker."""

import os

import pytest

from fastproxy.control import (
    MAX_FDS,
    MESSAGE_BYTES,
    Abandon,
    Commit,
    Drain,
    Hosts,
    Message,
    Prepare,
    Prepared,
    ReopenLogs,
    Sockets,
    Started,
    Stop,
    channel_pair,
    decode,
    encode,
)
from fastproxy.model import Address, Host

HOSTS = tuple(Host(Address("2001:db8::1", port), 3, "name.example", "key") for port in range(256))


@pytest.fixture
def pair():
    ours, theirs = channel_pair()
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.mark.parametrize(
    "message",
    [
        *(Drain(2.5), Stop(), ReopenLogs(), Started(), Hosts("c", HOSTS), Hosts("c", ())),
        *(Sockets((1, 2)), Prepare(3, ((0, 7), (1, 8))), Commit(3), Abandon(3), Prepared(3), Prepared(3, "why")),
    ],
)
def test_a_message_comes_back_as_it_was(message):
    assert decode(encode(message)) == message


def test_the_longest_host_set_fits(pair):
    address = Address("2001:db8:1111:2222:3333:4444:5555:6666", 65535)
    longest = Hosts("c" * 255, tuple(Host(address, 128, "h" * 255, "k" * 255, slot) for slot in range(256)))
    assert len(encode(longest)) < MESSAGE_BYTES
    ours, theirs = pair
    ours.send(longest)
    assert theirs.receive() == [longest]


def test_messages_keep_their_order(pair):
    ours, theirs = pair
    ours.send(Hosts("c", HOSTS))
    ours.send(Stop())
    assert theirs.receive() == [Hosts("c", HOSTS), Stop()]
    assert theirs.receive() == []


def test_what_the_socket_does_not_take_waits(pair):
    ours, theirs = pair
    sent = 0
    while not ours.unsent:
        ours.send(Hosts("c", HOSTS))
        sent += 1
    ours.send(Stop())
    received: list[Message] = []
    while len(received) < sent + 1:
        received += theirs.receive() or []
        ours.flush()
    assert received[-1] == Stop()
    assert not ours.unsent


def open_fds() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_descriptors_travel_beside_their_message(pair):
    ours, theirs = pair
    file = os.memfd_create("x")
    os.write(file, b"text")
    ours.send(Sockets((1, 2)), [file, file])
    os.close(file)
    assert theirs.receive() == [Sockets((1, 2))]
    assert [os.pread(fd, 9, 0) for fd in theirs.fds] == [b"text", b"text"]


def test_as_many_descriptors_as_one_message_may_have(pair):
    ours, theirs = pair
    ours.send(Sockets(tuple(range(MAX_FDS))), [0] * MAX_FDS)
    assert theirs.receive() == [Sockets(tuple(range(MAX_FDS)))]
    assert len(theirs.fds) == MAX_FDS


def test_no_descriptor_is_left_behind():
    before = open_fds()
    ours, theirs = channel_pair()
    for _ in range(3):
        ours.send(Sockets((1,)), [0])
    theirs.receive()
    while not any(fds for _, fds in ours.unsent):
        ours.send(Sockets((1,) * 20000), [0])
    theirs.close()
    ours.close()
    assert open_fds() == before


def test_what_waits_for_a_peer_that_is_gone_is_let_go(pair):
    ours, theirs = pair
    while not ours.unsent:
        ours.send(Sockets((1,) * 20000), [0])
    held = open_fds()
    waiting = len(ours.unsent)
    theirs.close()
    ours.flush()
    assert not ours.unsent
    assert open_fds() == held - waiting - 1


def test_the_end_comes_after_the_last_message(pair):
    ours, theirs = pair
    ours.send(Stop())
    ours.close()
    assert theirs.receive() == [Stop()]
    assert theirs.receive() is None


def test_sending_to_a_peer_that_is_gone_is_no_error(pair):
    ours, theirs = pair
    theirs.close()
    ours.send(Stop())
    assert not ours.unsent


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"type": "Nothing"}', b"{}"])
def test_garbage_is_an_error(data):
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        decode(data)
