"""What can go wrong before traffic flows, in the words shown to the person who has to mend it.

Imports nothing of ours. The data plane does not raise these: there an error is a status and a counter.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake of a configuration file.

    `line` and `column` count from 1; 0 means that the problem belongs to the file as a whole.
    `path` is the field's path in the words of the file, such as `listeners[0].filters[0].config`. `code` names the
    kind of problem (docs/lint/), "" where nobody gave it one.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    severity: Severity = Severity.ERROR
    code: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(part for part in (where, self.path, self.message) if part)

    def describe(self) -> str:
        """The line that a person is shown: a warning says so, and ends with its code."""
        if self.severity is Severity.ERROR:
            return str(self)
        code = f" [{self.code}]" if self.code else ""
        return f"{replace(self, message=f'warning: {self.message}')}{code}"


class FastproxyError(Exception):
    """An error whose text is complete as it stands: shown without a traceback, exit status 1."""


class ConfigError(FastproxyError):
    """A configuration that cannot be run; `problems` holds every mistake that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.describe() for problem in self.problems))


class ListenError(FastproxyError):
    """A listening socket that could not be had: the address is in use, not ours, or not permitted."""
