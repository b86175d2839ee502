"""What a worker remembers of session ids that nobody knew."""

from libc.stdint cimport uint64_t
from libc.stdlib cimport calloc, free


cdef class UnknownIds:
    """`key` is 64 bits that stand for an id among the hosts of a cluster. All times are of one clock."""

    def __cinit__(self):
        self.slots = <UnknownId *> calloc(SLOTS, sizeof(UnknownId))
        if self.slots == NULL:
            raise MemoryError

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
