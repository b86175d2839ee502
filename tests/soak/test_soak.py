"""Seconds of the soak; `make soak` is five minutes of it."""

import pytest

from tests.soak.soak import Plan, soak


@pytest.mark.timeout(300)
def test_seconds_of_everything_at_once(tmp_path):
    """Nothing wrong, no session lost, nothing left behind; the seed is always the same, the moments are not."""
    report = soak(Plan(seconds=3, seed=7, actors=12, idle=40, most_bytes=128 << 10, reload_s=1), tmp_path)
    assert report.is_clean, report.text()
    assert report.tally.sessions
    assert report.reloads
