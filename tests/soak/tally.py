"""What came back of all requests, and whether it may: an answer is right, refused by the proxy, cut off, or wrong."""

from collections import Counter
from dataclasses import dataclass, field

from tests.soak.asks import CRASHES, Ask

RIGHT, REFUSED, CUT, WRONG, LOST, LEFT, CROSSED = "right", "refused", "cut", "wrong", "lost", "left", "crossed"
MOST_FAILURES = 50
MOST_REPEATED_BYTES = 3 << 10  # of a body: requests up to 4 KiB are kept to be sent once more
# the outcomes that each fault may have; a stalled answer ends when the client has had enough, or the route's time is up
ALLOWED = {
    "": {RIGHT},
    **{crash: {REFUSED, CUT} for crash in CRASHES},
    "stall": {LEFT, REFUSED, CUT},
    "early": {RIGHT, CUT},
    "leave": {RIGHT},
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`detail` is for who reads a failure."""

    name: str
    detail: str = ""
    node: str = ""
    closes: bool = False
    body: bytes = b""


@dataclass
class Tally:
    """`bytes` are those of all whole bodies of answers; `sessions` those of Engine.IO that were opened."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    failed: int = 0
    bytes: int = 0
    sessions: int = 0
    messages: int = 0
    leaves: int = 0

    def note(self, kind: str, ask: Ask, outcome: Outcome) -> None:
        """Count it; a failure if this may not come of that."""
        name = outcome.name
        self.leaves += ask.fault == "leave"
        if name not in ALLOWED[ask.fault] and is_crossed(ask, kind, outcome):
            name = CROSSED
        elif name not in ALLOWED[ask.fault]:
            self.fail(f"{kind}: {name} {outcome.detail} of {ask}")
        self.outcomes[kind, name] += 1

    def fail(self, what: str) -> None:
        self.failed += 1
        if len(self.failures) < MOST_FAILURES:
            self.failures.append(what)

    def total(self, name: str) -> int:
        return sum(count for (_, outcome), count in self.outcomes.items() if outcome == name)

    def table(self) -> str:
        """A row for each kind, a column for each outcome."""
        kinds = sorted({kind for kind, _ in self.outcomes})
        columns = [RIGHT, REFUSED, CUT, LEFT, CROSSED, LOST, WRONG]
        rows = [["", *columns]] + [[kind, *(str(self.outcomes[kind, each]) for each in columns)] for kind in kinds]
        return "\n".join(kind.ljust(12) + "".join(cell.rjust(10) for cell in cells) for kind, *cells in rows)


def is_crossed(ask: Ask, kind: str, outcome: Outcome) -> bool:
    """A node closed a kept connection without a word while a request was on its way to it that must not be sent twice.

    How many there are is bounded by how often nodes were asked to leave.
    """
    may_not_repeat = ask.method == "POST" or kind == "session" or ask.body > MOST_REPEATED_BYTES
    return may_not_repeat and outcome.name == REFUSED and outcome.detail.startswith("503")
