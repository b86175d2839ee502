"""Floods at a real proxy, smaller than those of `python -m tests.floods`: others are served meanwhile."""

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.floods.__main__ import GAUGE, GET, HALF, proxy_of, serves
from tests.floods.crowd import connect, crowd, pipeline
from tests.support import processes
from tests.support.proxies import Proxy

CLIENTS = 6  # of a queue of two: each time the kernel has no room, it takes them twice as long to come again


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    started = proxy_of(tmp_path_factory.mktemp("floods"), workers=2)
    yield started
    started.stop()


@pytest.mark.parametrize(("first", "count"), [(b"", 3000), (HALF, 1000)], ids=["idle", "half a head"])
def test_many_that_stand(proxy: Proxy, first: bytes, count: int) -> None:
    with crowd(proxy.port, count, first) as there:
        processes.wait_until(lambda: proxy.stats()[GAUGE] == there == count, "all are accepted")
        serves(proxy)
    processes.wait_until(lambda: proxy.stats()[GAUGE] == 0, "all are gone")


def test_a_pipeline_of_many_requests(proxy: Proxy) -> None:
    with connect(proxy.port, 1) as client:
        assert pipeline(client, GET, 20_000) == 20_000 * len_of_answer(proxy)


def len_of_answer(proxy: Proxy) -> int:
    with connect(proxy.port, 1) as client:
        return pipeline(client, GET, 1)


def test_a_pipeline_that_reads_nothing_keeps_nobody_from_being_served(proxy: Proxy) -> None:
    clients = [connect(proxy.port, number) for number in range(20)]
    for client in clients:
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                client.send(GET * 1000)
    serves(proxy)
    for client in clients:
        client.close()
    processes.wait_until(lambda: proxy.stats()[GAUGE] == 0, "all are gone")


def test_a_full_listen_queue(tmp_path: Path) -> None:
    """Behind a worker that is held up two clients wait, and the kernel turns the others away. They come again, and each
    is served once the worker goes on."""
    proxy = proxy_of(tmp_path, workers=1, backlog=1)
    (worker,) = [pid for pid in proxy.pids() if pid != proxy.process.pid]
    os.kill(worker, signal.SIGSTOP)
    try:
        clients = [connecting(proxy.port, number) for number in range(CLIENTS)]
        processes.wait_until(lambda: sum(is_connected(client) for client in clients) >= 2, "the queue is full")
        assert not all(is_connected(client) for client in clients)
    finally:
        os.kill(worker, signal.SIGCONT)
    for client in clients:
        processes.wait_until(partial(is_connected, client), "the kernel has room again", 60)
        client.setblocking(True)
        client.sendall(GET)
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
        client.close()
    proxy.stop()


def connecting(port: int, number: int) -> socket.socket:
    client = socket.socket()
    client.setblocking(False)
    client.bind((f"127.0.{number + 1}.1", 0))
    client.connect_ex(("127.0.0.1", port))
    return client


def is_connected(client: socket.socket) -> bool:
    with contextlib.suppress(OSError):
        client.getpeername()
        return True
    return False
