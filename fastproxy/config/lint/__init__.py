"""Finds what is allowed and yet is not meant, or hurts stateful servers; the file is used all the same.

Each piece of advice has a stable code and a page in docs/lint/. A rule is a function from the scene to advice, in the
`RULES` of its module: to add one, write the function, the row and the page.
"""

from fastproxy.config.lint import affinity, clusters, edge, hashing, routes, sessions
from fastproxy.config.lint.scene import Rule, Scene
from fastproxy.config.tree import Report
from fastproxy.config.v3 import View
from fastproxy.model import Configuration

RULES: dict[str, Rule] = dict(
    sorted((hashing.RULES | sessions.RULES | clusters.RULES | routes.RULES | edge.RULES | affinity.RULES).items())
)


def check(bootstrap: View, configuration: Configuration, report: Report) -> None:
    """Adds the advice of every rule to the report, as warnings."""
    scene = Scene(bootstrap, configuration)
    for code, rule in RULES.items():
        for advice in rule(scene):
            report.warning(advice.node, advice.message, at_key=advice.at_key, code=code)
