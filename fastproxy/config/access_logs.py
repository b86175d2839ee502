"""Makes sure, before anything listens, that the access logs of a configuration can be written."""

import os
from collections.abc import Iterable

from fastproxy.config.tree import Node, Report


def check_access_logs(nodes: Iterable[Node], report: Report) -> list[tuple[Node, str]]:
    """Reports the paths that cannot be written; `nodes` hold them. All of them, with their nodes."""
    paths = [(node, node.value) for node in nodes if isinstance(node.value, str) and node.value]
    for node, path in paths:
        problem = _problem(path)
        if problem is not None:
            report.error(node, problem)
    return paths


def prepare_access_logs(nodes: Iterable[Node], report: Report) -> None:
    """Creates the missing folders of access logs, too. Nothing is created for a file that has mistakes."""
    paths = check_access_logs(nodes, report)
    if not report.is_refused():
        for node, path in paths:
            _make_folder(node, path, report)


def _problem(path: str) -> str | None:
    """Why an access log cannot be written to this path, as far as can be told without trying."""
    if "\0" in path:
        return "a path may not contain a null character"
    if os.path.isdir(path):
        return f'"{path}" is a directory; name a file for this access log'
    existing = path
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing) or "."
    if existing != path and not os.path.isdir(existing):
        return f'the folder of this access log cannot be made: "{existing}" is no directory; choose another path'
    if not os.access(existing, os.W_OK if existing == path else os.W_OK | os.X_OK):
        return f'"{path}" cannot be written: no permission for "{existing}"; choose another path'
    return None


def _make_folder(node: Node, path: str, report: Report) -> None:
    folder = os.path.dirname(path) or "."
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        reason = f"{error.strerror}; choose another path"
        report.error(node, f'the folder "{folder}" of this access log cannot be made: {reason}')
