"""What can go wrong before traffic flows, in the words shown to the person who has to mend it.

Imports nothing of ours. The data plane does not raise these: there an error is a status and a counter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake of a configuration file.

    `line` and `column` count from 1; 0 means that the problem belongs to the file as a whole.
    `path` is the field's path in the words of the file, such as `listeners[0].filters[0].config`.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(part for part in (where, self.path, self.message) if part)


class FastproxyError(Exception):
    """An error whose text is complete as it stands: shown without a traceback, exit status 1."""


class ConfigError(FastproxyError):
    """A configuration that cannot be run; `problems` holds every mistake that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class ListenError(FastproxyError):
    """A listening socket that could not be had: the address is in use, not ours, or not permitted."""
