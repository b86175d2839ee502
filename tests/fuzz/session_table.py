"""A target for atheris: any sequence of operations on the session table, beside a dictionary."""

import mmap

from fastproxy._sessions import SessionTable, region_bytes
from tests.fuzz.fuzzing import fuzz

SLOTS = 4 * 256
IDS = 64  # so few that nothing is displaced
KEY = bytes(16)


def one_input(data: bytes) -> None:
    """Four bytes are one operation: which, on what id, with which host, for how long."""
    table = SessionTable(mmap.mmap(-1, region_bytes(SLOTS)), KEY)
    known: dict[bytes, tuple[int, int, int]] = {}
    now_s = 1
    for at in range(0, min(len(data), 4 * 64) - 3, 4):
        kind, number, host, lifetime_s = data[at : at + 4]
        sid = bytes([number % IDS]) * (number % IDS)
        entry = known.get(sid)
        lives = entry is not None and entry[2] > now_s
        if kind % 5 == 0:
            assert table.put(sid, host, now_s, lifetime_s % 31 + 1) == (2 if lives else 0)
            known[sid] = (host, lifetime_s % 31 + 1, now_s + lifetime_s % 31 + 1)
        elif kind % 5 == 1:
            assert table.get(sid, now_s) == (entry[0] if entry is not None and lives else None)
            if entry is not None and lives:
                known[sid] = (entry[0], entry[1], now_s + entry[1])
        elif kind % 5 == 2:
            assert table.drop(sid) == (known.pop(sid, None) is not None)
        elif kind % 5 == 3:
            now_s += lifetime_s % 40 + 1
        else:
            expired = [each for each, (_, _, expiry_s) in known.items() if expiry_s <= now_s]
            assert table.sweep(0, table.capacity, now_s) == len(expired)
            for each in expired:
                del known[each]
    assert table.count(now_s) == sum(expiry_s > now_s for _, _, expiry_s in known.values())


if __name__ == "__main__":
    fuzz(one_input)
