"""`fastproxy check FILE...`: every mistake, warning and advice, for people, editors and continuous integration."""

import json
import re
import sys
from collections.abc import Sequence
from typing import Any

from fastproxy import config
from fastproxy.config.codes import page
from fastproxy.errors import Problem, Severity
from fastproxy.logs import escape
from fastproxy.options import Parser

_SENTENCE = re.compile(r'(?:[^";]|"[^"]*"|;(?! ))+')


def run(arguments: Sequence[str]) -> int:
    """Exit status 0 when all files can be used, 1 when one cannot."""
    options = _parser().parse_args(arguments)
    found: dict[str, tuple[Problem, ...]] = {}
    for file in options.files:
        found[file] = config.check(file, options.config_yaml, allow_unknown=options.allow_unknown)
    refused = {file for file, problems in found.items() if is_refused(problems, options.strict)}
    print(_as_json(found, refused) if options.format == "json" else _as_text(found, refused), file=sys.stdout)
    return 1 if refused else 0


def is_refused(problems: Sequence[Problem], strict: bool) -> bool:
    """Whether a file with these problems cannot be used; to a strict reader a warning is reason enough."""
    return any(strict or problem.severity is Severity.ERROR for problem in problems)


def _parser() -> Parser:
    parser = Parser(prog="fastproxy check", description="Tells everything that is wrong with configuration files.")
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="v1 JSON, or v3 JSON or YAML")
    add("--format", choices=("text", "json"), default="text", help="text for people, json for programs")
    add("--strict", action="store_true", help="warnings are mistakes")
    add("--config-yaml", metavar="YAML", default="", help="v3 configuration that is merged over each file")
    add(
        "--allow-unknown-static-fields",
        dest="allow_unknown",
        action="store_true",
        help="warn of unknown v3 fields only",
    )
    return parser


def _as_text(found: dict[str, tuple[Problem, ...]], refused: set[str]) -> str:
    lines: list[str] = []
    for file, problems in found.items():
        lines += [problem.describe() for problem in problems]
        if file not in refused:
            lines.append(f"configuration '{file}' OK")
    return "\n".join(map(escape, lines))


def _as_json(found: dict[str, tuple[Problem, ...]], refused: set[str]) -> str:
    problems = [_members(problem) for each in found.values() for problem in each]
    return json.dumps({"ok": not refused, "refused": sorted(refused), "problems": problems}, indent=2)


def _members(problem: Problem) -> dict[str, Any]:
    """A message says what is wrong and, behind a semicolon, what to do about it."""
    message, fix = divided(problem.message)
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "severity": problem.severity.value,
        "code": problem.code,
        "message": message,
        "fix": fix,
        "docs": page(problem.code) if problem.code else "",
    }


def divided(message: str) -> tuple[str, str]:
    """What is wrong and what to do about it; a semicolon inside quotes divides nothing."""
    first = _SENTENCE.match(message)
    end = first.end() if first else 0
    return (message[:end], message[end + 2 :]) if message[end : end + 2] == "; " else (message, "")
