"""The addresses of peers, as small as they can be, and as text."""

from libc.stdint cimport uint8_t
from libc.stdio cimport snprintf
from libc.string cimport memcpy, memmove, memset, strlen

from fastproxy.syscalls cimport (
    AF_INET, AF_INET6, AF_UNIX, getsockname, inet_ntop, inet_pton, ntohs, sockaddr, sockaddr_in, sockaddr_in6,
)


cdef void read_address(PeerAddress *address, sockaddr_storage *source) noexcept nogil:
    """Take IP and port out of what the kernel filled in; an IPv4 address mapped into IPv6 becomes IPv4 again."""
    cdef sockaddr_in *v4 = <sockaddr_in *> source
    cdef sockaddr_in6 *v6 = <sockaddr_in6 *> source
    cdef const char *mapped = b"\0\0\0\0\0\0\0\0\0\0\xff\xff"
    cdef int i
    if source.ss_family == AF_INET6:
        address.family = 6
        address.port = ntohs(v6.sin6_port)
        memcpy(address.ip, &v6.sin6_addr, 16)
        for i in range(12):
            if address.ip[i] != <uint8_t> mapped[i]:
                return
        address.family = 4
        memmove(address.ip, address.ip + 12, 4)
    elif source.ss_family == AF_UNIX:
        memset(address, 0, sizeof(PeerAddress))
    else:
        address.family = 4
        address.port = ntohs(v4.sin_port)
        memcpy(address.ip, &v4.sin_addr, 4)


cdef void read_local_address(PeerAddress *address, int fd) noexcept nogil:
    """The address that a socket is bound to; that of a Unix socket where the kernel has none."""
    cdef sockaddr_storage name
    cdef socklen_t length = sizeof(name)
    name.ss_family = AF_UNIX
    getsockname(fd, <sockaddr *> &name, &length)
    read_address(address, &name)


cdef int format_ip(const PeerAddress *address, char *target, socklen_t size) noexcept nogil:
    """Write the IP as text and a NUL, nothing where there is none; the length of the text. `size` is at least 46."""
    cdef char *at = target
    cdef int i
    if address.family == 4:
        for i in range(4):
            if address.ip[i] > 99:
                at[0] = <char> (48 + address.ip[i] // 100)
                at += 1
            if address.ip[i] > 9:
                at[0] = <char> (48 + address.ip[i] // 10 % 10)
                at += 1
            at[0] = <char> (48 + address.ip[i] % 10)
            at[1] = c"."
            at += 2
        (at - 1)[0] = 0
        return <int> (at - 1 - target)
    if address.family == 0:
        target[0] = 0
        return 0
    inet_ntop(AF_INET6, address.ip, target, size)
    return <int> strlen(target)


cdef int format_address(const PeerAddress *address, char *target, socklen_t size) noexcept nogil:
    """Write `ip:port` or `[ip]:port` and a NUL, nothing where there is no IP; the length. `size` is at least 56."""
    cdef char ip[48]
    if format_ip(address, ip, sizeof(ip)) == 0:
        target[0] = 0
        return 0
    if address.family == 4:
        return snprintf(target, size, b"%s:%u", ip, <unsigned> address.port)
    return snprintf(target, size, b"[%s]:%u", ip, <unsigned> address.port)


cdef bint parse_ip(const char *text, size_t length, PeerAddress *address) noexcept nogil:
    """Take an IPv4 or IPv6 address, without port or brackets, out of text; the port is 0. Whether it is one."""
    cdef char terminated[48]
    if length == 0 or length >= sizeof(terminated):
        return False
    memcpy(terminated, text, length)
    terminated[length] = 0
    memset(address, 0, sizeof(PeerAddress))
    address.family = 4
    if inet_pton(AF_INET, terminated, address.ip) == 1:
        return True
    address.family = 6
    return inet_pton(AF_INET6, terminated, address.ip) == 1


cdef bint parse_range(CidrRange *range, bytes text):
    """Read `ip/length`; whether it is a range."""
    ip, _, length = text.partition(b"/")
    if not length.isdigit() or not parse_ip(ip, len(ip), &range.first):
        return False
    range.prefix_length = min(int(length), 32 if range.first.family == 4 else 128)
    return True


cdef bint contains(const CidrRange *range, const PeerAddress *address) noexcept nogil:
    """Whether the address lies in the range."""
    cdef int bits = range.prefix_length
    cdef int i = 0
    if range.first.family != address.family:
        return False
    while bits > 0:
        if (range.first.ip[i] ^ address.ip[i]) >> (8 - bits if bits < 8 else 0):
            return False
        bits -= 8
        i += 1
    return True
