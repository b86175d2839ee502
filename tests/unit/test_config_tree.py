"""Nodes keep their places, paths read well, suggestions hit what was meant."""

import pytest

from fastproxy.config.tree import (
    Node,
    Report,
    because,
    closest,
    describe,
    did_you_mean,
    member_path,
    plain,
    shorten,
    words,
    wrap,
)
from fastproxy.errors import ConfigError, Severity


def node(value, line=3, column=5, path="a.b"):
    return Node(value, line, column, path, line, column - 2)


def test_get_treats_null_as_absent():
    members = node({"x": node(1), "y": node(None)})
    assert members.get("x") is members.members()["x"]
    assert members.get("y") is None
    assert members.get("z") is None
    assert node([1]).get("x") is None


def test_walk_visits_everything_in_order():
    tree = node({"a": node([node(1), node(2)]), "b": node("x")})
    assert [below.value for below in tree.walk() if not isinstance(below.value, dict | list)] == [1, 2, "x"]


def test_absent_has_the_place_of_the_mapping_and_the_path_of_the_key():
    absent = node({}).absent("c")
    assert (absent.value, absent.line, absent.column, absent.path) == (None, 3, 5, "a.b.c")


def test_damage_stays():
    damaged = node({}).with_value({}, damaged=True)
    assert damaged.with_value([]).damaged
    assert not node({}).with_value([]).damaged


def test_wrap_gives_plain_values_the_place_of_their_origin_and_leaves_none_out():
    inner = node("kept", line=9, path="elsewhere")
    tree = wrap(node(0), {"a": [1, inner], "b": None})
    assert plain(tree) == {"a": [1, "kept"]}
    first, second = tree.members()["a"].items()
    assert (first.line, first.path) == (3, "a.b")
    assert second is inner


@pytest.mark.parametrize(
    ("path", "key", "expected"),
    [("", "a", "a"), ("a", "b", "a.b"), ("a", "b.c", 'a["b.c"]'), ("a", "", 'a[""]')],
)
def test_member_path(path, key, expected):
    assert member_path(path, key) == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        ({}, "an object"),
        ([], "a list"),
        (True, "true"),
        (False, "false"),
        ("x", 'the text "x"'),
        (1.5, "the number 1.5"),
    ],
)
def test_describe(value, words):
    assert describe(node(value)) == words


def test_shorten_fits_one_line_of_a_terminal():
    assert shorten("a\nb\x1b") == "a\\x0ab\\x1b"
    assert len(shorten("x" * 500)) == 60


def test_suggestions():
    known = words("cluster cluster_header prefix")
    assert closest("clutser", known) == "cluster"
    assert closest("CLUSTER", known) == "cluster"
    assert closest("zzz", known) is None
    assert did_you_mean("clutser", known) == '; did you mean "cluster"?'
    assert did_you_mean("zzz", known) == "; use one of cluster, cluster_header, prefix"
    assert did_you_mean("zzz", map(str, range(13))) == ""


def test_report_sorts_and_tells_errors_from_warnings():
    report = Report("f.json")
    report.warning(node(0), "w")
    assert not report.has_errors()
    report.raise_errors()
    report.error(node(0, line=9), "second")
    report.error(node(0), "first", at_key=True)
    report.error(node(0), "first", at_key=True)
    assert [str(problem) for problem in report.of(Severity.ERROR)] == [
        "f.json:3:3: a.b: first",
        "f.json:9:5: a.b: second",
    ]
    assert [problem.message for problem in report.of(Severity.WARNING)] == ["w"]
    with pytest.raises(ConfigError) as caught:
        report.raise_errors()
    assert len(caught.value.problems) == 2


def test_fatal_carries_what_was_found_before():
    report = Report("f.json")
    report.error(node(0), "before")
    assert [problem.message for problem in report.fatal("the end").problems] == ["the end", "before"]


def test_one_reason_for_several_fields():
    assert because("why", "a b") == {"a": "why", "b": "why"}
