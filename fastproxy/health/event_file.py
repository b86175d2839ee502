"""A file of events: a line of JSON for each, opened for each, so that it can be moved away at any time."""

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

log = logging.getLogger("fastproxy.health")


class EventFile:
    """Events are appended to `path`; without one they are not kept. One that cannot be written is told of once."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._is_broken = False

    def __bool__(self) -> bool:
        return bool(self._path)

    def write(self, event: Mapping[str, Any]) -> None:
        if not self._path:
            return
        try:
            with open(self._path, "a") as file:
                file.write(json.dumps(event, separators=(",", ":")) + "\n")
            self._is_broken = False
        except OSError as error:
            if not self._is_broken:
                log.warning("cannot write to %s: %s", self._path, error.strerror)
            self._is_broken = True


def timestamp(now_s: float) -> str:
    """A time in seconds since 1970 as Protobuf writes it in JSON, to the millisecond."""
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now_s))
    return f"{seconds}.{int(now_s * 1000) % 1000:03d}Z"
