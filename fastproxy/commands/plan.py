"""`fastproxy plan OLD NEW`: what a reload would change, before it is done."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from fastproxy import config
from fastproxy.changes import Change, Changes, Movement, compare
from fastproxy.errors import ConfigError
from fastproxy.logs import escape
from fastproxy.options import Parser

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def run(arguments: Sequence[str]) -> int:
    """Exit status 0 when both files can be used, 1 when one cannot."""
    options = _parser().parse_args(arguments)
    try:
        old, new = (config.read(file).configuration for file in (options.old, options.new))
    except ConfigError as error:
        print("\n".join(map(escape, str(error).splitlines())), file=sys.stderr)
        return 1
    changes = compare(old, new)
    print(json.dumps(asdict(changes), indent=2) if options.format == "json" else as_text(changes))
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="fastproxy plan",
        description="Tells what a reload would change: listeners, routes, clusters, and the share of keys that move.",
    )
    parser.add_argument("old", metavar="OLD", help="the configuration as it is")
    parser.add_argument("new", metavar="NEW", help="the configuration to come")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text for people, json for programs")
    return parser


def as_text(changes: Changes) -> str:
    """For people: one line for each thing, what is different about it below."""
    if changes.is_empty:
        return "nothing changes"
    found = (*changes.listeners, *changes.routes, *changes.clusters, *changes.server)
    lines = [line for each in found for line in _change_lines(each)]
    for movement in changes.movements:
        lines += _movement_lines(movement)
    return "\n".join(map(escape, lines))


def _change_lines(change: Change) -> Iterator[str]:
    yield f"{_SIGNS[change.kind]} {change.what}"
    yield from (f"    {detail}" for detail in change.details)


def _movement_lines(movement: Movement) -> Iterator[str]:
    yield f"  cluster '{movement.cluster}': {movement.moved:.1%} of the keys move to another host"
    for host, before, after in movement.per_host:
        yield f"    {host}: {before:.1%} > {after:.1%} of the keys"
