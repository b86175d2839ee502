"""Configurations in files without names."""

import os
from collections.abc import Iterator

import pytest

from fastproxy import handovers
from fastproxy.handovers import Handover
from fastproxy.model import Cluster, Configuration
from fastproxy.stats import StatsLayout

CONFIGURATION = Configuration(clusters=(Cluster("c" * 100_000),))
HANDOVER = Handover(CONFIGURATION, StatsLayout(CONFIGURATION).state)


@pytest.fixture
def fd() -> Iterator[int]:
    written = handovers.write(HANDOVER)
    yield written
    os.close(written)


def test_what_is_written_can_be_read_by_everybody(fd):
    other = os.dup(fd)
    os.lseek(fd, 7, os.SEEK_SET)
    assert handovers.read(fd) == handovers.read(other) == HANDOVER
    os.close(other)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"":"Configuration"}'])
def test_what_is_no_handover_is_an_error(data):
    fd = handovers.write_bytes("test", data)
    with pytest.raises((ValueError, KeyError, TypeError)):
        handovers.read(fd)
    os.close(fd)


def test_nobody_can_change_what_was_handed_over(fd):
    with pytest.raises(PermissionError):
        os.pwrite(fd, b"x", 0)
    with pytest.raises(PermissionError):
        os.ftruncate(fd, 0)
