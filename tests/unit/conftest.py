"""Worlds: an engine between sockets of the test. After the test nothing may be left of what went through it."""

from typing import Any

import pytest

from tests.unit.engine_world import World


@pytest.fixture
def worlds():
    """`worlds(nodes, **settings)` makes a World; closed, and its gauges looked at, when the test has passed."""
    made: list[World] = []

    def make(nodes: int = 1, **settings: Any) -> World:
        made.append(World(nodes, **settings))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(worlds):
    return worlds()
