"""JSON text to a tree with marks, by RFC 8259 and nothing beyond it.

A reader of our own because `json` keeps no positions, and a YAML reader misses parts of JSON (surrogate pairs,
long keys) and describes a forgotten comma in terms of YAML.
"""

import json
import re
from array import array
from bisect import bisect_right
from itertools import chain

from fastproxy.config.tree import Node, Report, Value, member_path, shorten

MAX_DEPTH = 100
MAX_NODES = 500_000
"""Values in one file. Ten thousand virtual hosts have half as many; a tree of all of them takes some 300 MB."""

_SPACE = re.compile(r"[ \t\n\r]*")
# Possessive repeats: without them a text that nobody closed is tried in exponentially many ways.
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?(?![0-9.eE])")
_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}


class _Mistake(Exception):
    """What is wrong with the text, and at which offset."""

    def __init__(self, offset: int, message: str) -> None:
        self.offset = offset
        self.message = message


class _Composer:
    """Recursive descent over one text; `at` is the offset of the next character."""

    def __init__(self, text: str, report: Report) -> None:
        self.text = text
        self.report = report
        self.at = 0
        self.left = MAX_NODES
        self.line_starts = array("I", chain((0,), (match.end() for match in re.finditer("\n", text))))

    def place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def next(self) -> str:
        """The next character that is no white space, "" at the end."""
        match = _SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return self.text[self.at : self.at + 1]

    def document(self) -> Node:
        root = self.value("", 0)
        if self.next():
            raise _Mistake(self.at, "there is more text behind the end of the configuration")
        return root

    def value(self, path: str, depth: int) -> Node:
        first = self.next()
        start = self.at
        if depth > MAX_DEPTH:
            raise _Mistake(start, f"nested deeper than {MAX_DEPTH} levels")
        self.left -= 1
        if self.left < 0:
            raise _Mistake(start, f"more than {MAX_NODES} values; write a smaller file")
        line, column = self.place(start)
        if first == "{":
            value: Value = self.members(path, depth)
        elif first == "[":
            value = self.elements(path, depth)
        else:
            value = self.scalar(first)
        return Node(value, line, column, path, line, column)

    def members(self, path: str, depth: int) -> dict[str, Node]:
        opened = self.at
        self.at += 1
        found: dict[str, Node] = {}
        if self.next() == "}":
            self.at += 1
            return found
        while True:
            self.member(found, path, depth)
            if self.closes("}", opened, "object"):
                return found

    def member(self, found: dict[str, Node], path: str, depth: int) -> None:
        first = self.next()
        start = self.at
        if first == "}":
            raise _Mistake(start, 'expected another key after ","; remove the comma before "}"')
        if first != '"':
            raise self.unexpected("expected a key in double quotes")
        key = self.string()
        if self.next() != ":":
            raise self.unexpected(f'expected ":" after the key "{shorten(key)}"')
        self.at += 1
        node = self.value(member_path(path, key), depth + 1)
        node.key_line, node.key_column = self.place(start)
        if key in found:
            self.report.error(node, f"this key stands twice, first on line {found[key].key_line}", at_key=True)
        else:
            found[key] = node

    def elements(self, path: str, depth: int) -> list[Node]:
        opened = self.at
        self.at += 1
        found: list[Node] = []
        if self.next() == "]":
            self.at += 1
            return found
        while True:
            if self.next() == "]":
                raise _Mistake(self.at, 'expected another value after ","; remove the comma before "]"')
            found.append(self.value(f"{path}[{len(found)}]", depth + 1))
            if self.closes("]", opened, "list"):
                return found

    def closes(self, bracket: str, opened: int, expected: str) -> bool:
        """Whether the bracket follows (True) or a comma (False)."""
        found = self.next()
        if found not in (bracket, ",") or not found:
            line, _ = self.place(opened)
            raise self.unexpected(f'expected "," or the "{bracket}" that closes the {expected} of line {line}')
        self.at += 1
        return found == bracket

    def scalar(self, first: str) -> Value:
        if first == '"':
            return self.string()
        number = _NUMBER.match(self.text, self.at)
        if number:
            self.at = number.end()
            text = number[0]
            return float(text) if any(c in text for c in ".eE") else int(text)
        word = _WORD.match(self.text, self.at)
        if word and word[0] in _WORDS:
            self.at = word.end()
            return _WORDS[word[0]]
        raise self.unexpected("expected a value (text stands in double quotes)")

    def unexpected(self, expected: str) -> _Mistake:
        """What is wrong when the next characters are not what was expected."""
        if self.text.startswith(("//", "/*", "#"), self.at):
            return _Mistake(self.at, "there are no comments in JSON; remove it")
        word = _WORD.match(self.text, self.at)
        shown = word[0] if word else self.text[self.at : self.at + 1]
        return _Mistake(self.at, f"{expected}, found " + (f"'{shorten(shown)}'" if shown else "the end of the file"))

    def string(self) -> str:
        match = _STRING.match(self.text, self.at)
        if match is None:
            raise self.string_mistake()
        self.at = match.end()
        text = match[0]
        decoded: str = json.loads(text) if "\\" in text else text[1:-1]
        if "\\u" in text and any("\ud800" <= c <= "\udfff" for c in decoded):
            raise _Mistake(match.start(), "half of a surrogate pair: this escape is no character")
        return decoded

    def string_mistake(self) -> _Mistake:
        try:
            json.JSONDecoder().raw_decode(self.text, self.at)
        except json.JSONDecodeError as error:
            if error.msg.startswith("Unterminated"):
                return _Mistake(self.at, "this text has no closing quote")
            return _Mistake(error.pos, f"{error.msg[0].lower()}{error.msg[1:].rstrip(' at')} inside a text")
        return _Mistake(self.at, "this text cannot be read")


def compose(text: str, report: Report) -> Node:
    """The tree of a JSON text. Raises ConfigError at the first place where it is no JSON."""
    composer = _Composer(text, report)
    try:
        return composer.document()
    except _Mistake as mistake:
        raise report.fatal(f"not JSON: {mistake.message}", *composer.place(mistake.offset)) from None
