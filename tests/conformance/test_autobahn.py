"""What counts as another outcome of a case of the Autobahn suite."""

from tests.conformance.autobahn import DIRECT, PROXIED, differences

GOOD = {"behavior": "OK", "behaviorClose": "OK", "remoteCloseCode": 1000, "duration": 3}


def test_the_same():
    slower = {**GOOD, "duration": 300}
    assert differences({DIRECT: {"1.1.1": GOOD}, PROXIED: {"1.1.1": slower}}) == []


def test_each_difference_is_told():
    worse = {**GOOD, "remoteCloseCode": None}
    found = differences({DIRECT: {"1.1.1": GOOD, "7.1": GOOD}, PROXIED: {"1.1.1": worse, "9.1": GOOD}})
    assert [line.partition(":")[0] for line in found] == ["1.1.1", "7.1", "9.1"]
