"""The pieces of a format: every kind that the language has can be written."""

from fastproxy.log_format import SIMPLE, compile_format
from fastproxy.log_operations import KINDS


def test_every_kind_of_operator_can_be_written():
    times = compile_format("%START_TIME(%Y %s %3f)% x %REQ(a)% %RESP(b)%")
    assert {operator.kind for operator in [*SIMPLE.values(), *times]} == set(KINDS)
