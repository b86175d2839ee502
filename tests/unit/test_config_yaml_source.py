"""YAML as Envoy reads it: JSON's kinds of values, no merge keys, bounded aliases."""

import pytest

from fastproxy.config import yaml_source
from fastproxy.config.tree import Report, plain
from fastproxy.errors import ConfigError, Severity


def compose(text):
    report = Report("f.yaml")
    return yaml_source.compose(text, report), report


def mistake(text):
    with pytest.raises(ConfigError) as caught:
        yaml_source.compose(text, Report("f.yaml"))
    problem = caught.value.problems[0]
    return problem.line, problem.column, problem.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-7", -7),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("off", False),
        ("~", None),
        ("null", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("1:30", "1:30"),
        ("2017-11-13", "2017-11-13"),
        ("1_000", "1_000"),
        ("0.25s", "0.25s"),
        ("v1.2.3", "v1.2.3"),
        ("|\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_scalars(text, value):
    found = plain(compose(f"a: {text}")[0])["a"]
    assert found == value
    assert type(found) is type(value)


def test_marks_and_paths():
    root, _ = compose("a:\n  - b: 1\n    c: [x, y]\n")
    c = root.members()["a"].items()[0].members()["c"]
    assert (c.line, c.column, c.key_line, c.key_column, c.path) == (3, 8, 3, 5, "a[0].c")
    assert c.items()[1].path == "a[0].c[1]"


def test_aliases_become_copies_with_paths_of_their_own():
    root, _ = compose("a: &x {k: 1}\nb: *x\n")
    assert plain(root) == {"a": {"k": 1}, "b": {"k": 1}}
    assert root.members()["b"].members()["k"].path == "b.k"


def test_aliases_are_bounded():
    bomb = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9))
    assert "once every alias is written out" in mistake(bomb)[2]


def test_an_alias_of_itself_ends():
    assert "nested deeper" in mistake("a: &a [*a]")[2]


def test_depth_is_bounded():
    assert "nested deeper" in mistake("[" * 150 + "]" * 150)[2]
    assert mistake("[" * 100_000)[2]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: [1,\nb: 2", 3, 1, "not YAML"),
        ("a:\n\t- b", 2, 1, "not YAML"),
        ("? [a]\n: 1", 1, 3, "a key has to be a text"),
        ("--- 1\n--- 2\n", 2, 1, "not YAML"),
        ("# only a comment\n", 1, 1, "the file is empty"),
        ("a: *b", 1, 4, "not YAML"),
    ],
)
def test_mistakes(text, line, column, words):
    found = mistake(text)
    assert found[:2] == (line, column)
    assert words in found[2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "f.yaml:2:1: a: this key stands twice, first on line 1"),
        ("a: {}\nb:\n  <<: {x: 1}\n", "f.yaml:3:3: b.<<: Envoy knows no merge keys; write the fields out"),
        ("a: !thing 1\n", "f.yaml:1:4: a: the tag !thing means nothing here; remove it"),
        ("a: !!str 1\n", "f.yaml:1:4: a: the tag !!str means nothing here; remove it"),
        ("a:\n  - &x !!map {}\n", "f.yaml:2:5: a[0]: the tag !!map means nothing here; remove it"),
    ],
)
def test_strictness(text, said):
    assert [str(problem) for problem in compose(text)[1].of(Severity.ERROR)] == [said]


def test_a_control_character_is_a_mistake():
    assert mistake("a: 1\nü: \x01") == (2, 4, "not YAML: control characters are not allowed")
