"""A configuration file as a tree in which every value knows where it stands in the file.

Owns `Node` and `Report`; knows neither JSON nor YAML nor what any key means.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from fastproxy.config import codes
from fastproxy.errors import ConfigError, Problem, Severity

Value: TypeAlias = "dict[str, Node] | list[Node] | str | int | float | bool | None"

MAX_SHOWN = 60
MAX_PROBLEMS = 100
"""So many mistakes, and so many warnings, are told of one file."""


@dataclass(slots=True)
class Node:
    """One value of the file.

    `line` and `column` count from 1 and are those of the value; `key_line` and `key_column` those of its key,
    or of the value where there is none. `path` is written as the person who wrote the file would. A damaged mapping
    or list has lost a member that was reported: that something is missing there is no news.
    """

    value: Value
    line: int
    column: int
    path: str
    key_line: int = 0
    key_column: int = 0
    damaged: bool = False
    file: str = ""  # where it comes from, if not from the file that is reported on

    def get(self, key: str) -> "Node | None":
        """The member of that key, or None when this is no mapping, has no such key or has null there."""
        member = self.value.get(key) if isinstance(self.value, dict) else None
        return None if member is None or member.value is None else member

    def items(self) -> "list[Node]":
        """The elements of a list; none for anything else."""
        return self.value if isinstance(self.value, list) else []

    def members(self) -> "dict[str, Node]":
        """The members of a mapping; none for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    def with_value(self, value: Value, *, damaged: bool = False) -> "Node":
        """The same place in the file, another value."""
        return replace(self, value=value, damaged=self.damaged or damaged)

    def absent(self, key: str) -> "Node":
        """A stand-in for a key that is not there: the place of this mapping, the path of the key."""
        return replace(self, value=None, path=member_path(self.path, key))

    def walk(self) -> "Iterator[Node]":
        """This node and all below it, in the order of the file."""
        yield self
        for below in self.items() or self.members().values():
            yield from below.walk()


def member_path(path: str, key: str) -> str:
    """The path of a mapping's member: `a.b`, or `a["b.c"]` when the key would be misread."""
    if not key or any(c in key for c in '.[]" '):
        return f'{path}["{shorten(key)}"]'
    return f"{path}.{shorten(key)}" if path else shorten(key)


def wrap(origin: Node, value: Any) -> Node:
    """A tree of plain values and nodes as a tree of nodes; what is plain takes the place and path of `origin`.

    Members that are None are left out.
    """
    if isinstance(value, Node):
        return value
    if isinstance(value, dict):
        value = {key: wrap(origin, member) for key, member in value.items() if member is not None}
    elif isinstance(value, list):
        value = [wrap(origin, item) for item in value]
    return origin.with_value(value)


def plain(node: Node) -> Any:
    """The value without its marks, as `json.load` would return it."""
    if isinstance(node.value, dict):
        return {key: plain(member) for key, member in node.value.items()}
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return node.value


def words(text: str) -> frozenset[str]:
    """The words of a text: a long set of names that stays readable."""
    return frozenset(text.split())


def because(reason: str, text: str) -> dict[str, str]:
    """One reason for each of the words of a text."""
    return dict.fromkeys(text.split(), reason)


def describe(node: Node) -> str:
    """The value in a few words, for a message about its type."""
    value = node.value
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'the text "{shorten(value)}"'
    return f"the number {shorten(str(value))}"


def shorten(text: str) -> str:
    """Text from the file made fit for one line of a terminal."""
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text[: MAX_SHOWN + 1])
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was most likely meant, if any is near enough."""
    import difflib  # a file without mistakes does without it

    names = {name.lower(): name for name in known}
    matches = difflib.get_close_matches(word[:MAX_SHOWN].lower(), names, n=1, cutoff=0.72)
    return names[matches[0]] if matches else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?`, or the known words when they are few, or nothing."""
    known = sorted(set(known))
    near = closest(word, known)
    if near is not None:
        return f'; did you mean "{shorten(near)}"?'
    if 0 < len(known) <= 12:
        return "; use one of " + ", ".join(map(shorten, known))
    return ""


class Report:
    """The problems found so far in one file.

    `code` is that of the problems which the present step of loading finds (`codes`). With `allow_unknown` a key that
    the schema does not have is left out with a warning; to a `strict` reader warnings are reason to refuse the file.
    """

    def __init__(self, file: str, *, strict: bool = False, allow_unknown: bool = False) -> None:
        self.file = file
        self.strict = strict
        self.allow_unknown = allow_unknown
        self.code = ""
        self._problems: dict[Problem, None] = {}
        self._counts = dict.fromkeys(Severity, 0)

    def error(self, node: Node, message: str, *, at_key: bool = False, code: str = "") -> None:
        """A mistake: the file will be refused, but reading goes on to find the others."""
        self._add(node, message, at_key, Severity.ERROR, code)

    def warning(self, node: Node, message: str, *, at_key: bool = False, code: str = "") -> None:
        """Something the person should know; the file is used all the same."""
        self._add(node, message, at_key, Severity.WARNING, code)

    def fatal(self, message: str, line: int = 0, column: int = 0) -> ConfigError:
        """The error to raise when reading cannot go on, together with everything found before."""
        self._problems[Problem(self.file, line, column, "", message, code=codes.SYNTAX if line else codes.FILE)] = None
        return ConfigError(self.of(Severity.ERROR))

    def of(self, severity: Severity) -> tuple[Problem, ...]:
        """The problems of one severity, in the order of the file; what was put over it comes last."""
        found = [problem for problem in self._problems if problem.severity is severity]
        return tuple(sorted(found, key=lambda problem: (problem.file != self.file, problem.line, problem.column)))

    def has_errors(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self._problems)

    def is_refused(self) -> bool:
        """Whether the file may not be used."""
        return self.has_errors() or (self.strict and bool(self._problems))

    def raise_errors(self) -> None:
        """Raises ConfigError with everything for which the file is refused, if there is anything."""
        if self.is_refused():
            raise ConfigError(self.of(Severity.ERROR) + (self.of(Severity.WARNING) if self.strict else ()))

    def _add(self, node: Node, message: str, at_key: bool, severity: Severity, code: str) -> None:
        line, column = (node.key_line, node.key_column) if at_key and node.key_line else (node.line, node.column)
        file = node.file or self.file
        problem = Problem(file, line, column, node.path, message, severity, code or self.code)
        if problem in self._problems:
            return
        self._counts[severity] += 1
        if self._counts[severity] <= MAX_PROBLEMS:
            self._problems[problem] = None
        elif severity is Severity.ERROR:
            raise self.fatal(f"there are more than {MAX_PROBLEMS} mistakes; mend these first", line, column)
        elif self._counts[severity] == MAX_PROBLEMS + 1:
            message = f"there are more than {MAX_PROBLEMS} warnings; the others are not told"
            self._problems[Problem(file, line, column, "", message, severity, code or self.code)] = None
