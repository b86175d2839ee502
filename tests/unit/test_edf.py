"""Whose turn it is."""

from collections import Counter

import pytest

from fastproxy.edf import Edf
from tests import balancing_twin

WEIGHTS = [[1], [1, 1, 1], [1, 2, 3], [5, 1], [0.5, 0.25, 0.125, 0.125], [3, 3, 1, 7, 7, 2]]


@pytest.mark.parametrize("weights", WEIGHTS)
def test_turns_are_those_of_the_twin(weights):
    edf = Edf(weights)
    taken = [edf.take(weights) for _ in range(200)]
    assert taken == balancing_twin.turns(weights, 200, weights.__getitem__)


def test_everybody_gets_its_share_evenly():
    weights = [1, 2, 3]
    edf = Edf(weights)
    for _ in range(5):
        assert Counter(edf.take(weights) for _ in range(6)) == {0: 1, 1: 2, 2: 3}


def test_a_weight_that_changes():
    edf = Edf([1, 1])
    assert Counter(edf.take([9, 1]) for _ in range(100))[0] > 80


def test_nobody():
    assert Edf([]).take([]) == -1
