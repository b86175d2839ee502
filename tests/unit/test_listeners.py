"""Binding: what works, and each way in which it does not."""

import os
import select
import socket
import stat
from typing import Any

import pytest

from fastproxy.errors import ListenError
from fastproxy.listeners import bound_address, open_admin, open_listeners
from fastproxy.model import Address, Configuration, HttpConnectionManager, Listener, RouteConfiguration, SocketOption
from tests.support.processes import PATIENCE_S, free_port

MANAGER = HttpConnectionManager("p", RouteConfiguration(()))


def configuration(*addresses: Address, **fields: Any) -> Configuration:
    return Configuration(tuple(Listener(f"l{i}", address, MANAGER, **fields) for i, address in enumerate(addresses)))


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
    free = free_port()
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


def test_additional_addresses_are_bound_too(opened):
    more = (Address("127.0.0.1", 0), Address("::1", 0))
    bound = opened(configuration(Address("127.0.0.1", 0), additional_addresses=more), 2)
    assert [(one.index, one.name, len(one.sockets)) for one in bound] == [(0, "l0", 2)] * 3
    assert len({one.address for one in bound}) == 3


def test_without_reuse_port_the_workers_share_one_socket(opened):
    (bound,) = opened(configuration(Address("127.0.0.1", 0), enable_reuse_port=False), 3)
    assert len(bound.sockets) == 1
    assert bound.socket_of(0) is bound.socket_of(2)


def test_ipv4_compat(opened):
    (bound,) = opened(configuration(Address("::", 0), ipv4_compat=True), 1)
    with socket.create_connection(("127.0.0.1", bound.address.port), timeout=5):
        select.select([bound.sockets[0]], [], [], PATIENCE_S)
        accepted, peer = bound.sockets[0].accept()
    accepted.close()
    assert peer[0] == "::ffff:127.0.0.1"


@pytest.mark.parametrize("state", ["PREBIND", "BOUND", "LISTENING"])
def test_socket_options(opened, state):
    options = (
        SocketOption(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1, state),
        SocketOption(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, (77).to_bytes(4, "little"), state),
    )
    (bound,) = opened(configuration(Address("127.0.0.1", 0), socket_options=options), 1)
    assert bound.sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert bound.sockets[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 77


def test_an_option_that_the_kernel_refuses():
    options = (SocketOption(socket.IPPROTO_TCP, 9999, 1),)
    with pytest.raises(ListenError, match=r"f: listener 'l0': tcp://127\.0\.0\.1:0: Protocol not available"):
        open_listeners(configuration(Address("127.0.0.1", 0), socket_options=options), 1, "f")


def test_freebind(opened):
    """An address that no interface has (RFC 5737)."""
    (bound,) = opened(configuration(Address("192.0.2.1", 0), freebind=True), 1)
    assert bound.address.host == "192.0.2.1"


# --- Unix sockets -----------------------------------------------------------------------------------------------------


def pipe(path, mode=0):
    return Address("", 0, str(path), mode)


def test_a_path_with_its_mode(opened, tmp_path):
    path = tmp_path / "a.sock"
    (bound,) = opened(configuration(pipe(path, 0o640)), 3)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert bound.address == pipe(path)
    assert len(bound.sockets) == 1
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        bound.socket_of(2).accept()[0].close()


def test_a_name_in_the_abstract_namespace(opened, tmp_path):
    name = f"@{tmp_path}"
    (bound,) = opened(configuration(pipe(name)), 1)
    assert str(bound.address) == name
    assert os.listdir(tmp_path) == []
    with pytest.raises(ListenError, match="somebody listens there already"):
        open_listeners(configuration(pipe(name)), 1, "f")


def test_a_socket_whose_process_is_gone_is_replaced(opened, tmp_path):
    path = tmp_path / "a.sock"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))
    assert path.exists()
    opened(configuration(pipe(path)), 1)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_socket_that_somebody_listens_on_is_left_alone(tmp_path):
    path = tmp_path / "a.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(ListenError) as caught:
            open_listeners(configuration(pipe(path)), 1, "f")
        assert str(caught.value) == (
            f"f: listener 'l0': unix://{path}: somebody listens there already; end that process or choose another path"
        )
        assert path.exists()


def test_a_socket_with_a_full_queue_is_left_alone(tmp_path):
    path = tmp_path / "a.sock"
    with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_UNIX) as client:
        other.bind(str(path))
        other.listen(0)
        client.connect(str(path))
        with pytest.raises(ListenError, match="somebody listens there already"):
            open_listeners(configuration(pipe(path)), 1, "f")
        assert path.exists()


@pytest.mark.parametrize("make", [lambda path: path.write_text("precious"), lambda path: path.symlink_to("/dev/null")])
def test_a_file_that_is_no_socket_is_left_alone(tmp_path, make):
    path = tmp_path / "a.sock"
    make(path)
    with pytest.raises(ListenError, match="there is a file that is no socket; remove it or choose another path"):
        open_listeners(configuration(pipe(path)), 1, "f")
    assert path.is_symlink() or path.read_text() == "precious"


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ListenError, match="there is no such folder; make it"):
        open_listeners(configuration(pipe(tmp_path / "no" / "a.sock")), 1, "f")


def test_admin_on_a_path(tmp_path):
    with open_admin(pipe(tmp_path / "admin.sock"), "f") as admin:
        assert bound_address(admin) == pipe(tmp_path / "admin.sock")
