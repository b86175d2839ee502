"""How much of something is open for each key, all processes together."""

cimport cython
from libc.stdint cimport int64_t, uint64_t

cdef enum:
    COUNT_LIMITED = -1  # there are as many as there may be
    COUNT_NO_ROOM = -2  # the table cannot take the key


@cython.final
cdef class LiveCounts:
    cdef object owner
    cdef uint64_t *used  # by worker: whether its column was ever written
    cdef uint64_t *keys
    cdef uint64_t *counts  # a column of `slots` for each worker
    cdef uint64_t *own
    cdef uint64_t slots
    cdef int workers
    cdef uint64_t key[2]

    cdef int64_t take(self, const char *key, size_t length, uint64_t most) noexcept nogil
    cdef void give_back(self, int64_t slot) noexcept nogil
    cdef uint64_t total(self, uint64_t slot) noexcept nogil
    cdef uint64_t total_of(self, uint64_t first, uint64_t key) noexcept nogil
    cdef int64_t slot_of(self, uint64_t first, uint64_t key) noexcept nogil
    cdef int64_t claim(self, uint64_t first, uint64_t key) noexcept nogil
