"""Whatever is in a file, loading it ends in a configuration or in a ConfigError with places; nothing else."""

import contextlib
import json
import math
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fastproxy import config
from fastproxy.config import json_source, source, yaml_source
from fastproxy.config.tree import Report, plain
from fastproxy.errors import ConfigError
from tests.unit.config_files import V1, V3

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
ROOT = Path(__file__).resolve().parents[2]
REAL = [json.loads((ROOT / name).read_text()) for name in ("envoy.json", "envoy2.json")]
FILES = [json.dumps(document, indent=1) for document in (V1, V3, *REAL)]


def outcome(text: str, is_json: bool) -> config.Loaded | None:
    """The configuration, or None when the text was refused with messages that have a place."""
    report = Report("f")
    refusal = None
    try:
        configuration, _ = config._configuration(source.parse(text, is_json, report), report)
        report.raise_errors()
    except ConfigError as error:
        refusal = error
    if refusal is None:
        return config.Loaded(configuration, ())
    assert refusal.problems
    assert all(problem.line > 0 and problem.column > 0 and problem.message for problem in refusal.problems)
    return None


@settings(deadline=None)
@given(VALUES)
def test_json_reads_what_json_writes(value):
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=2)):
        report = Report("f")
        assert plain(json_source.compose(text, report)) == value
        assert not report.has_errors()


@settings(deadline=None)
@given(VALUES)
def test_yaml_reads_what_yaml_writes(value):
    report = Report("f")
    text = yaml.safe_dump(value, sort_keys=False)
    assert same(plain(yaml_source.compose(text, report)), value)
    assert not report.has_errors()


def same(found: object, value: object) -> bool:
    """Equal, but for the last digit of a float and for numbers that YAML 1.1 alone writes or reads as such."""
    if isinstance(value, dict):
        return isinstance(found, dict) and list(found) == list(value) and all(same(found[k], value[k]) for k in value)
    if isinstance(value, list):
        return isinstance(found, list) and len(found) == len(value) and all(map(same, found, value))
    if isinstance(value, float):
        return isinstance(found, float) and math.isclose(found, value)
    return found == value


@settings(deadline=None)
@given(st.sampled_from(FILES), st.integers(0, 10_000), st.integers(0, 12), TEXT, st.booleans())
def test_any_edit_of_a_good_file(text, at, length, inserted, is_json):
    at %= len(text)
    outcome(text[:at] + inserted + text[at + length :], is_json)


@settings(deadline=None)
@given(st.sampled_from([V1, V3, *REAL]), st.data(), VALUES)
def test_any_value_in_any_place(document, data, value):
    copied = json.loads(json.dumps(document))
    place = copied
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        inside = place[key]
        if not isinstance(inside, dict | list) or not inside or data.draw(st.booleans()):
            break
        place = inside
    place[key] = value
    outcome(json.dumps(copied, indent=1), True)


def places(document: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The way to every value of a document."""
    members = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [path, *(way for key, value in members for way in places(value, (*path, key)))]


def at(document: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


@settings(deadline=None)
@given(st.sampled_from([V1, V3, *REAL]), st.data(), st.sampled_from(["take", "twice", "misspell", "wrap", "elsewhere"]))
def test_any_change_of_a_real_file(document, data, change):
    """A member taken away, doubled, misspelt, put into a list, or replaced by another part of the file."""
    copied = json.loads(json.dumps(document))
    ways = [way for way in places(copied) if way]
    way = data.draw(st.sampled_from(ways))
    parent, key = at(copied, way[:-1]), way[-1]
    if change == "elsewhere":
        parent[key] = json.loads(json.dumps(at(document, data.draw(st.sampled_from(ways)))))
    elif change == "wrap":
        parent[key] = [parent[key]]
    elif isinstance(parent, list):
        parent += [parent[key]] if change == "twice" else []
        del parent[: int(change == "take")]
    else:
        value = parent.pop(key)
        if change != "take":
            parent[key[1:] + key[0]] = value
        if change == "twice":
            parent[key] = value
    outcome(json.dumps(copied, indent=1), True)


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path_factory, data):
    path = Path(tmp_path_factory.getbasetemp()) / "any-bytes"
    path.write_bytes(data)
    with contextlib.suppress(ConfigError):
        config.load(str(path))
