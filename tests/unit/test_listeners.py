"""Binding: what works, and each way in which it does not."""

import socket

import pytest

from fastproxy.errors import ListenError
from fastproxy.listeners import open_admin, open_listeners
from fastproxy.model import Address, Configuration, HttpConnectionManager, Listener, RouteConfiguration

MANAGER = HttpConnectionManager("p", RouteConfiguration(()))


def configuration(*addresses: Address, bind_to_port: bool = True) -> Configuration:
    return Configuration(
        tuple(Listener(f"l{i}", address, MANAGER, bind_to_port) for i, address in enumerate(addresses))
    )


@pytest.fixture
def opened():
    """`open_listeners` whose sockets are closed after the test."""
    everything = []

    def open_them(configuration: Configuration, workers: int):
        bound = open_listeners(configuration, workers, "envoy.json")
        everything.extend(bound)
        return bound

    yield open_them
    for bound in everything:
        bound.close()


@pytest.fixture
def taken():
    """A port on which somebody listens who would share it."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("workers", [1, 3])
def test_every_worker_has_a_socket_on_the_same_chosen_port(opened, host, workers):
    (bound,) = opened(configuration(Address(host, 0)), workers)
    ports = {listening.getsockname()[1] for listening in bound.sockets}
    assert len(bound.sockets) == workers
    assert ports == {bound.address.port}
    assert bound.address.port != 0
    assert not any(listening.getblocking() for listening in bound.sockets)


def test_connections_reach_the_sockets_of_all_workers(opened):
    (bound,) = opened(configuration(Address("127.0.0.1", 0)), 2)
    waiting = [False, False]
    clients = []
    while not all(waiting):
        clients.append(socket.create_connection(("127.0.0.1", bound.address.port), timeout=5))
        for index, listening in enumerate(bound.sockets):
            try:
                listening.accept()[0].close()
            except BlockingIOError:
                continue
            waiting[index] = True
    for client in clients:
        client.close()


def test_one_worker_does_not_share_its_port(opened):
    (bound,) = opened(configuration(Address("127.0.0.1", 0)), 1)
    assert bound.sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_port_in_use_is_an_error_even_if_its_user_would_share(taken, workers, host):
    with pytest.raises(ListenError) as caught:
        open_listeners(configuration(Address("127.0.0.1", 0), Address(host, taken)), workers, "envoy.json")
    assert str(caught.value).startswith(f"envoy.json: listener 'l1': tcp://{host}:{taken}: address already in use")


def test_an_error_closes_what_was_opened(taken):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    for _ in range(2):
        with pytest.raises(ListenError, match=str(taken)):
            open_listeners(configuration(Address("127.0.0.1", free), Address("127.0.0.1", taken)), 1, "f")


def test_an_address_of_another_machine():
    with pytest.raises(ListenError, match=r"f: listener 'l0': tcp://192\.0\.2\.1:80: this machine has no such"):
        open_listeners(configuration(Address("192.0.2.1", 80)), 1, "f")


def test_a_listener_that_is_not_bound_has_no_sockets(opened):
    assert opened(configuration(Address("127.0.0.1", 0), bind_to_port=False), 1) == []


def test_the_place_in_the_configuration_is_kept(opened):
    addresses = (Address("127.0.0.1", 0), Address("127.0.0.1", 0))
    assert [(bound.index, bound.name) for bound in opened(configuration(*addresses), 1)] == [(0, "l0"), (1, "l1")]


def test_the_admins_port_in_use(taken):
    with pytest.raises(ListenError, match=rf"f: admin: tcp://127\.0\.0\.1:{taken}: address already in use"):
        open_admin(Address("127.0.0.1", taken), "f")
