"""Which pages may use a route, by the Origin that their browsers name."""

from fastproxy.http1 cimport Head
from fastproxy.slices cimport Slice


cdef class OriginPattern:
    cdef bytes start  # all of an origin, or of one below a name what stands before that name's first label
    cdef bytes end
    cdef bint is_below  # `end` stands behind one label or more

    cdef bint fits(self, Slice origin) noexcept


cdef class OriginPolicy:
    cdef readonly object model  # model_routes.OriginPolicy
    cdef tuple patterns  # OriginPattern
    cdef bint is_required  # by a handshake
    cdef bint any
    cdef bint same

    cdef bint admits(self, const Head *head, bint is_handshake, bint is_engine_io) noexcept
    cdef bint lists(self, const Head *head, Slice origin) noexcept
