"""Who is asking, as far as the configuration trusts what is said about it."""

cimport cython

from fastproxy.addresses cimport CidrRange, PeerAddress
from fastproxy.http1 cimport Head
from fastproxy.slices cimport Slice

cdef struct Detection:
    Slice header_name  # empty: x-forwarded-for
    int hops
    bint is_trusted


@cython.final
cdef class ClientAddresses:
    cdef list names
    cdef Detection *detections
    cdef CidrRange *internal
    cdef int detection_count
    cdef int internal_count
    cdef int hops
    cdef bint use_remote_address

    cdef bint find(self, const Head *head, const PeerAddress *peer, PeerAddress *remote) noexcept nogil
    cdef bint detect(self, const Head *head, PeerAddress *remote) noexcept nogil
