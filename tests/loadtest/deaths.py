"""Who had to lose a session when workers and nodes were killed, and who did: the two must be the same."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loadtest import losses
from loadtest.records import Record

AROUND_S = 10.0  # how long a handshake may have been under way when a death met it
NOTICE_S = 5.0  # within which a client notices, if it does not say goodbye by chance


@dataclass(frozen=True)
class Death:
    """`name` is a node's, or a worker's process id; `ports` are the clients' ports of a worker's connections.

    `address` is the node's. It was alive at `before`, and gone at `after` (Unix seconds).
    """

    name: str
    is_node: bool
    before: float
    after: float
    ports: frozenset[int] = frozenset()
    address: str = ""

    def carried(self, record: Record) -> bool:
        """Whether the whole session stood on it: it lived there, or its tunnel went through it."""
        if not record.welcomed or not record.welcomed <= self.before < record.ended:
            return False
        if self.is_node:
            return record.node == self.name
        return 0 < record.upgraded <= self.before and record.web_socket in self.ports

    def explains(self, record: Record, asked: Mapping[int, set[str]]) -> bool:
        """Whether it may have cost this session: anything of it stood there, a poll under way included.

        `asked` are the nodes that requests from a client's port went to.
        """
        if not record.began - AROUND_S < self.before < record.ended:
            return False
        if not self.is_node:
            return bool(self.ports.intersection(record.ports))
        if record.node:
            return record.node == self.name
        return any(self.address in asked.get(port, ()) for port in record.ports)


@dataclass
class Verdict:
    """Sessions by what became of them; `unexplained` and `spared` must stay empty."""

    causes: Counter[str] = field(default_factory=Counter)
    by_death: Counter[str] = field(default_factory=Counter)
    unexplained: list[Record] = field(default_factory=list)
    spared: list[tuple[Death, Record]] = field(default_factory=list)

    @property
    def is_exact(self) -> bool:
        return not self.unexplained and not self.spared


def judged(records: Sequence[Record], deaths: Sequence[Death], asked: Mapping[int, set[str]]) -> Verdict:
    """Each loss explained by a death, and each death's sessions lost."""
    verdict = Verdict()
    for record in records:
        lost = bool(record.loss or record.error)
        cause = next((death for death in deaths if death.explains(record, asked)), None) if lost else None
        verdict.causes[cause_of(record, cause)] += 1
        if cause is not None:
            verdict.by_death[cause.name] += 1
        if lost and (cause is None or record.loss == losses.MOVED):
            verdict.unexplained.append(record)
        if not lost:
            verdict.spared += [
                (death, record) for death in deaths if death.carried(record) and record.ended > death.after + NOTICE_S
            ]
    return verdict


def cause_of(record: Record, death: Death | None) -> str:
    """In the words of the table."""
    if not record.loss and not record.error:
        return "whole"
    if death is None:
        return "unexplained"
    if not record.welcomed:
        return "handshake under way at a killed node" if death.is_node else "handshake under way on a killed worker"
    if death.is_node:
        return "on a killed node"
    return "tunnel on a killed worker" if record.web_socket in death.ports else "poll on a killed worker"
