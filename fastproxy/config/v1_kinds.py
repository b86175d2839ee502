"""The kinds of values in a v1 file, and the check of a tree against them.

A kind says what a value has to look like and what fastproxy does with it; `v1_schema` says which key has which.
What does not fit is reported and left out, a misspelt key goes on under the name that was meant, so that one
run finds every mistake.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from fastproxy.config import codes
from fastproxy.config.coverage import IGNORED, REFUSED
from fastproxy.config.tree import Node, Report, closest, describe, did_you_mean, shorten

_HEX = re.compile("(?:[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A value of any form. `refused` and `ignored` say why fastproxy does not act on it, "" without a reason."""

    required: bool = False
    refused: str | None = None
    ignored: str | None = None
    neutral: object = None  # a value that may stand there although the key is refused or ignored

    @property
    def is_acted_on(self) -> bool:
        return self.refused is None and self.ignored is None

    def checked(self, node: Node, report: Report) -> Node | None:
        """The value as far as it fits; None, reported, when it does not."""
        return node


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Kind):
    choices: tuple[str, ...] = ()
    minimum: int = 0
    maximum: int = 1_000_000

    def checked(self, node: Node, report: Report) -> Node | None:
        value = node.value
        if not isinstance(value, str):
            report.error(node, f"expected text in quotes, not {describe(node)}")
            return None
        if self.choices and value not in self.choices:
            hint = did_you_mean(value, self.choices)
            report.error(node, f'"{shorten(value)}" is not possible here{hint or "; use " + ", ".join(self.choices)}')
            return None
        if not self.minimum <= len(value) <= self.maximum:
            words = "may not be empty" if not value else f"may have at most {self.maximum} characters"
            report.error(node, f"this text {words}")
            return None
        return node


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole(Kind):
    minimum: int = 0
    maximum: int = 2**32 - 1

    def checked(self, node: Node, report: Report) -> Node | None:
        value = node.value
        if isinstance(value, float) and value.is_integer():
            node, value = node.with_value(int(value)), int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            report.error(node, f"expected a whole number, not {describe(node)}")
            return None
        if not self.minimum <= value <= self.maximum:
            report.error(node, f"expected a whole number from {self.minimum} to {self.maximum}, not {value}")
            return None
        return node


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(Kind):
    def checked(self, node: Node, report: Report) -> Node | None:
        if isinstance(node.value, bool):
            return node
        report.error(node, f"expected true or false, not {describe(node)}")
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf(Kind):
    item: Kind = Kind()
    minimum: int = 0

    def checked(self, node: Node, report: Report) -> Node | None:
        if not isinstance(node.value, list):
            report.error(node, f"expected a list, not {describe(node)}")
            return None
        if len(node.value) < self.minimum:
            report.error(node, f"this list needs at least {self.minimum} element{'s' if self.minimum > 1 else ''}")
        items = [self.item.checked(item, report) for item in node.value]
        return node.with_value([item for item in items if item is not None])


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOrList(Kind):
    """A value of one kind, or a list of values of another."""

    one: Kind = Kind()
    several: ListOf = ListOf()

    def checked(self, node: Node, report: Report) -> Node | None:
        return (self.several if isinstance(node.value, list) else self.one).checked(node, report)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Kind):
    """An object. In an open one unknown keys are let through with a warning, as Envoy 1.5 lets them through."""

    keys: Mapping[str, Kind] | None = None
    is_open: bool = False

    def checked(self, node: Node, report: Report) -> Node | None:
        if not isinstance(node.value, dict):
            report.error(node, f"expected an object, not {describe(node)}")
            return None
        if self.keys is None:
            return node
        spelt = self._spelt(node, self.keys, report)
        for key, kind in self.keys.items():
            if kind.required and key not in spelt:
                report.error(node, f'the required key "{key}" is missing')
        members = {key: key_value(self.keys[key], member, report) for key, member in spelt.items()}
        damaged = any(member is None and self.keys[key].ignored is None for key, member in members.items())
        return node.with_value({key: member for key, member in members.items() if member is not None}, damaged=damaged)

    def _spelt(self, node: Node, keys: Mapping[str, Kind], report: Report) -> dict[str, Node]:
        """The members by the keys that were meant."""
        known = {key: member for key, member in node.members().items() if key in keys and member.value is not None}
        for key, member in node.members().items():
            if key in keys:
                continue
            if self.is_open:
                report.warning(member, f"{IGNORED}: there is no such key{did_you_mean(key, keys)}", at_key=True)
                continue
            report.error(member, f"there is no such key{did_you_mean(key, keys) or '; remove it'}", at_key=True)
            meant = closest(key, keys)
            if meant is not None and meant not in node.members():
                known[meant] = member
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class Hex(Kind):
    """Bytes in hexadecimal digits."""

    def checked(self, node: Node, report: Report) -> Node | None:
        if isinstance(node.value, str) and _HEX.fullmatch(node.value):
            return node
        report.error(node, f"expected bytes as pairs of hexadecimal digits, not {describe(node)}")
        return None


@dataclass(frozen=True, slots=True)
class Within(Kind):
    """A kind that holds itself; found when it is needed."""

    found: Callable[[], Kind] = Kind

    def checked(self, node: Node, report: Report) -> Node | None:
        return self.found().checked(node, report)


def required(kind: Kind) -> Kind:
    """The same kind for a key that has to be there."""
    return replace(kind, required=True)


def refused(kind: Kind, why: str = "", neutral: object = None) -> Kind:
    """The same kind for a key that would change what happens to requests and is not acted on yet."""
    return replace(kind, refused=why, neutral=neutral)


def ignored(kind: Kind, why: str = "", neutral: object = None) -> Kind:
    """The same kind for a key that has no effect here."""
    return replace(kind, ignored=why, neutral=neutral)


def key_value(kind: Kind, node: Node, report: Report) -> Node | None:
    """The value of a key as far as it fits and is acted on."""
    node_or_none = kind.checked(node, report)
    if kind.is_acted_on:
        return node_or_none
    if node_or_none is not None and (kind.neutral is None or node.value != kind.neutral):
        if kind.refused is not None:
            report.error(node, kind.refused or REFUSED, at_key=True, code=codes.UNSUPPORTED)
        else:
            words = f"{IGNORED}: {kind.ignored}" if kind.ignored else IGNORED
            report.warning(node, words, at_key=True, code=codes.NO_EFFECT)
    return None
