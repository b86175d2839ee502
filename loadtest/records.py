"""A line for each session that ended, for whoever has to explain losses: what it stood on, what became of it."""

import json
import os
import time
from dataclasses import asdict, dataclass, field


@dataclass
class Record:
    """Times are Unix seconds. `ports` are all that the client's connections had, `web_socket` is that of its tunnel, on
    which it is since `upgraded`.

    `welcomed` is 0 for a session that never began, `error` says why. `ended` is when the client was done with it, or
    learned that it was lost; `loss` and `detail` are why.
    """

    kind: str
    began: float = field(default_factory=time.time)
    welcomed: float = 0.0
    ended: float = 0.0
    node: str = ""
    ports: list[int] = field(default_factory=list)
    web_socket: int = 0
    upgraded: float = 0.0
    loss: str = ""
    detail: str = ""
    error: str = ""

    def write(self, path: str) -> None:
        """Append it, in one piece."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(descriptor, json.dumps(asdict(self)).encode() + b"\n")
        finally:
            os.close(descriptor)


def read(path: str) -> list[Record]:
    with open(path) as lines:
        return [Record(**json.loads(line)) for line in lines]
