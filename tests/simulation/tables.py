"""What an edge host remembers, with the rules of the real thing: its sessions."""

from array import array

from tests.simulation.mixing import mixed

SLOTS = 4  # of a bucket; an id may lie in two buckets
SLOT_BYTES = 16
PAGE_SLOTS = 4096 // SLOT_BYTES
LOW = 0xFFFFFFFF


class SessionTable:
    """Ids to nodes, as fastproxy/_sessions.pyx keeps them, save that a full bucket moves nothing to make room.

    An id is a number above 0. What is not found again within its lifetime is free; a new id takes a free slot of the
    emptier of its two buckets, or displaces the entry that would expire first.
    """

    def __init__(self, slots: int) -> None:
        self._buckets = slots // SLOTS
        self._ids = array("I", bytes(4 * slots))
        self._expiries = array("I", bytes(4 * slots))
        self._nodes = array("H", bytes(2 * slots))

    def find(self, sid: int, now_s: int, lifetime_s: int) -> int | None:
        """The node, and the entry lives from now on as if it were new."""
        for start in self._starts(sid):
            bucket = self._ids[start : start + SLOTS]
            if sid in bucket:
                slot = start + bucket.index(sid)
                if self._expiries[slot] > now_s:
                    self._expiries[slot] = now_s + lifetime_s
                    return self._nodes[slot]
        return None

    def learn(self, sid: int, node: int, now_s: int, lifetime_s: int) -> bool:
        """Whether a live entry was displaced."""
        first, second = (self._expiries[start : start + SLOTS] for start in self._starts(sid))
        live = [sum(expiry_s > now_s for expiry_s in bucket) for bucket in (first, second)]
        takes_second = live[1] < live[0] or (live[0] == live[1] == SLOTS and min(second) < min(first))
        bucket = second if takes_second else first
        slot = self._starts(sid)[takes_second] + bucket.index(min(bucket))
        displaces = self._expiries[slot] > now_s
        self._ids[slot] = sid
        self._nodes[slot] = node
        self._expiries[slot] = now_s + lifetime_s
        return displaces

    def live(self, now_s: int) -> int:
        return sum(expiry_s > now_s for expiry_s in self._expiries)

    def memory_bytes(self) -> int:
        """Of the pages that were ever written."""
        starts = range(0, len(self._ids), PAGE_SLOTS)
        return sum(any(self._ids[start : start + PAGE_SLOTS]) for start in starts) * PAGE_SLOTS * SLOT_BYTES

    def _starts(self, sid: int) -> tuple[int, int]:
        tag = mixed(sid, 3)
        return ((tag & LOW) * self._buckets >> 32) * SLOTS, ((tag >> 32) * self._buckets >> 32) * SLOTS
