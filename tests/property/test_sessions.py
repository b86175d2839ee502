"""The session table against a dictionary: any sequence of learning, finding, forgetting and passing time."""

import mmap

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fastproxy._sessions import SessionTable

SIDS = st.binary(max_size=40)
HOST = st.integers(0, 2**32 - 1)
TTL_S = st.integers(1, 60)


class TableAgainstDictionary(RuleBasedStateMachine):
    """Large enough that nothing is displaced: then the table is a dictionary with expiries."""

    @initialize(key=st.binary(min_size=16, max_size=16))
    def start(self, key: bytes) -> None:
        self.table = SessionTable(mmap.mmap(-1, 64 * 4096), key)
        self.known: dict[bytes, tuple[int, int]] = {}
        self.now_s = 1

    def live(self, sid: bytes) -> int | None:
        host, expiry_s = self.known.get(sid, (0, 0))
        return host if expiry_s > self.now_s else None

    @rule(sid=SIDS, host=HOST, ttl_s=TTL_S)
    def learn(self, sid: bytes, host: int, ttl_s: int) -> None:
        assert self.table.put(sid, host, self.now_s, ttl_s) == 0
        self.known[sid] = (host, self.now_s + ttl_s)

    @rule(sid=SIDS)
    def find_any(self, sid: bytes) -> None:
        assert self.table.get(sid, self.now_s) == self.live(sid)

    @rule(data=st.data(), ttl_s=st.integers(0, 60))
    def find_known(self, data: st.DataObject, ttl_s: int) -> None:
        sid = data.draw(st.sampled_from(sorted(self.known) or [b""]))
        assert self.table.get(sid, self.now_s, ttl_s) == self.live(sid)
        if ttl_s and self.live(sid) is not None:
            host, expiry_s = self.known[sid]
            self.known[sid] = (host, max(expiry_s, self.now_s + ttl_s))

    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        sid = data.draw(st.sampled_from(sorted(self.known) or [b""]))
        assert self.table.drop(sid) == (self.known.pop(sid, None) is not None)
        assert self.table.get(sid, self.now_s) is None

    @rule(passed_s=st.integers(1, 40))
    def wait(self, passed_s: int) -> None:
        self.now_s += passed_s

    @invariant()
    def counts_what_lives(self) -> None:
        if hasattr(self, "table"):
            assert self.table.count(self.now_s) == sum(self.live(sid) is not None for sid in self.known)


class CrowdedTable(RuleBasedStateMachine):
    """So small that entries are displaced all the time: an answer may be missing, never wrong, never expired."""

    @initialize(key=st.binary(min_size=16, max_size=16))
    def start(self, key: bytes) -> None:
        self.table = SessionTable(mmap.mmap(-1, 64 * 2), key)
        self.known: dict[bytes, tuple[int, int]] = {}
        self.now_s = 1

    @rule(sid=SIDS, host=HOST, ttl_s=TTL_S)
    def learn(self, sid: bytes, host: int, ttl_s: int) -> None:
        lived = self.table.count(self.now_s)
        known = self.table.get(sid, self.now_s) is not None
        displaced = self.table.put(sid, host, self.now_s, ttl_s)
        assert displaced in (0, 1)
        assert self.table.count(self.now_s) == lived + (not displaced and not known)
        assert self.table.get(sid, self.now_s) == host
        self.known[sid] = (host, self.now_s + ttl_s)

    @rule(passed_s=st.integers(1, 20))
    def wait(self, passed_s: int) -> None:
        self.now_s += passed_s

    @invariant()
    def never_wrong(self) -> None:
        for sid, (host, expiry_s) in getattr(self, "known", {}).items():
            found = self.table.get(sid, self.now_s)
            assert found is None or (found == host and expiry_s > self.now_s)


test_table_against_dictionary = TableAgainstDictionary.TestCase
test_crowded_table = CrowdedTable.TestCase
