"""What the proxy's processes hold: descriptors and memory."""

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Held:
    """`descriptors` by process id; `pss_kib` of all together (proc(5), smaps_rollup)."""

    descriptors: dict[int, int]
    pss_kib: int

    def __str__(self) -> str:
        return f"{sum(self.descriptors.values())} descriptors, {self.pss_kib / 1024:.1f} MiB"


def held(pids: Iterable[int]) -> Held:
    """A process that has ended meanwhile holds nothing."""
    descriptors, pss_kib = {}, 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            descriptors[pid] = len(os.listdir(f"/proc/{pid}/fd"))
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            pss_kib += int(next(line.split()[1] for line in text.splitlines() if line.startswith("Pss:")))
    return Held(descriptors, pss_kib)


def most(samples: Iterable[Held]) -> Held:
    """The peaks, of each process and of the memory, whenever each was."""
    peak: dict[int, int] = {}
    pss_kib = 0
    for each in samples:
        pss_kib = max(pss_kib, each.pss_kib)
        for pid, count in each.descriptors.items():
            peak[pid] = max(peak.get(pid, 0), count)
    return Held(peak, pss_kib)
