"""What the connection manager makes of a request's path and authority before anything looks at them."""

from fastproxy.slices cimport Slice

cdef enum Normalized:
    PATH_PASSES
    PATH_REJECTED  # 400
    PATH_REDIRECTED  # 307 to what the path has become


cdef class Normalization:
    cdef bint normalize_path
    cdef bint merge_slashes
    cdef bint unescapes_slashes
    cdef bint strips_dot
    cdef bint strips_port
    cdef bint strips_any_port
    cdef Normalized when_unescaped
    cdef size_t room  # for a path, and for an authority
    cdef char *text  # what was written, valid until the next request

    cdef Normalized path(self, Slice *path) noexcept nogil
    cdef void authority(self, Slice *authority, int fd) noexcept nogil
    cdef void strip_dot(self, Slice *authority) noexcept nogil
    cdef void strip_port(self, Slice *authority, int fd) noexcept nogil
