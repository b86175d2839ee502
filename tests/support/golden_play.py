"""Plays a file of recordings, whatever family it is of, several at once: most of the time is spent waiting."""

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from fastproxy import config
from fastproxy.errors import ConfigError
from tests.support import golden, golden_hosts, golden_raw
from tests.support.golden import Outcome, Outcomes, Refused
from tests.support.proxies import IS_ENVOY, Json, Worlds, envoy_command

AT_ONCE = 8
PART = 20  # vectors of raw bytes that one proxy plays
Play = Callable[[Json, list[Json], Worlds, Path], Outcomes]


@dataclass(slots=True)
class Played:
    """What came of a file: its vectors, or why it is refused."""

    outcomes: list[Outcome] = field(default_factory=list)
    refused: str = ""


def play_checks(recorded: Json, vectors: list[Json], worlds: Worlds, folder: Path) -> Outcomes:
    """Configurations that are accepted or not; the messages are each program's own."""
    for vector in vectors:
        file = folder / "checked.json"
        file.write_text(json.dumps(vector["envoy_config"]))
        yield Outcome(vector["name"], {"accepted": vector["accepted"]}, {"accepted": _is_accepted(file)})


def _is_accepted(file: Path) -> bool:
    if IS_ENVOY:
        return not subprocess.run([*envoy_command(file, 1), "--mode", "validate"], capture_output=True).returncode
    try:
        config.load(str(file))
    except ConfigError:
        return False
    return True


def player(recorded: Json) -> Play | None:
    """How a file is played, by what stands in its vectors; None: it has no vectors."""
    vector: Json = next(iter(recorded.get("vectors", [])), {})
    by_content: list[tuple[str, Play]] = [
        ("accepted", play_checks),
        ("response_raw", golden_raw.play),
        ("steps", golden_hosts.play_sequences),
        ("set_cookie", golden_hosts.play_cookies),
        ("by_kind", golden_hosts.play_kinds),
        ("upstream", golden_hosts.play_hashes),
    ]
    if "clusters" in recorded:
        return golden_hosts.play_routes
    return next((play for mark, play in by_content if mark in vector), None)


class Players:
    """Threads that play the files asked for."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._threads = ThreadPoolExecutor(AT_ONCE)
        self._parts: dict[str, list[Future[Played]]] = {}

    def begin(self, paths: Iterable[Path], until_it_differs: Callable[[Path], bool]) -> None:
        """Files of which `until_it_differs` holds are given up at their first difference."""
        for path in paths:
            recorded = golden.read(path)
            play = player(recorded)
            assert play, f"{path}: of no family that is known"
            vectors = recorded["vectors"]
            size = PART if play is golden_raw.play else max(1, len(vectors))
            self._parts[path.stem] = [
                self._threads.submit(self._play, play, recorded, vectors[at : at + size], until_it_differs(path))
                for at in range(0, len(vectors), size)
            ]

    def _play(self, play: Play, recorded: Json, vectors: list[Json], gives_up: bool) -> Played:
        folder = self._folder()
        worlds = Worlds(lambda: folder)
        played = Played()
        try:
            with contextlib.closing(play(recorded, vectors, worlds, folder)) as outcomes:
                for outcome in outcomes:
                    played.outcomes.append(outcome)
                    if gives_up and outcome.differences:
                        break
        except Refused as refused:
            played.refused = str(refused)
        except (AssertionError, OSError) as error:  # a proxy that ended, an answer that never came
            played.outcomes.append(Outcome("playing", {"goes": "on"}, {"goes": f"wrong: {error!r}"}))
        finally:
            worlds.end()
        return played

    def played(self, name: str) -> Played:
        parts = [each.result() for each in self._parts[name]]
        outcomes = [outcome for part in parts for outcome in part.outcomes]
        return Played(outcomes, next((part.refused for part in parts if part.refused), ""))

    def end(self) -> None:
        self._threads.shutdown(cancel_futures=True)
