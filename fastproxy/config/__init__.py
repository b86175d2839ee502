"""From a configuration file to the model: file > tree with marks > v3 bootstrap > `model.Configuration`.

A v1 file becomes the v3 shape first, as in Envoy itself, so that there is one path behind it.
"""

from dataclasses import dataclass

from fastproxy.config import build, coverage, lint, rules, source, v3
from fastproxy.config.access_logs import prepare_access_logs
from fastproxy.config.tree import Node, Report
from fastproxy.errors import Problem, Severity
from fastproxy.model import Configuration


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be run, and what its author should know about the file."""

    configuration: Configuration
    warnings: tuple[Problem, ...]


def load(path: str) -> Loaded:
    """Reads a configuration file, v1 or v3, and makes the folders of its access logs.

    Raises ConfigError with every mistake that was found.
    """
    report = Report(path)
    configuration = _configuration(source.read(path, report), report)
    report.raise_errors()
    return Loaded(configuration, report.of(Severity.WARNING))


def _configuration(root: Node, report: Report) -> Configuration:
    if not root.members():
        report.error(root, "this configuration is empty; it needs listeners and clusters")
    tree = _as_v3(root, report)
    bootstrap = v3.parse(tree, report)
    if tree is root or not report.has_errors():  # the rules of v3 would say once more what v1 misses
        rules.check(bootstrap, report)
    coverage.check(bootstrap, report)
    configuration = build.build(bootstrap, report)
    lint.check(bootstrap, configuration, report)
    prepare_access_logs(_access_log_paths(bootstrap), report)
    return configuration


def _as_v3(root: Node, report: Report) -> Node:
    members = root.members()
    if "static_resources" in members or not {"listeners", "cluster_manager"} & set(members):
        return root
    from fastproxy.config import v1

    return v1.translate(root, report)


def _access_log_paths(bootstrap: v3.View) -> list[Node]:
    """Where the file names an access log that will be written."""
    return [
        view.node_of("path")
        for view in bootstrap.walk()
        if view.type_name == "envoy.extensions.access_loggers.file.v3.FileAccessLog"
    ]
