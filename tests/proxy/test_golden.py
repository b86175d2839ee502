"""Families 09 and 10 of the golden recordings, played again: raw bytes in, raw bytes out, at both ends.

`tests/data/golden-departures.json` lists what is different on purpose, and why: files and vectors that are not played,
and vectors with the parts of the outcome that differ. A vector may differ only there, and only in that way.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastproxy import config
from fastproxy.errors import ConfigError
from tests.support import golden
from tests.support.proxies import IS_ENVOY, Worlds

TABLE = golden.departures()
NOT_PLAYED = TABLE["not played"]
DEPARTURES = {} if IS_ENVOY else TABLE["vectors"]
FILES = [name for name in golden.names("09-*.json", "10-*.json") if name not in NOT_PLAYED]
VECTORS = [
    pytest.param(name, vector["name"], id=f"{name.removesuffix('.json')}: {vector['name']}")
    for name in FILES
    for vector in golden.read(name)["vectors"]
    if vector["name"] not in TABLE["vectors not played"].get(name, {})
]


def test_recordings_are_there() -> None:
    """Without the recordings nothing below is played; that is no reason to fail where they cannot be."""
    if not golden.FOLDER.exists():
        print(f"no recordings in {golden.FOLDER}: the golden tests of the proxy are not run")
    else:
        assert VECTORS


_open: dict[str, golden.Recording] = {}


@pytest.fixture(scope="module")
def recordings(worlds: Worlds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """Plays a file on a proxy of its own, one at a time."""

    def of(name: str) -> golden.Recording:
        if name not in _open:
            end()
            folder: Path = tmp_path_factory.mktemp("golden")
            _open[name] = golden.Recording(name, worlds, folder)
        return _open[name]

    def end() -> None:
        for recording in _open.values():
            recording.close()
        _open.clear()
        worlds.end()

    yield of
    end()


@pytest.mark.parametrize(("name", "vector"), VECTORS)
def test_vector(recordings, name: str, vector: str) -> None:
    recording = recordings(name)
    played = recording.play(vector)
    departure = DEPARTURES.get(name, {}).get(vector)
    recorded = golden.recorded_outcome(recording.vector(vector))
    outcome = golden.outcome(played)
    if departure is None and "varies" not in recording.vector(vector):
        assert outcome == recorded
        assert not played.statuses() or played.statuses() == recording.vector(vector)["statuses"]
    elif departure is not None:
        assert {key: outcome[key] for key in departure["differs"]} == departure["differs"]
        rest = recorded.keys() - departure["differs"].keys()
        assert {key: outcome[key] for key in rest} == {key: recorded[key] for key in rest}
        assert outcome != recorded, "this is no departure any more; take it from the table"


@pytest.mark.parametrize("name", sorted(name for name, each in NOT_PLAYED.items() if each["refused"]))
def test_refused_configurations_are_still_refused(name: str, tmp_path: Path) -> None:
    """The day one of them loads, its vectors are to be played."""
    if not golden.FOLDER.exists():
        return
    file = tmp_path / name
    file.write_text(json.dumps(golden.pruned(name, golden.read(name)["envoy_config"])))
    with pytest.raises(ConfigError):
        config.load(str(file))
