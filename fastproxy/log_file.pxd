cimport cython
from libc.stdint cimport uint64_t


@cython.final
cdef class LogFile:
    cdef readonly str path
    cdef readonly uint64_t lines_lost
    cdef int fd
    cdef int kind
    cdef char *buffer
    cdef size_t used
    cdef size_t capacity
    cdef uint64_t *counters  # of all logs together: a block of FilesystemCounter
    cdef uint64_t own_counters[3]  # FILESYSTEM_COUNTERS
    cdef object row  # keeps `counters`
    cdef bint is_stuck
    cdef bint is_inside_line

    cdef int open(self) except -1
    # room for one more line of at most so many bytes, or NULL: then the line is lost and counted
    cdef char *reserve(self, size_t length) noexcept nogil
    # so many bytes were written to the room: one line
    cdef void commit(self, size_t length) noexcept nogil
    cdef void flush_now(self) noexcept nogil
    cdef bint has_room(self, size_t length) noexcept nogil
    cdef ssize_t write_some(self, const char *data, size_t length) noexcept nogil
    cdef size_t chunk(self, const char *data, size_t length) noexcept nogil
    cdef void drop_unfinished(self) noexcept nogil
