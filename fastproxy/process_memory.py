"""How much memory processes have, from the kernel's tables. Everything is in bytes."""

import mmap
from collections.abc import Iterable
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_CGROUP_1 = _CGROUP / "memory"


def heap_bytes(pids: Iterable[int]) -> int:
    """What these processes hold for themselves: resident pages that are of no file and not shared (proc(5), statm).

    Counters and session table are not in it. What a worker still shares with its parent since the fork is counted for
    both, so this is rather too much than too little. One that has just ended counts nothing.
    """
    return sum(map(_anonymous_bytes, pids))


def _anonymous_bytes(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/statm").read_bytes().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return (int(fields[1]) - int(fields[2])) * mmap.PAGESIZE if len(fields) > 2 else 0


def cgroup_bytes(root: Path = _CGROUP, root_1: Path = _CGROUP_1) -> tuple[int, int]:
    """What the control group that this file system shows uses, and may use; OSError or ValueError where there is none.

    A group without a limit may use all that can be counted.
    """
    if (root / "memory.current").exists():
        used, limit = root / "memory.current", root / "memory.max"
    else:
        used, limit = root_1 / "memory.usage_in_bytes", root_1 / "memory.limit_in_bytes"
    text = limit.read_text().strip()
    return int(used.read_text()), 1 << 63 if text == "max" else int(text)
