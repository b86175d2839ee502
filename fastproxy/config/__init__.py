"""From a configuration file to the model: file > tree with marks > v3 bootstrap > `model.Configuration`.

A v1 file becomes the v3 shape first, as in Envoy itself, so that there is one path behind it.
"""

from dataclasses import dataclass

from fastproxy.config import build, codes, coverage, lint, rules, source, v3
from fastproxy.config.access_logs import check_access_logs, prepare_access_logs
from fastproxy.config.tree import Node, Report
from fastproxy.errors import ConfigError, Problem, Severity
from fastproxy.model import Configuration

CONFIG_YAML = "--config-yaml"
"""Stands for the name of a file in messages about what the command line brought along."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be run, and what its author should know about the file."""

    configuration: Configuration
    warnings: tuple[Problem, ...]


def load(path: str, config_yaml: str = "", *, strict: bool = False, allow_unknown: bool = False) -> Loaded:
    """Reads a configuration file, v1 or v3, and makes the folders of its access logs.

    `config_yaml` is YAML that is merged over the file, or all there is when `path` is empty. Raises ConfigError with
    every mistake that was found; to a strict reader a warning is a mistake.
    """
    report = Report(path or CONFIG_YAML, strict=strict, allow_unknown=allow_unknown)
    configuration, logs = _read(path, config_yaml, report)
    prepare_access_logs(logs, report)
    report.raise_errors()
    return Loaded(configuration, report.of(Severity.WARNING))


def read(path: str) -> Loaded:
    """As `load`, for whoever only wants to know: nothing is written or made."""
    report = Report(path)
    configuration, logs = _read(path, "", report)
    check_access_logs(logs, report)
    report.raise_errors()
    return Loaded(configuration, report.of(Severity.WARNING))


def check(path: str, config_yaml: str = "", *, allow_unknown: bool = False) -> tuple[Problem, ...]:
    """Every mistake and every warning of a file that `load` would find. Nothing is written or made."""
    report = Report(path or CONFIG_YAML, allow_unknown=allow_unknown)
    try:
        _, logs = _read(path, config_yaml, report)
        check_access_logs(logs, report)
    except ConfigError as error:
        return error.problems + report.of(Severity.WARNING)
    return report.of(Severity.ERROR) + report.of(Severity.WARNING)


def _read(path: str, config_yaml: str, report: Report) -> tuple[Configuration, list[Node]]:
    report.code = codes.SYNTAX
    root = source.read(path, report) if path else None
    if config_yaml or root is None:
        root = _overlaid(root, _config_yaml(config_yaml), report)
    return _configuration(root, report)


def check_bytes(data: bytes, is_json: bool | None = None) -> tuple[Problem, ...]:
    """As `check`, for the contents of a file; None for `is_json` decides by the first character."""
    report = Report("f")
    report.code = codes.SYNTAX
    try:
        _configuration(source.parse_bytes(data, is_json, report), report)
    except ConfigError as error:
        return error.problems + report.of(Severity.WARNING)
    return report.of(Severity.ERROR) + report.of(Severity.WARNING)


def _config_yaml(text: str) -> Node:
    report = Report(CONFIG_YAML)
    report.code = codes.SYNTAX
    root = source.parse(text, False, report)
    report.raise_errors()
    return root


def _overlaid(root: Node | None, over: Node, report: Report) -> Node:
    from envoy.config.bootstrap.v3.bootstrap_pb2 import Bootstrap

    from fastproxy.config import overlay

    over = overlay.marked(over, CONFIG_YAML)
    if root is None:
        return over
    if _is_v1(root):
        report.error(over, "can be put over a v3 file only, and this file is v1; change the file itself")
        return root
    return overlay.merged(root, over, Bootstrap.DESCRIPTOR)


def _configuration(root: Node, report: Report) -> tuple[Configuration, list[Node]]:
    """The configuration, and where the file names an access log that will be written."""
    report.code = codes.SCHEMA
    if not root.members():
        report.error(root, "this configuration is empty; it needs listeners and clusters")
    tree = _as_v3(root, report)
    bootstrap = v3.parse(tree, report)
    if tree is root or not report.has_errors():  # the rules of v3 would say once more what v1 misses
        report.code = codes.RULE
        rules.check(bootstrap, report)
    coverage.check(bootstrap, report)
    report.code = codes.MEANING
    configuration = build.build(bootstrap, report)
    lint.check(bootstrap, configuration, report)
    return configuration, _access_log_paths(bootstrap)


def _is_v1(root: Node) -> bool:
    members = root.members()
    return "static_resources" not in members and bool({"listeners", "cluster_manager"} & set(members))


def _as_v3(root: Node, report: Report) -> Node:
    if not _is_v1(root):
        return root
    from fastproxy.config import v1

    return v1.translate(root, report)


def _access_log_paths(bootstrap: v3.View) -> list[Node]:
    return [
        view.node_of("path")
        for view in bootstrap.walk()
        if view.type_name == "envoy.extensions.access_loggers.file.v3.FileAccessLog"
    ]
