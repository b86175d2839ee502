"""Requests under way, all workers together."""

from array import array

from fastproxy.active_requests import ActiveRequests


def test_the_sum_over_the_workers():
    rows = [memoryview(array("Q", [worker, 10 * worker, 100 * worker])) for worker in (1, 2, 3)]
    active = ActiveRequests(rows, 2, [1, 0])
    assert active.size == 2
    assert active.counts() == (600, [60, 6])
    rows[0][1] += 5
    assert active.counts() == (600, [65, 6])


def test_nothing_is_counted_anywhere():
    assert ActiveRequests([], 0, [0, 0]).counts() == (0, [0, 0])
