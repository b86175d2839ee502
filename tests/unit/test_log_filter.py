"""Which exchanges a filter is for."""

import pytest

from fastproxy.log_filter import LogFilter
from fastproxy.model import LogCondition, LogOperator
from fastproxy.model import LogFilter as Model


def status(operator, value):
    return Model(LogCondition.STATUS, operator, value)


def admitted(model, **facts):
    return LogFilter(model).admits_py(**facts)


@pytest.mark.parametrize(
    ("operator", "admitted_of_three"),
    [
        (LogOperator.EQ, [False, True, False]),
        (LogOperator.GE, [False, True, True]),
        (LogOperator.LE, [True, True, False]),
        (LogOperator.NE, [True, False, True]),
    ],
)
def test_comparisons(operator, admitted_of_three):
    assert [admitted(status(operator, 404), status=each) for each in (403, 404, 405)] == admitted_of_three


def test_a_duration_is_in_milliseconds():
    model = Model(LogCondition.DURATION, LogOperator.GE, 20)
    assert [admitted(model, duration_ms=each) for each in (19, 20)] == [False, True]


def test_flags():
    model = Model(LogCondition.FLAGS, flags=("UF", "NR"))
    assert [admitted(model, flags=each) for each in ((), ("UF",), ("DC", "NR"), ("DC",))] == [False, True, True, False]


def test_no_flag_in_particular_is_any_flag():
    model = Model(LogCondition.FLAGS)
    assert [admitted(model, flags=each) for each in ((), ("DC",))] == [False, True]


def test_a_share():
    model = Model(LogCondition.SHARE, value=250_000)
    count = sum(admitted(model, start_us=1_795_359_538_819_042 + 1000 * each) for each in range(10_000))
    assert 2_300 < count < 2_700
    assert not any(admitted(Model(LogCondition.SHARE), start_us=each) for each in range(100))
    assert all(admitted(Model(LogCondition.SHARE, value=1_000_000), start_us=each) for each in range(100))


def test_and_or_in_one_another():
    """(500 or (at least 400 and not 404))"""
    both = Model(LogCondition.AND, filters=(status(LogOperator.GE, 400), status(LogOperator.NE, 404)))
    model = Model(LogCondition.OR, filters=(status(LogOperator.EQ, 302), both))
    found = {each: admitted(model, status=each) for each in (200, 302, 400, 404, 500)}
    assert found == {200: False, 302: True, 400: True, 404: False, 500: True}


def test_what_follows_a_nested_filter_counts():
    nested = Model(LogCondition.OR, filters=(status(LogOperator.EQ, 1), status(LogOperator.EQ, 2)))
    model = Model(LogCondition.AND, filters=(nested, status(LogOperator.EQ, 2)))
    assert [admitted(model, status=each) for each in (1, 2)] == [False, True]
