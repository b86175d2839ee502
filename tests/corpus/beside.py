"""The corpus and the faults on fastproxy, Envoy, HAProxy and nginx, as one Markdown table.

    python -m tests.corpus.beside [--only fastproxy,Envoy] [--tell]

Of every theme it counts the rows that a proxy handles unsafely, and in brackets the good messages that it does not
serve. Needs the four programs on the PATH; one that is missing is left out, and said so.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.corpus import peers
from tests.corpus.cases import Case, Seen, forwarded, head
from tests.corpus.faults import FAULTS
from tests.corpus.front import Front
from tests.corpus.judge import dangers, is_served
from tests.corpus.origin import Origin
from tests.corpus.play import Range
from tests.corpus.themes import REQUESTS, RESPONSES
from tests.support.adversary import Node
from tests.support.punctual import in_time

THEMES: dict[str, Sequence[Case]] = {**REQUESTS, **RESPONSES}
# what is known of one of the peers: the rows that show it
KNOWN: dict[str, tuple[str, tuple[str, ...]]] = {
    "skips junk behind a chunk's data": (
        "chunks",
        ("junk and a line end behind the chunk", "a chunk longer than its size"),
    ),
    "joins two Hosts": ("Host", ("two different Hosts", "two equal Hosts", "three Hosts")),
    "wraps a Content-Length of 2^64": ("Content-Length", ("2^64", "2^64 and five", "2^128")),
    "takes a bare LF in chunk lines": (
        "chunks",
        ("LF behind the size", "LF behind the chunk", "LF behind the last size"),
    ),
    "passes NUL in values": ("field lines", ("NUL in a value", "NUL alone", "NUL at the end of a value")),
    "passes an Upgrade on that Connection does not name": (
        "upgrades",
        ("Upgrade without Connection", "Connection that nearly says it"),
    ),
    "passes what is no HTTP to the client": ("status lines", ("not HTTP and the end", "HTML", "SSH", "every byte")),
    "takes a 1xx for the answer": ("interim answers and 101", ("102", "103 with links", "199 that nobody knows")),
    "believes a 101 with another accept, or none": (
        "interim answers and 101",
        ("another key's answer", "no answer", "two answers"),
    ),
    "believes a 101 without Upgrade or Connection": (
        "interim answers and 101",
        ("no Upgrade", "no Connection", "another protocol"),
    ),
    "passes a 101 that nobody asked for": (
        "interim answers and 101",
        ("a change nobody asked for", "a change to nothing"),
    ),
    "takes a reset body without a length for complete": (
        "nodes that end, reset or overtake",
        ("a reset of a body without a length", "a reset of an old body without a length"),
    ),
}


@dataclass
class Result:
    """What one proxy has done: of each theme the unsafe rows and the good ones that it did not serve; of each fault
    what was wrong."""

    unsafe: dict[str, dict[str, str]] = field(default_factory=dict)
    unserved: dict[str, list[str]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def play_themes(kind: str, themes: dict[str, Sequence[Case]], patience_s: float) -> Result:
    """Each row by itself, whole."""
    result = Result()
    origin = Origin()
    with tempfile.TemporaryDirectory() as folder:
        port, process = peers.start(kind, origin.port, Path(folder))
        Range(port, origin).play(forwarded("it serves", head(), Seen()))
        span = Range(port, origin, patience_s)
        for theme, cases in themes.items():
            result.unsafe[theme], result.unserved[theme] = {}, []
            for case in cases:
                outcome = span.play(case)
                if found := dangers(case, outcome):
                    result.unsafe[theme][case.name] = "; ".join(found)
                elif not is_served(case, outcome):
                    result.unserved[theme].append(case.name)
        process.end()
    origin.close()
    return result


def play_faults(kind: str, names: Iterable[str]) -> dict[str, str]:
    """Each fault on a proxy of its own."""
    found = {}
    for name in names:
        node = Node()
        with tempfile.TemporaryDirectory() as folder:
            port, process = peers.start(kind, node.port, Path(folder))
            front = Front(port, node, process.pid, peers.STALL_S)
            try:
                found[name] = in_time(partial(FAULTS[name], front))
            except (OSError, AssertionError) as error:
                found[name] = str(error)[:100]
            front.close()
            process.end()
        node.hang_up()
        node.close()
    return found


def table(results: dict[str, Result], themes: dict[str, Sequence[Case]]) -> str:
    lines = [["", "rows", *results], ["-"] * (len(results) + 2)]
    for theme, cases in themes.items():
        cells = [_cell(len(each.unsafe[theme]), len(each.unserved[theme])) for each in results.values()]
        lines.append([theme, str(len(cases)), *cells])
    totals = [
        _cell(*(sum(map(len, part.values())) for part in (each.unsafe, each.unserved))) for each in results.values()
    ]
    lines.append(["**all**", str(sum(map(len, themes.values()))), *totals])
    for name, (theme, rows) in KNOWN.items():
        counts = [sum(row in each.unsafe.get(theme, {}) for row in rows) for each in results.values()]
        lines.append([name, str(len(rows)), *[f"{count} unsafe" if count else "right" for count in counts]])
    for name in FAULTS:
        cells = [each.faults[name] or "right" for each in results.values() if name in each.faults]
        lines.append([name, "1", *cells])
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


def _cell(unsafe: int, unserved: int) -> str:
    return f"{unsafe} ({unserved})" if unserved else str(unsafe)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(peers.COMMANDS))
    parser.add_argument("--tell", action="store_true", help="say of each unsafe row what happened")
    arguments = parser.parse_args()
    results = {}
    for kind in arguments.only.split(","):
        if kind in ("HAProxy", "nginx") and shutil.which(kind.lower()) is None:
            print(f"{kind} is not there", file=sys.stderr)
            continue
        results[kind] = play_themes(kind, THEMES, 0.4)
        results[kind].faults = play_faults(kind, FAULTS)
        for theme, unsafe in results[kind].unsafe.items() if arguments.tell else ():
            for name, why in unsafe.items():
                print(f"{kind}: {theme}: {name}: {why[:300]}", file=sys.stderr)
            for name in results[kind].unserved[theme]:
                print(f"{kind}: {theme}: {name}: not served", file=sys.stderr)
    print(table(results, THEMES))


if __name__ == "__main__":
    main()
