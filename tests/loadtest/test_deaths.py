"""Which losses a death explains, and which sessions it had to cost; and a small run of it all."""

import pytest

from loadtest import losses
from loadtest.records import Record
from tests.loadtest.chaos import Plan, chaos
from tests.loadtest.deaths import Death, judged

NODE = Death("node#1", True, 10.0, 10.1, address="127.0.0.1:1")
WORKER = Death("worker 2", False, 20.0, 20.1, frozenset({7, 8}))
ASKED = {5: {"127.0.0.1:1"}, 6: {"127.0.0.1:2"}}


def record(**fields: object) -> Record:
    known = {"began": 1.0, "welcomed": 2.0, "ended": 100.0, "node": "node#3", "ports": [5, 6]}
    return Record("websocket", **{**known, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "cause"),
    [
        (record(), "whole"),
        (record(node="node#1", loss=losses.CUT, ended=10.2), "on a killed node"),
        (record(ports=[5, 7], loss=losses.CUT, ended=20.2), "poll on a killed worker"),
        (record(ports=[7], web_socket=7, loss=losses.CUT, ended=20.2), "tunnel on a killed worker"),
        (record(welcomed=0.0, node="", error="cannot connect", ended=10.2), "handshake under way at a killed node"),
        (record(welcomed=0.0, node="", ports=[8], error="x", ended=20.2), "handshake under way on a killed worker"),
        (record(node="node#1", loss=losses.CUT, ended=9.0), "unexplained"),  # before anybody died
        (record(loss=losses.CUT, ended=20.2), "unexplained"),  # elsewhere
        (record(welcomed=0.0, node="", ports=[6], error="x", ended=10.2), "unexplained"),
    ],
)
def test_causes(seen, cause):
    verdict = judged([seen], [NODE, WORKER], ASKED)
    assert verdict.causes == {cause: 1}
    assert verdict.is_exact == (cause != "unexplained")


@pytest.mark.parametrize(
    ("seen", "is_spared"),
    [
        (record(node="node#1"), True),
        (record(node="node#1", ended=9.0), False),
        (record(node="node#1", ended=10.5), False),  # its goodbye may have come first
        (record(web_socket=7, upgraded=2.0), True),
        (record(web_socket=7, upgraded=20.5), False),
        (record(web_socket=9, upgraded=2.0), False),
    ],
)
def test_who_has_to_be_lost(seen, is_spared):
    """A session that goes on without what it stood on is a riddle, too."""
    assert judged([seen], [NODE, WORKER], ASKED).is_exact != is_spared


def test_a_session_may_not_move():
    moved = record(node="node#1", loss=losses.MOVED, ended=10.2)
    assert not judged([moved], [NODE], ASKED).is_exact


@pytest.mark.timeout(300)
def test_what_is_lost_is_what_stood_on_the_dead(tmp_path):
    verdict, deaths, text = chaos(Plan(seconds=5, every_s=1, settle_s=1, seed=3), tmp_path)
    assert verdict.is_exact, text
    assert verdict.causes["whole"], text
    assert sum(verdict.by_death.values()), text
    assert {death.is_node for death in deaths} == {True, False}
