"""Values of our filter's keys: within bounds, or reported with what was expected."""

import pytest

from fastproxy.config.own_values import flag, number, text, whole
from fastproxy.config.tree import Node, Report
from tests.unit.config_files import errors

READS = {
    "flag": (lambda node, report: flag(node, report), "true or false"),
    "whole": (lambda node, report: whole(node, 1, 5, "why", report), "a whole number from 1 to 5 (why)"),
    "number": (lambda node, report: number(node, 0.5, 5, report), "a number from 0.5 to 5"),
    "text": (lambda node, report: text(node, ("a", "b"), report), "a or b"),
}


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [("flag", True, True), ("flag", False, False), ("whole", 1, 1), ("whole", 5.0, 5), ("number", 2, 2.0),
     ("number", 0.5, 0.5), ("text", "b", "b")],
)  # fmt: skip
def test_what_fits(read, value, expected):
    report = Report("")
    assert READS[read][0](Node(value, 1, 1, "a"), report) == expected
    assert errors(report) == []


@pytest.mark.parametrize(
    ("read", "value"),
    [("flag", 1), ("flag", "true"), ("whole", 0), ("whole", 6), ("whole", True), ("whole", "2"), ("number", 0.4),
     ("number", True), ("text", "c"), ("text", 1)],
)  # fmt: skip
def test_what_does_not_fit(read, value):
    report = Report("")
    assert READS[read][0](Node(value, 1, 1, "a"), report) is None
    ((path, message),) = errors(report)
    assert path == "a"
    assert READS[read][1] in message
