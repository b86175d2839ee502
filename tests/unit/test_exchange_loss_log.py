"""The log tells of lost sessions, in a bounded number of lines."""

import pytest

from fastproxy.exchange.loss_log import LINES_PER_S, LossLog


@pytest.fixture
def lines(caplog):
    caplog.set_level("INFO", "fastproxy.affinity")
    return lambda: [record.getMessage() for record in caplog.records]


def test_a_line_for_a_session(lines):
    LossLog().tell(1000, "Ab", "was issued by 127.0.0.1:8003, which left 40 s ago")
    assert lines() == ["sid Ab.. was issued by 127.0.0.1:8003, which left 40 s ago"]


def test_what_a_second_has_too_many_of_is_counted(lines):
    log = LossLog()
    for number in range(LINES_PER_S + 7):
        log.tell(5000 + number, "Ab", "is lost")
    assert len(lines()) == LINES_PER_S
    log.tell(6000, "Cd", "is lost")
    assert lines()[LINES_PER_S:] == ["7 more sids were lost", "sid Cd.. is lost"]


def test_nothing_is_said_of_what_was_not_left_out(lines):
    log = LossLog()
    for second in range(3):
        log.tell(second * 1000, "Ab", "is lost")
    assert lines() == ["sid Ab.. is lost"] * 3
