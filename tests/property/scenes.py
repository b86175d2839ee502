"""The end of a world that a hypothesis example has played in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tests.unit.engine_world import World


class Scene(Protocol):
    world: World


@contextmanager
def ended(scene: Scene) -> Iterator[None]:
    """Close the world, and have nothing of it left: a collector may take its counters before who reads them."""
    try:
        yield
        scene.world.close()
    finally:
        scene.world.engine.close()
        vars(scene.world).clear()
        vars(scene).clear()
