"""What a worker remembers of session ids that nobody knew, and for how many more it may ask.

Anybody can make up ids. Each one that nobody knows costs a request to every host of its cluster; this bounds how often.
An id that somebody knows costs nothing: what it was charged is given back.
"""

from libc.stdint cimport uint64_t
from libc.stdlib cimport calloc, free


cdef class UnknownIds:
    """`key` is 64 bits that stand for an id among the hosts of a cluster. All times are of one clock."""

    def __cinit__(self):
        self.slots = <UnknownId *> calloc(SLOTS, sizeof(UnknownId))
        if self.slots == NULL:
            raise MemoryError
        self.allowance = ASKS_AT_ONCE

    def __dealloc__(self):
        free(self.slots)

    cpdef bint has(self, uint64_t key, uint64_t now_ms) noexcept:
        """Whether all hosts have said within the last minute that they do not know this id."""
        cdef UnknownId *slot = &self.slots[key % SLOTS]
        return slot.key == key and now_ms < slot.until_ms

    cpdef void add(self, uint64_t key, uint64_t now_ms) noexcept:
        """All hosts have said so now; this takes the place of an id with the same slot."""
        cdef UnknownId *slot = &self.slots[key % SLOTS]
        slot.key = key
        slot.until_ms = now_ms + REMEMBERED_MS

    cpdef bint may_ask(self, uint64_t now_ms) noexcept:
        """Whether the hosts may be asked for one more id; that is charged."""
        self.allowance += <double> (now_ms - self.refilled_ms) * ASKS_PER_S / 1000
        if self.allowance > ASKS_AT_ONCE:
            self.allowance = ASKS_AT_ONCE
        self.refilled_ms = now_ms
        if self.allowance < 1:
            return False
        self.allowance -= 1
        return True

    cpdef void charge(self) noexcept:
        """An id whose charge was given back was unknown after all."""
        self.allowance -= 1

    cpdef void give_back(self) noexcept:
        """An id that was asked for is somebody's."""
        self.allowance += 1
