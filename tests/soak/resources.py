"""What the proxy's processes hold: descriptors and memory."""

import contextlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FIGURE = re.compile(r"^(\w+): +(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Held:
    """`descriptors` by process id; memory is the proportional set size of all together (proc(5), smaps_rollup).

    `own_kib` is what they have allocated, `shared_kib` what lies in memory of them all: the tables, whose pages
    appear as they are used. The rest of `pss_kib` are pages of files.
    """

    descriptors: dict[int, int]
    pss_kib: int = 0
    own_kib: int = 0
    shared_kib: int = 0

    def __str__(self) -> str:
        pss, own, shared = (f"{each / 1024:.1f}" for each in (self.pss_kib, self.own_kib, self.shared_kib))
        return f"{sum(self.descriptors.values())} descriptors, {pss} MiB (own {own}, shared {shared})"


def held(pids: Iterable[int]) -> Held:
    """A process that has ended meanwhile holds nothing."""
    descriptors, figures = {}, {"Pss": 0, "Pss_Anon": 0, "Pss_Shmem": 0}
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            descriptors[pid] = len(os.listdir(f"/proc/{pid}/fd"))
            found = dict(FIGURE.findall(Path(f"/proc/{pid}/smaps_rollup").read_text()))
            for name in figures:
                figures[name] += int(found[name])
    return Held(descriptors, *figures.values())


def most(samples: Iterable[Held]) -> Held:
    """The peaks, of each process and of each figure, whenever each was."""
    seen = list(samples)
    peak: dict[int, int] = {}
    for each in seen:
        for pid, count in each.descriptors.items():
            peak[pid] = max(peak.get(pid, 0), count)
    figures = [(each.pss_kib, each.own_kib, each.shared_kib) for each in seen]
    return Held(peak, *map(max, zip(*figures, strict=True)))
