"""Tells of timers that end a session's polls or tunnels between two heartbeats: each of a route once."""

import logging

from fastproxy.model import RouteMatch
from fastproxy.model_routes import Route
from fastproxy.route_explanation import path_words

MAX_LINES = 100
"""Of one worker. What is told once is not told again after a reload."""
LOG = logging.getLogger("fastproxy.affinity")


class Heartbeats:
    """Of one worker."""

    def __init__(self) -> None:
        self._told: set[tuple[str, RouteMatch, str]] = set()

    def tell(self, route: Route, timer: str, limit_ms: int, heartbeat_s: int) -> None:
        """`timer` ends after `limit_ms`, and a session of this route may be silent for `heartbeat_s`."""
        key = (route.name, route.match, timer)
        if key in self._told or len(self._told) >= MAX_LINES:
            return
        self._told.add(key)
        name = f"route '{route.name}'" if route.name else f"the route for {path_words(route.match)}"
        LOG.warning(
            "%s: %s is %g s, and a session there may be silent for %d s (pingInterval + pingTimeout); "
            "what waits longer is cut",
            name,
            timer,
            limit_ms / 1000,
            heartbeat_s,
        )
