"""The kinds of values in a v1 file: what fits, what is said of what does not."""

import json

import pytest

from fastproxy.config.coverage import REFUSED
from fastproxy.config.tree import plain
from fastproxy.config.v1_kinds import Flag, Kind, ListOf, Table, Text, Whole, ignored, refused, required
from tests.unit.config_files import errors, tree, warnings


def checked(kind, value):
    root, report = tree(json.dumps(value))
    found = kind.checked(root, report)
    return (None if found is None else plain(found)), errors(report), warnings(report)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Text(), ""),
        (Text(choices=("a", "b")), "b"),
        (Whole(), 0),
        (Flag(), False),
        (ListOf(item=Whole()), [1, 2]),
        (Table(), {"anything": 1}),
        (Table(keys={"a": Flag()}), {}),
        (Kind(), None),
    ],
)
def test_what_fits_stays(kind, value):
    assert checked(kind, value) == (value, [], [])


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (Text(), 1, "expected text in quotes, not the number 1"),
        (Text(minimum=1), "", "this text may not be empty"),
        (Text(maximum=3), "four", "this text may have at most 3 characters"),
        (Text(choices=("static", "strict_dns")), "statc", '"statc" is not possible here; did you mean "static"?'),
        (Text(choices=("a", "b")), "zzz", '"zzz" is not possible here; use one of a, b'),
        (Whole(), "1", 'expected a whole number, not the text "1"'),
        (Whole(), True, "expected a whole number, not true"),
        (Whole(), 1.5, "expected a whole number, not the number 1.5"),
        (Whole(minimum=1, maximum=5), 6, "expected a whole number from 1 to 5, not 6"),
        (Flag(), 1, "expected true or false, not the number 1"),
        (ListOf(), {}, "expected a list, not an object"),
        (Table(), [], "expected an object, not a list"),
        (Table(keys={}), [], "expected an object, not a list"),
    ],
)
def test_what_does_not_fit_is_left_out(kind, value, message):
    assert checked(kind, value) == (None, [("", message)], [])


def test_a_whole_number_may_be_written_with_a_point():
    assert checked(Whole(), 3.0) == (3, [], [])


def test_a_short_list():
    assert checked(ListOf(minimum=1), []) == ([], [("", "this list needs at least 1 element")], [])


def test_elements_that_do_not_fit_are_left_out():
    assert checked(ListOf(item=Whole()), [1, "x", 3]) == (
        [1, 3],
        [("[1]", 'expected a whole number, not the text "x"')],
        [],
    )


def test_a_missing_key():
    assert checked(Table(keys={"a": required(Text())}), {}) == ({}, [("", 'the required key "a" is missing')], [])
    assert checked(Table(keys={"a": required(Text())}), {"a": None})[1] == [("", 'the required key "a" is missing')]


def test_a_misspelt_key_goes_on_under_the_name_that_was_meant():
    kind = Table(keys={"cluster": required(Text())})
    assert checked(kind, {"clutser": 5})[1] == [
        ("clutser", 'there is no such key; did you mean "cluster"?'),
        ("clutser", "expected text in quotes, not the number 5"),
    ]
    assert checked(kind, {"clutser": "x"})[0] == {"cluster": "x"}


def test_an_unknown_key():
    keys = {f"key_{letter * 9}": Text() for letter in "abcdefghijklmn"}
    assert checked(Table(keys=keys), {"x": 1})[1] == [("x", "there is no such key; remove it")]


def test_an_open_table_warns_of_unknown_keys():
    found, mistakes, warned = checked(Table(keys={"a": Flag()}, is_open=True), {"a": True, "b": 1})
    assert (found, mistakes) == ({"a": True}, [])
    assert warned == [("b", "has no effect here: there is no such key; use one of a")]


def test_refused_and_ignored_keys():
    keys = {
        "a": refused(Flag(), neutral=False),
        "b": refused(Flag(), "why"),
        "c": ignored(Flag(), "why"),
        "d": ignored(Flag()),
    }
    assert checked(Table(keys=keys), dict.fromkeys("abcd", True)) == (
        {},
        [("a", REFUSED), ("b", "why")],
        [("c", "has no effect here: why"), ("d", "has no effect here")],
    )
    assert checked(Table(keys=keys), {"a": False}) == ({}, [], [])
    assert checked(Table(keys=keys), {"a": 1})[1] == [("a", "expected true or false, not the number 1")]


def test_damage_is_marked_for_what_was_reported_only():
    kind = Table(keys={"a": Whole(), "b": ignored(Whole()), "c": refused(Whole())})
    for value, damaged in (({"a": "x"}, True), ({"b": 1}, False), ({"c": 1}, True), ({"a": 1}, False)):
        root, report = tree(json.dumps(value))
        found = kind.checked(root, report)
        assert found is not None
        assert found.damaged is damaged
