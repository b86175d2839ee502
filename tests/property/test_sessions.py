"""The session table against a dictionary: any sequence of learning, finding, forgetting and passing time."""

import mmap
from collections import Counter
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fastproxy._sessions import SessionTable, region_bytes

SIDS = st.binary(max_size=40)
HOST = st.integers(0, 3) | st.integers(0, 2**32 - 1)
LIFETIME_S = st.integers(1, 31) | st.sampled_from([32, 44, 60, 64, 3584])


@dataclass
class Entry:
    digest: int
    lifetime_s: int
    expiry_s: int
    handed: bool = False


class TableAgainstDictionary(RuleBasedStateMachine):
    """Large enough that nothing is displaced: then the table is a dictionary with expiries, and counts its values."""

    @initialize(key=st.binary(min_size=16, max_size=16))
    def start(self, key: bytes) -> None:
        self.table = SessionTable(mmap.mmap(-1, region_bytes(4 * 4096)), key)
        self.known: dict[bytes, Entry] = {}
        self.now_s = 1

    def live(self, sid: bytes) -> Entry | None:
        entry = self.known.get(sid)
        return entry if entry is not None and entry.expiry_s > self.now_s else None

    def some_known(self, data: st.DataObject) -> bytes:
        return data.draw(st.sampled_from(sorted(self.known) or [b""]))

    @rule(sid=SIDS, host=HOST, lifetime_s=LIFETIME_S)
    def learn(self, sid: bytes, host: int, lifetime_s: int) -> None:
        assert self.table.put(sid, host, self.now_s, lifetime_s) == (2 if self.live(sid) else 0)
        self.known[sid] = Entry(host, lifetime_s, self.now_s + lifetime_s)

    @rule(data=st.data(), host=HOST, lifetime_s=LIFETIME_S)
    def learn_again(self, data: st.DataObject, host: int, lifetime_s: int) -> None:
        self.learn(self.some_known(data), host, lifetime_s)

    def find(self, sid: bytes) -> None:
        entry = self.live(sid)
        assert self.table.get(sid, self.now_s) == (None if entry is None else entry.digest)
        if entry is not None:
            entry.expiry_s = self.now_s + entry.lifetime_s

    @rule(sid=SIDS)
    def find_any(self, sid: bytes) -> None:
        self.find(sid)

    @rule(data=st.data())
    def find_known(self, data: st.DataObject) -> None:
        self.find(self.some_known(data))

    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        sid = self.some_known(data)
        assert self.table.drop(sid) == (self.known.pop(sid, None) is not None)
        assert self.table.get(sid, self.now_s) is None

    @rule(data=st.data())
    def hand_over(self, data: st.DataObject) -> None:
        sid = self.some_known(data)
        entry = self.known.get(sid)
        assert self.table.give(sid) == (entry is not None and not entry.handed)
        if entry is not None:
            entry.handed = True

    @rule(passed_s=st.integers(1, 40))
    def wait(self, passed_s: int) -> None:
        self.now_s += passed_s

    @rule()
    def sweep(self) -> None:
        expired = [sid for sid in self.known if self.live(sid) is None]
        assert self.table.sweep(0, self.table.capacity, self.now_s) == len(expired)
        for sid in expired:
            del self.known[sid]

    @invariant()
    def counts_what_lives(self) -> None:
        if hasattr(self, "table"):
            assert self.table.count(self.now_s) == sum(self.live(sid) is not None for sid in self.known)
            counts = Counter(entry.digest for entry in self.known.values() if not entry.handed)
            assert all(self.table.live(entry.digest) == counts[entry.digest] for entry in self.known.values())

    def teardown(self) -> None:
        if hasattr(self, "table"):
            counts = Counter(entry.digest for entry in self.known.values() if not entry.handed)
            assert +Counter(self.table.counts()) == counts


class CrowdedTable(RuleBasedStateMachine):
    """So small that entries are displaced all the time: an answer may be missing, never wrong, never expired."""

    @initialize(key=st.binary(min_size=16, max_size=16))
    def start(self, key: bytes) -> None:
        self.table = SessionTable(mmap.mmap(-1, region_bytes(4 * 2)), key)
        self.known: dict[bytes, tuple[int, int, int]] = {}
        self.now_s = 1

    @rule(sid=SIDS, host=HOST, lifetime_s=LIFETIME_S)
    def learn(self, sid: bytes, host: int, lifetime_s: int) -> None:
        lived = self.table.count(self.now_s)
        known = self.table.get(sid, self.now_s) is not None
        displaced = self.table.put(sid, host, self.now_s, lifetime_s)
        assert displaced in ((2,) if known else (0, 1))
        assert self.table.count(self.now_s) == lived + (displaced == 0)
        assert self.table.get(sid, self.now_s) == host
        self.known[sid] = (host, lifetime_s, self.now_s + lifetime_s)

    @rule(passed_s=st.integers(1, 20))
    def wait(self, passed_s: int) -> None:
        self.now_s += passed_s

    @invariant()
    def never_wrong(self) -> None:
        for sid, (host, lifetime_s, expiry_s) in getattr(self, "known", {}).items():
            found = self.table.get(sid, self.now_s)
            assert found is None or (found == host and expiry_s > self.now_s)
            if found is not None:
                self.known[sid] = (host, lifetime_s, self.now_s + lifetime_s)

    @invariant()
    def nobody_is_counted_twice(self) -> None:
        if hasattr(self, "table"):
            self.table.sweep(0, self.table.capacity, self.now_s)
            hosts = {host for host, _, _ in self.known.values()}
            assert sum(map(self.table.live, hosts)) == self.table.count(self.now_s)


test_table_against_dictionary = TableAgainstDictionary.TestCase
test_crowded_table = CrowdedTable.TestCase
