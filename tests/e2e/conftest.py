"""Running systems for the tests with real clients."""

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite(
    "tests.support.adversary",
    "tests.support.proxies",
    "tests.e2e.crowd",
    "tests.e2e.servers",
    "tests.e2e.sessions",
    "tests.e2e.stack",
)

from tests.e2e import servers, stack  # noqa: E402  after its assertions are made to tell
from tests.support import proxies  # noqa: E402


@pytest.fixture(scope="package")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Stack]:
    """envoy2.json: three nodes on a ring of the Referer. Shared, so a test must not harm it."""
    with stack.running(stack.RING, tmp_path_factory.mktemp("ring")) as running:
        yield running


@pytest.fixture(scope="package")
def one_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Stack]:
    """envoy.json: one node behind a DNS name."""
    with stack.running(stack.ONE_NODE, tmp_path_factory.mktemp("one-node")) as running:
        yield running


@pytest.fixture
def own_ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Stack]:
    """A ring of its own, for a test that breaks something."""
    with stack.running(stack.RING, tmp_path_factory.mktemp("own-ring")) as running:
        yield running


@pytest.fixture(scope="package")
def clusters(tmp_path_factory: pytest.TempPathFactory, tool) -> Iterator[dict[servers.Server, servers.Nodes]]:
    """Six nodes of each of the three servers. Shared, so a test must not harm them."""
    with servers.running(6, tmp_path_factory.mktemp("clusters"), tool("node", "nodejs")) as running:
        yield running


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "departure(why): fastproxy does on purpose what Envoy does not")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Behind Envoy a test of a departure must fail, else it shows nothing."""
    if proxies.IS_ENVOY:
        for item in items:
            for departure in item.iter_markers("departure"):
                item.add_marker(pytest.mark.xfail(reason=departure.args[0], strict=True))
