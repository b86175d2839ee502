"""JSON by the letter of RFC 8259, each mistake with its line and column."""

import json

import pytest

from fastproxy.config import json_source
from fastproxy.config.tree import Report, plain
from fastproxy.errors import ConfigError, Severity


def mistake(text):
    with pytest.raises(ConfigError) as caught:
        json_source.compose(text, Report("f"))
    problem = caught.value.problems[0]
    return problem.line, problem.column, problem.message


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '{"a": [1, -2.5, 1e3, true, false, null, "x\\n\\u00e9\\ud83d\\ude00\\/"]}',
        '\t{\r\n"a" :\n[ ] , "b":{"":0}}\n',
        '"' + "k" * 5000 + '"',
    ],
)
def test_reads_what_json_reads(text):
    assert plain(json_source.compose(text, Report("f"))) == json.loads(text)


def test_marks_and_paths():
    root = json_source.compose('{\n  "a": [\n    {"b.c": 1}]}', Report("f"))
    one = root.members()["a"].items()[0].members()["b.c"]
    assert (one.line, one.column, one.key_line, one.key_column) == (3, 13, 3, 6)
    assert one.path == 'a[0]["b.c"]'
    assert (root.line, root.column, root.path) == (1, 1, "")


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('{"a": 1,}', 1, 9, "remove the comma"),
        ("[1,\n]", 2, 1, "remove the comma"),
        ('{"a": 1\n "b": 2}', 2, 2, 'expected "," or the "}" that closes the object of line 1'),
        ("[1 2]", 1, 4, 'expected "," or the "]" that closes the list of line 1'),
        ("{'a': 1}", 1, 2, "expected a key in double quotes"),
        ("{a: 1}", 1, 2, "found 'a'"),
        ('{"a" 1}', 1, 6, 'expected ":" after the key "a"'),
        ('{"a": }', 1, 7, "expected a value"),
        ('{"a": yes}', 1, 7, "found 'yes'"),
        ('{"a": ', 1, 7, "found the end of the file"),
        ('{"a": 1', 1, 8, "found the end of the file"),
        ("{} x", 1, 4, "more text"),
        ('{\n// why\n"a": 1}', 2, 1, "no comments"),
        ('{"a": /* why */ 1}', 1, 7, "no comments"),
        ('{"a": "x}', 1, 7, "no closing quote"),
        ('["' + "x" * 1000, 1, 2, "no closing quote"),
        ('["' + "x\\n" * 1000 + "\n", 1, 3003, "control character"),
        ('{"a": "x\ny"}', 1, 9, "control character"),
        ('{"a": "\\q"}', 1, 8, "invalid \\escape"),
        ('"\\ud800"', 1, 1, "surrogate"),
        ("01", 1, 1, "expected a value"),
        ("1.", 1, 1, "expected a value"),
        ("9" * 40, 1, 1, "expected a value"),
        ("[" * 102 + "]" * 102, 1, 102, "nested deeper than 100 levels"),
    ],
)
def test_mistakes(text, line, column, words):
    found = mistake(text)
    assert found[:2] == (line, column)
    assert words in found[2]


def test_a_key_that_stands_twice_is_reported_and_reading_goes_on():
    report = Report("f")
    root = json_source.compose('{"a": 1,\n "a": 2, "b": 3}', report)
    assert plain(root) == {"a": 1, "b": 3}
    assert [str(p) for p in report.of(Severity.ERROR)] == ["f:2:2: a: this key stands twice, first on line 1"]
