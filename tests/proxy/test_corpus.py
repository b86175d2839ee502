"""Every row of the corpus, whole, byte by byte and cut at random; behind each, a clean client has its own answer."""

from collections.abc import Iterator, Sequence

import pytest

from tests.corpus.cases import Case
from tests.corpus.judge import dangers, mistakes
from tests.corpus.origin import Origin
from tests.corpus.play import MARK, Outcome, Range
from tests.corpus.themes import REQUESTS, RESPONSES
from tests.support.proxies import WEBSOCKET, Worlds, cluster, connection_manager, route

pytestmark = pytest.mark.departure("Envoy repairs some of it, and closes later")
HOWS = ["byte by byte", "random:1", "random:2"]


@pytest.fixture(scope="module")
def corpus(worlds: Worlds) -> Iterator[Range]:
    """A proxy that tells the node from which port a client has come."""
    origin = Origin()
    marked = [{"header": {"key": MARK.decode(), "value": "%DOWNSTREAM_REMOTE_PORT%"}}]
    routes = [{**route("/", "backend"), "request_headers_to_add": marked}]
    manager = connection_manager(routes, upgrade_configs=WEBSOCKET, codec_type="HTTP1")
    world = worlds.run(manager, [cluster("backend", [origin.port])], [])
    yield Range(world.proxy.port, origin)
    origin.close()


@pytest.fixture
def played(corpus: Range) -> Iterator[Range]:
    yield corpus
    corpus.origin.hang_up()


def assert_right(cases: Sequence[Case], outcomes: Sequence[Outcome], how: str) -> None:
    wrong = [
        (case.name, *dangers(case, outcome), *mistakes(case, outcome, how))
        for case, outcome in zip(cases, outcomes, strict=True)
    ]
    told = "\n".join("\n    ".join(each) for each in wrong if len(each) > 1)
    assert not told, f"{how}:\n{told}"


@pytest.mark.parametrize("theme", REQUESTS)
def test_requests_one_after_the_other(played: Range, theme: str) -> None:
    cases = REQUESTS[theme]
    assert_right(cases, [played.play(case) for case in cases], "whole")


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("theme", REQUESTS)
def test_requests_at_once_in_pieces(played: Range, theme: str, how: str) -> None:
    cases = REQUESTS[theme]
    assert_right(cases, played.play_all(cases, how), how)


@pytest.mark.parametrize("theme", RESPONSES)
def test_responses_one_after_the_other(played: Range, theme: str) -> None:
    cases = RESPONSES[theme]
    assert_right(cases, [played.play(case) for case in cases], "whole")


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("theme", RESPONSES)
def test_responses_at_once_in_pieces(played: Range, theme: str, how: str) -> None:
    cases = RESPONSES[theme]
    assert_right(cases, played.play_all(cases, how), how)


def test_size_of_the_corpus() -> None:
    assert sum(map(len, REQUESTS.values())) >= 300
    assert sum(map(len, RESPONSES.values())) >= 150
