"""Two tables of docs/envoy-compatibility.md: what differs from the recordings on purpose, and what does so for now.

`| file | vector | what differs | why |`: names may hold `*`; "what differs" says what is seen of each thing that is
compared: `response: 400; closed: yes; upstream: nothing`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.support.golden import Outcome
from tests.support.processes import ROOT

PAGE = ROOT / "docs" / "envoy-compatibility.md"
ON_PURPOSE = "What differs from the recordings"
FOR_NOW = "Recordings that are not played yet"
_STATUS = re.compile(r"HTTP/1\.[01] (\d+) ")
_CELL = re.compile(r"(?<!\\)\|")


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of the table under that heading, without its head."""
    section = PAGE.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip().strip("`").replace("\\|", "|") for cell in _CELL.split(line)[1:-1]]


def _matches(pattern: str, name: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None


@dataclass(frozen=True, slots=True)
class Departure:
    """A row of the first table: of these vectors nothing differs but this, and it differs in this way."""

    file: str
    vector: str
    differs: dict[str, str]
    why: str

    def covers(self, file: str, vector: str) -> bool:
        return _matches(self.file, file) and _matches(self.vector, vector)

    def explains(self, outcome: Outcome) -> bool:
        return all(self.differs.get(key) == brief(outcome.seen[key]) for key in outcome.differences)


@dataclass(frozen=True, slots=True)
class Pending:
    """A row of the second table: these vectors are to be played, and differ still."""

    file: str
    vector: str
    why: str


@cache
def departures() -> list[Departure]:
    found = []
    for file, vector, differs, why in rows(ON_PURPOSE):
        pairs = (each.partition(": ") for each in differs.split("; "))
        found.append(Departure(file, vector, {key: value for key, _, value in pairs}, why))
    return found


def pending() -> list[Pending]:
    return [Pending(*row) for row in rows(FOR_NOW)]


def brief(value: Any) -> str:
    """What is seen as the table writes it: the statuses of a stream of responses, else the thing itself."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and "HTTP/1." in value:
        requests = value.count(" HTTP/1.1\r\n")
        return " ".join(_STATUS.findall(value)) or f"{requests} request{'s' if requests > 1 else ''}"
    return str(value) if value else "nothing"


def unexplained(file: str, outcomes: Iterable[Outcome], table: Iterable[Departure]) -> list[Outcome]:
    """The outcomes that differ otherwise than some row of the table says."""
    known = [row for row in table if _matches(row.file, file)]
    return [
        each
        for each in outcomes
        if each.differences and not any(row.covers(file, each.vector) and row.explains(each) for row in known)
    ]
