cimport cython
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    NO_HOST = 0xFFFFFFFF

cdef uint64_t xx_hash_64(const char *data, size_t length, uint64_t seed) noexcept nogil
cdef uint64_t murmur_hash_2(const char *data, size_t length) noexcept nogil


@cython.final
cdef class Ring:
    cdef readonly Py_ssize_t size
    cdef uint64_t *hashes
    cdef uint32_t *hosts

    cdef size_t position(self, uint64_t request_hash) noexcept nogil
    cdef uint32_t choose(self, uint64_t request_hash, uint32_t attempt) noexcept nogil
    cdef int fill(self, list keys, list ends, bint murmur) except -1
