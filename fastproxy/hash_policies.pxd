"""What of a request a hash policy hashes."""

from libc.stdint cimport uint64_t

from fastproxy.http1 cimport Head
from fastproxy.request_facts cimport RequestFacts
from fastproxy.slices cimport Slice


cdef class HashPolicy:
    cdef readonly bint terminal
    cdef readonly str name  # for people: `header "referer"`

    cdef bint find(self, const RequestFacts *facts, uint64_t *hash, list cookies) except -1
    cdef list values(self, const RequestFacts *facts, list cookies)
    cdef bint read(self, const RequestFacts *facts, char *scratch, Slice *value) noexcept


cdef HashPolicy new_policy(model)
cdef bint read_cookie(const Head *head, const char *name, size_t length, Slice *value) noexcept nogil
cdef bint read_query(Slice path, const char *name, size_t length, Slice *value) noexcept nogil
