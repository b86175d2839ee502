"""Whether a session stayed on one node, judged by what the nodes say of themselves in every answer."""

import re

ANSWER = re.compile(rb"(node#\d+): (.*)", re.DOTALL)


class StickinessError(Exception):
    """A session was seen on a second node, or by a node that did not know it."""


class Stickiness:
    """The nodes of one session. `violation` is the first one, or None."""

    def __init__(self) -> None:
        self._node: str | None = None
        self.answers = 0
        self.has_moved = False
        self.violation: StickinessError | None = None

    @property
    def node(self) -> str | None:
        """The node that answered first."""
        return self._node

    def see(self, answer: object) -> bytes | None:
        """Note who sent this answer; what it says without the node's name, or None when it does not name a node."""
        raw = answer.encode() if isinstance(answer, str) else answer
        found = ANSWER.fullmatch(raw) if isinstance(raw, bytes) else None
        if found is None:
            return None
        self._visit(found[1].decode())
        return found[2]

    def refused(self, status: int) -> None:
        """A request that named the session was not served: where it went, nobody knew the session."""
        self._violate(f"a request with the session's sid was answered {status}")

    def _visit(self, node: str) -> None:
        self.answers += 1
        self._node = self._node or node
        if node != self._node:
            self.has_moved = True
            self._violate("a second node answered inside a session")

    def _violate(self, text: str) -> None:
        self.violation = self.violation or StickinessError(text)
