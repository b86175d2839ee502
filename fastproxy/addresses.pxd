"""The addresses of peers, as small as they can be, and as text."""

from libc.stdint cimport uint8_t, uint16_t

from fastproxy.syscalls cimport sockaddr_storage, socklen_t

cdef struct PeerAddress:
    uint8_t ip[16]
    uint16_t port
    uint8_t family  # 4 or 6; 0: the nameless end of a Unix socket


cdef void read_address(PeerAddress *address, sockaddr_storage *source) noexcept nogil
cdef void read_local_address(PeerAddress *address, int fd) noexcept nogil
cdef int format_ip(const PeerAddress *address, char *target, socklen_t size) noexcept nogil
cdef int format_address(const PeerAddress *address, char *target, socklen_t size) noexcept nogil
