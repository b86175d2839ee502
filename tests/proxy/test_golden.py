"""Every recording of the real Envoy, played again on a proxy with the recorded configuration.

`pytest tests/proxy/test_golden.py -k 08-route-match` plays one file. What differs on purpose stands in a table of
docs/envoy-compatibility.md, with the reason; what is not built yet in another. Nothing else may differ, and a row
whose vectors differ no more fails.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import golden, golden_tables
from tests.support.golden_play import Players
from tests.support.proxies import IS_ENVOY

FILES = golden.files()
DEPARTURES = [] if IS_ENVOY else golden_tables.departures()
PENDING = [] if IS_ENVOY else golden_tables.pending()
PATIENCE_S = 600  # the first test waits for its recording while others are played
NOT_PLAYED = {row.file: row.why for row in PENDING if row.vector == "*"}

pytestmark = pytest.mark.timeout(PATIENCE_S)


@pytest.fixture(scope="module")
def players(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Players]:
    """Begins to play every file that a selected test is about."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    asked = {str(item.callspec.params["name"]) for item in items if item.originalname == "test_file"}
    everything = any(item.originalname == "test_rows_are_departures" for item in items)
    folder = tmp_path_factory.mktemp("golden")
    threads = Players(lambda: Path(tempfile.mkdtemp(dir=folder)))
    chosen = sorted((FILES[name] for name in (FILES if everything else asked)), key=_longest_first)
    threads.begin(chosen, until_it_differs=lambda path: path.stem in NOT_PLAYED)
    yield threads
    threads.end()


def _longest_first(path: Path) -> tuple[bool, str]:
    return not path.stem.startswith(("09-requests", "09-responses", "10-")), path.stem


def test_recordings_are_there() -> None:
    """Without the whole collection the few of tests/data/golden are played; that is no reason to fail."""
    if golden.FOLDER == golden.OURS:
        print(f"no recordings in {golden.WHOLE}: only those of {golden.OURS} are played")
    assert len(FILES) >= 3


@pytest.mark.parametrize("name", FILES)
def test_file(players: Players, name: str) -> None:
    played = players.played(name)
    if name in NOT_PLAYED:
        still_differs = played.refused or any(each.differences for each in played.outcomes)
        assert still_differs, f"as recorded now: take {name} from the table '{golden_tables.FOR_NOW}'"
        return
    assert not played.refused, played.refused
    assert played.outcomes
    later = {row.vector for row in PENDING if row.file == name}
    wrong = golden_tables.unexplained(name, (each for each in played.outcomes if each.vector not in later), DEPARTURES)
    if wrong:
        report = "\n".join(map(str, wrong[:20]))
        pytest.fail(f"{len(wrong)} of {len(played.outcomes)} vectors differ:\n{report}", pytrace=False)
    differing = {each.vector for each in played.outcomes if each.differences}
    assert later <= differing, f"as recorded now: take {later - differing} of {name} from the table"


def test_rows_are_departures(players: Players) -> None:
    """Each row of the table of departures is about something that was seen to differ in that way."""
    if golden.FOLDER == golden.OURS:
        return
    outcomes = [(name, each) for name in FILES for each in players.played(name).outcomes if each.differences]
    for row in DEPARTURES:
        assert any(row.covers(name, each.vector) and row.explains(each) for name, each in outcomes), row
    assert all(row.file in FILES for row in PENDING)
