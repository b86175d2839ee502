"""Which ends of a request count against its host, and when the supervisor is told."""

import pytest

from fastproxy.model import HealthFlag, OutlierDetection
from fastproxy.scopes import HOST_NAMES
from tests.unit.engine_world import World, get, handshake, ok, switching
from tests.unit.health_checks import quick

IN_A_ROW = ("row_5xx", "row_gateway_failure", "row_local_origin_failure")
FIVE = OutlierDetection(consecutive_5xx=3, consecutive_gateway_failure=2, consecutive_local_origin_failure=2)
SPLIT = OutlierDetection(consecutive_5xx=3, consecutive_local_origin_failure=2, split_external_local_origin_errors=True)


class Watched(World):
    """A world whose engine's reports are kept."""

    def __init__(self, outliers=FIVE, **cluster):
        super().__init__(cluster={"outlier_detection": outliers, **cluster})
        self.reports: list[tuple[str, str, str]] = []
        self.engine.report_failures(lambda name, address, kind: self.reports.append((name, address, kind)))

    def rows(self):
        return [self.host(0)[name] for name in IN_A_ROW]

    def volumes(self):
        counters = self.host(0)
        return [counters[name] for name in ("answers_total", "answers_success", "origin_total", "origin_success")]

    def answer(self, *lines, status=b"200 OK"):
        client, node = self.ask(get("/", "connection: close"))
        node.head()
        node.send(b"HTTP/1.1 %b\r\nconnection: close\r\ncontent-length: 0\r\n" % status)
        node.send("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n")
        assert client.head()
        self.settle()
        return client


@pytest.fixture(params=[FIVE])
def world(request):
    made = Watched(request.param)
    yield made
    made.close()


@pytest.fixture
def split():
    made = Watched(SPLIT)
    yield made
    made.close()


def test_statuses(world):
    world.answer(status=b"500 x")
    assert world.rows() == [1, 0, 0]
    world.answer(status=b"503 x")
    assert world.rows() == [2, 1, 0]
    world.answer(status=b"500 x")  # no failure of a gateway, so that row is over
    assert world.rows() == [3, 0, 0]
    assert [kind for *_, kind in world.reports] == ["consecutive_5xx"]
    assert world.reports[0][:2] == ("backend", str(world.nodes[0].address))
    world.answer(status=b"404 x")
    assert world.rows() == [0, 0, 0]
    assert world.volumes() == [4, 1, 0, 0]


def test_it_is_told_once_until_the_row_begins_again(world):
    for _ in range(5):
        world.answer(status=b"502 x")
    assert [kind for *_, kind in world.reports] == ["consecutive_gateway_failure", "consecutive_5xx"]


def test_a_node_that_hangs_up_before_it_answers(world):
    client, node = world.ask(get())
    node.head()
    node.close()
    assert client.head().startswith(b"HTTP/1.1 503")
    assert world.rows() == [1, 1, 0]


def test_a_node_that_does_not_answer_in_time():
    world = World(cluster={"outlier_detection": FIVE}, route={"timeout_s": 0.02})
    client, node = world.ask(get())
    node.head()
    assert client.head().startswith(b"HTTP/1.1 504")
    assert (world.host(0)["row_5xx"], world.host(0)["row_gateway_failure"]) == (1, 1)
    world.close()


def test_a_poll_that_is_cut_by_its_route_is_no_failure():
    world = World(cluster={"outlier_detection": FIVE}, route={"timeout_s": 0.02, "timeout_is_set": True})
    client, node = world.ask(get("/socket.io/?EIO=4&transport=polling&sid=abc"))
    node.head()
    assert client.head().startswith(b"HTTP/1.1 504")
    assert world.host(0)["row_5xx"] == 0
    world.close()


def test_a_node_that_cannot_be_connected_to(world):
    world.nodes[0].stop()
    for _ in range(2):
        assert world.client().send(get()).head().startswith(b"HTTP/1.1 503")
    assert world.rows() == [2, 2, 0]
    assert [kind for *_, kind in world.reports] == ["consecutive_gateway_failure"]


def test_nonsense_is_a_failure(world):
    client, node = world.ask(get())
    node.head()
    node.send(b"nonsense\r\n\r\n")
    assert client.head().startswith(b"HTTP/1.1 502")
    assert world.rows() == [1, 1, 0]


def test_an_answer_that_is_cut(world):
    client, node = world.ask(get())
    node.head()
    node.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
    client.head()
    node.close()
    client.end()
    assert world.rows() == [1, 1, 0]


@pytest.mark.parametrize("reset", [False, True])
def test_no_end_of_a_websocket_is_a_failure(world, reset):
    for end in ("client", "node"):
        client, node = world.ask(handshake())
        node.head()
        node.send(switching())
        client.head()
        world.settle()
        (client if end == "client" else node).close(reset=reset)
        other = node if end == "client" else client
        other.end()
        other.close()
        world.until(lambda: world.engine.tunnels == 0)
    assert world.rows() == [0, 0, 0]
    assert world.volumes()[:2] == [2, 2]


def test_a_client_that_leaves_is_no_failure(world):
    client, node = world.ask(get())
    node.head()
    client.close(reset=True)
    node.end()
    assert world.rows() == [0, 0, 0]


def test_origins_are_told_apart(split):
    split.answer(status=b"503 x")
    assert split.rows() == [1, 1, 0]
    client, node = split.ask(get())
    node.head()
    node.close()
    client.head()
    assert split.rows() == [1, 1, 1]
    split.nodes[0].stop()
    split.client().send(get()).head()
    assert split.rows() == [1, 1, 2]
    assert [kind for *_, kind in split.reports] == ["consecutive_local_origin_failure"]
    assert split.volumes() == [1, 0, 4, 2]


def test_nobody_counts_where_nobody_looks():
    world = World()
    client, node = world.ask(get("/", "connection: close"))
    node.head()
    node.send(ok())
    client.response()
    names = [name for name in HOST_NAMES if name.startswith(("answers_", "origin_", "row_"))]
    assert [world.host(0)[name] for name in names] == [0] * len(names)
    world.close()


def test_a_node_that_says_that_it_fails():
    world = Watched(None, health_check=quick())
    for _ in range(3):
        world.answer("X-Envoy-Immediate-Health-Check-Fail: true")
    assert world.reports == [("backend", str(world.nodes[0].address), "")]
    assert world.rows() == [0, 0, 0]
    world.close()


def test_nobody_listens_to_that_without_checks(world):
    world.answer("X-Envoy-Immediate-Health-Check-Fail: true")
    assert world.reports == []


def test_health_from_outside():
    """Hosts that fail are passed over, and balancers are made only where something changes."""
    world = World(nodes=2)
    cluster = world.runtime.clusters["backend"]
    first, second = (str(node.address) for node in world.nodes)
    balancer = cluster.balancer
    world.engine.set_health("backend", {first: int(HealthFlag.ACTIVE_HC_TIMEOUT)})
    assert cluster.balancer is balancer
    world.engine.set_health("backend", {second: int(HealthFlag.FAILED_ACTIVE_HC)})
    assert cluster.balancer is not balancer
    assert {cluster.balancer.pick() for _ in range(4)} == {0}
    assert [host.model.found_flags for host in cluster.hosts] == [256, 1]
    world.engine.set_health("backend", {first: 0, "127.0.0.1:1": 1})
    assert [host.model.found_flags for host in cluster.hosts] == [0, 1]
    world.engine.set_health("nobody", {})
    world.close()
