"""The parts of the model that say what a value of a request is compared with: headers, query parameters, cookies."""

from dataclasses import dataclass
from enum import Enum


class StringMatch(Enum):
    EXACT = "exact"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    CONTAINS = "contains"
    REGEX = "safe_regex"


@dataclass(frozen=True, slots=True)
class StringMatcher:
    """How a value is compared; a regular expression has to match the whole of it and minds case in any event."""

    kind: StringMatch
    text: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class HeaderMatcher:
    """`value` or `range` (from, below) or, with neither, whether the header is there.

    `name` is lower case, `:path` and the like included. One line of several is enough.
    """

    name: str
    value: StringMatcher | None = None
    range: tuple[int, int] | None = None
    present: bool = True
    invert: bool = False
    missing_is_empty: bool = False


@dataclass(frozen=True, slots=True)
class QueryParameterMatcher:
    """The first parameter of that name, undecoded: `value`, or else whether it is there."""

    name: str
    value: StringMatcher | None = None
    present: bool = True


@dataclass(frozen=True, slots=True)
class CookieMatcher:
    """The first cookie of that name, quotes removed. Without the cookie an inverted matcher holds."""

    name: str
    value: StringMatcher
    invert: bool = False
