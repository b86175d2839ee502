"""Tells of lost sessions in the log: one line each, in a bounded number of lines."""

import logging

LINES_PER_S = 10
LOG = logging.getLogger("fastproxy.affinity")


class LossLog:
    """Of one worker. When a second had more than LINES_PER_S, the first one after it says how many were left out."""

    def __init__(self) -> None:
        self.second = -1
        self.lines = 0
        self.left_out = 0

    def tell(self, now_ms: int, sid: str, what: str) -> None:
        """`sid` is the beginning of the id, never all of it; `what` ends the sentence that it begins."""
        if now_ms // 1000 != self.second:
            self.second = now_ms // 1000
            self.lines = 0
            if self.left_out:
                LOG.info("%d more sids were lost", self.left_out)
                self.left_out = 0
        if self.lines == LINES_PER_S:
            self.left_out += 1
            return
        self.lines += 1
        LOG.info("sid %s.. %s", sid, what)
