"""The addresses of peers, as small as they can be, and as text."""

from libc.stdint cimport uint8_t, uint16_t

from fastproxy.syscalls cimport sockaddr_storage, socklen_t

cdef struct PeerAddress:
    uint8_t ip[16]
    uint16_t port
    uint8_t family  # 4 or 6; 0: the nameless end of a Unix socket

cdef struct CidrRange:  # RFC 4632 section 3.1
    PeerAddress first
    int prefix_length


cdef bint parse_ip(const char *text, size_t length, PeerAddress *address) noexcept nogil
cdef bint parse_range(CidrRange *range, bytes text)
cdef bint contains(const CidrRange *range, const PeerAddress *address) noexcept nogil
cdef void read_address(PeerAddress *address, sockaddr_storage *source) noexcept nogil
cdef void read_local_address(PeerAddress *address, int fd) noexcept nogil
cdef int format_ip(const PeerAddress *address, char *target, socklen_t size) noexcept nogil
cdef int format_address(const PeerAddress *address, char *target, socklen_t size) noexcept nogil
