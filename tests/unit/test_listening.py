"""Sockets that go on from one configuration to the next."""

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fastproxy.errors import FastproxyError
from fastproxy.listening import Listening
from fastproxy.model import Address, Configuration
from tests.support.processes import free_ports
from tests.unit.engine_world import configuration

WORKERS = 2


def of(*ports: int, **fields) -> Configuration:
    one = configuration([]).listeners[0]
    listeners = (replace(one, name=f"l{port}", address=Address("127.0.0.1", port), **fields) for port in ports)
    return Configuration(tuple(listeners))


@pytest.fixture
def opened() -> Iterator[list[Listening]]:
    made: list[Listening] = []
    yield made
    for each in made:
        each.close_all_but(Listening())


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_what_stays_keeps_its_sockets(opened):
    a, b, c = free_ports(3)
    first = Listening().next(of(a, b), WORKERS, "f")
    opened.append(first)
    second = first.next(of(c, b), WORKERS, "f")
    opened.append(second)
    assert [each.number for each in first.bound] == [1, 2]
    assert [(each.number, each.index, each.name) for each in second.bound] == [(3, 0, f"l{c}"), (2, 1, f"l{b}")]
    assert second.bound[1].sockets is first.bound[1].sockets
    assert [each.number for each in second.added_to(first)] == [3]
    assert second.places() == ((0, 3), (1, 2))
    first.close_all_but(second)
    assert [listens(port) for port in (a, b, c)] == [False, True, True]


def test_each_worker_has_a_descriptor(opened):
    opened.append(Listening().next(of(*free_ports(1)), WORKERS, "f"))
    (bound,) = opened[0].bound
    assert bound.fd(0) != bound.fd(1)


def test_a_number_is_never_used_again(opened):
    a, b = free_ports(2)
    first = Listening().next(of(a), WORKERS, "f")
    nothing = first.next(of(), WORKERS, "f")
    first.close_all_but(nothing)
    opened.append(nothing.next(of(b), WORKERS, "f"))
    assert [each.number for each in opened[0].bound] == [2]


def test_a_port_that_cannot_be_had_leaves_all_as_it_was(opened):
    a, b = free_ports(2)
    first = Listening().next(of(a), WORKERS, "f")
    opened.append(first)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FastproxyError, match=f"listener 'l{port}': tcp://127.0.0.1:{port}: address already in use"):
            first.next(of(a, b, port), WORKERS, "f")
    assert (listens(a), listens(b)) == (True, False)


def test_another_backlog_is_no_other_socket(opened):
    (a,) = free_ports(1)
    first = Listening().next(of(a), WORKERS, "f")
    second = first.next(of(a, tcp_backlog_size=7), WORKERS, "f")
    opened.append(second)
    second.set_backlogs(first)
    assert list(second.added_to(first)) == []
    assert listens(a)


def test_a_chosen_port_is_told(opened):
    opened.append(Listening().next(of(0), WORKERS, "f"))
    ((name, address),) = opened[0].addresses()
    assert name == "l0"
    assert listens(address.port)
