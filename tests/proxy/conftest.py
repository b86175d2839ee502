"""Worlds for the proxy's tests, and the rule that no test leaves anything behind in the proxy."""

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.support.adversary", "tests.support.proxies")

from tests.support import proxies  # noqa: E402  after the assertions in it are made to tell


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[proxies.Worlds]:
    """Starts proxies for a module; they end with it."""
    started = proxies.Worlds(lambda: tmp_path_factory.mktemp("proxy"))
    yield started
    started.end()


@pytest.fixture(scope="module")
def world(worlds: proxies.Worlds) -> proxies.World:
    """One node, round robin, websocket allowed; a module may have a `world` of its own instead."""
    return worlds.start()


@pytest.fixture(autouse=True)
def nothing_leaks(worlds: proxies.Worlds) -> Iterator[None]:
    """After each test both ends hang up; gauges and descriptors return to what they were."""
    yield
    for each in worlds.live:
        each.settle()


@pytest.fixture(params=["whole", "byte by byte", "random:1", "random:2"])
def how(request: pytest.FixtureRequest) -> str:
    """How bytes are cut on their way to the proxy; see `adversary.cut`."""
    return str(request.param)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "departure(why): fastproxy does on purpose what Envoy does not")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Against Envoy a test of a departure must fail, else it shows nothing."""
    if not proxies.IS_ENVOY:
        return
    for item in items:
        departure = item.get_closest_marker("departure")
        if departure is not None:
            item.add_marker(pytest.mark.xfail(reason=departure.args[0], strict=True))
