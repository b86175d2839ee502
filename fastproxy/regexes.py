"""Regular expressions as Envoy has them: RE2, over bytes, in time linear in the text whatever a client sends.

Syntax: https://github.com/google/re2/wiki/Syntax.
"""

import re
from functools import cached_property
from typing import Any

_LITERAL = re.compile(r"[A-Za-z0-9/_~%!&=:;,@'-]+")
_MAY_BE_NONE = ("?", "*", "{")  # behind a character
_SUBSTITUTION = re.compile(rb"\\(.?)|[^\\]+", re.S)


class BadRegex(ValueError):
    """No regular expression, with RE2's reason; or no substitution for one."""


def _compile(pattern: bytes, never_capture: bool) -> Any:
    from re2 import _re2  # what a configuration without a regular expression need not load

    options = _re2.RE2.Options()
    options.log_errors = False
    options.never_capture = never_capture
    compiled = _re2.RE2(pattern, options)
    if not compiled.ok():
        raise BadRegex(compiled.error().decode("utf-8", "replace"))
    return compiled, _re2.RE2.Anchor


class Regex:
    """One pattern, a text in UTF-8. Raises BadRegex."""

    def __init__(self, pattern: str) -> None:
        try:
            self.pattern = pattern.encode()
        except UnicodeEncodeError as error:  # half of a pair of surrogates, or bytes that were no UTF-8
            raise BadRegex("invalid UTF-8") from error
        compiled, anchor = _compile(self.pattern, never_capture=True)
        self._match = compiled.Match
        self._both = anchor.ANCHOR_BOTH
        self._unanchored = anchor.UNANCHORED

    def full_match(self, text: bytes) -> bool:
        """Whether the pattern matches the whole text."""
        return bool(self._match(self._both, text, 0, len(text))[0][0] >= 0)

    @property
    def literal_prefix(self) -> str:
        """Text that whatever the whole pattern matches begins with; "" when that is not plain to see."""
        pattern = self.pattern.decode().removeprefix("^")
        found = _LITERAL.match(pattern)
        if found is None or "|" in pattern:
            return ""
        return found[0][:-1] if pattern[found.end() : found.end() + 1] in _MAY_BE_NONE else found[0]

    def search(self, text: bytes) -> bool:
        """Whether the pattern matches anywhere in the text."""
        return bool(self._match(self._unanchored, text, 0, len(text))[0][0] >= 0)

    @cached_property
    def _capturing(self) -> Any:
        return _compile(self.pattern, never_capture=False)[0]

    @property
    def groups(self) -> int:
        return int(self._capturing.NumberOfCapturingGroups())

    def replace_all(self, text: bytes, substitution: "Substitution") -> bytes:
        """The text with every match replaced, as RE2's GlobalReplace does it."""
        if substitution.groups > self.groups:
            return text
        pieces: list[bytes] = []
        at, last_end = 0, -1
        while at <= len(text):
            spans = self._capturing.Match(self._unanchored, text, at, len(text))
            start, end = spans[0]
            if start < 0:
                break
            pieces.append(text[at:start])
            if start == end == last_end:  # nothing, right behind the last match: go on by one character
                step = _character_bytes(text, start)
                pieces.append(text[start : start + step])
                at = start + step
                continue
            pieces.append(substitution.expand(text, spans))
            at = last_end = end
        return b"".join(pieces) + text[at:]


def _character_bytes(text: bytes, at: int) -> int:
    """How many bytes the character at a place has; 1 where there is none in UTF-8."""
    for length in (1, 2, 3, 4):
        try:
            text[at : at + length].decode()
        except UnicodeDecodeError:
            continue
        return length
    return 1


class Substitution:
    r"""What replaces a match: `\0` is all of it, `\1` the first group, `\\` a backslash. Raises BadRegex."""

    def __init__(self, text: str) -> None:
        self._parts: list[bytes | int] = []
        for part in _SUBSTITUTION.finditer(text.encode()):
            escaped = part[1]
            if escaped is None:
                self._parts.append(part[0])
            elif escaped.isdigit():
                self._parts.append(int(escaped))
            elif escaped == b"\\":
                self._parts.append(escaped)
            else:
                raise BadRegex("a backslash stands before the number of a group or another backslash")
        self.groups = max((part for part in self._parts if isinstance(part, int)), default=0)

    def expand(self, text: bytes, spans: list[tuple[int, int]]) -> bytes:
        """What it says for one match; a group that took no part is empty."""
        pieces = []
        for part in self._parts:
            if isinstance(part, int):
                start, end = spans[part]
                part = text[start:end] if start >= 0 else b""
            pieces.append(part)
        return b"".join(pieces)
