"""Floods at a real proxy, smaller than those of `python -m tests.floods`: others are served meanwhile."""

import contextlib
from collections.abc import Iterator

import pytest

from tests.floods.__main__ import GAUGE, GET, HALF, proxy_of, serves
from tests.floods.crowd import connect, crowd, pipeline
from tests.support import processes
from tests.support.proxies import Proxy


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
