"""What Engine.IO clients write in the query of their requests."""

from fastproxy.slices cimport Slice

cdef enum:
    MAX_SID = 128

cdef struct EngineIo:
    bint is_engine_io  # the query has `EIO`
    bint is_polling  # `transport=polling`
    bint is_version_4  # `EIO=4`
    Slice sid  # empty: none, or not a plausible one


cdef bint is_plausible(const char *sid, size_t length) noexcept nogil
cdef void read_query(EngineIo *result, Slice target) noexcept nogil
