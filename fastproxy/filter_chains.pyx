"""Which filter chain of a listener takes a connection, in Envoy's order of conditions.

Destination port, destination IP, direct source IP, source type, source IP, source port: each condition leaves the
chains that say most about the connection, and what a condition has excluded never comes back. A chain that names the
port 443 for some sources thus shadows, for every source, the chains that name no port (Envoy: FilterChainMatch).
"""

from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memset

import ipaddress
import struct

cdef enum:
    ANY
    SAME_IP_OR_LOOPBACK
    EXTERNAL

SOURCE_TYPES = {"ANY": ANY, "SAME_IP_OR_LOOPBACK": SAME_IP_OR_LOOPBACK, "EXTERNAL": EXTERNAL}
RANGES = ("prefix_ranges", "direct_source_prefix_ranges", "source_prefix_ranges")


cdef class FilterChains:
    """The conditions of all chains of one listener."""

    def __cinit__(self, matches):
        self.size = len(matches)
        self.kept = []
        self.conditions = <Conditions *> calloc(self.size + 1, sizeof(Conditions))
        self.left = <bint *> calloc(self.size + 1, sizeof(bint))
        if self.conditions == NULL or self.left == NULL:
            raise MemoryError
        for number, match in enumerate(matches):
            self.add(&self.conditions[<Py_ssize_t> number], match)

    def __dealloc__(self):
        free(self.conditions)
        free(self.left)

    cdef int add(self, Conditions *conditions, object match) except -1:
        cdef bytes packed
        cdef int which
        conditions.destination_port = match.destination_port
        conditions.source_type = SOURCE_TYPES[match.source_type.value]
        conditions.port_count = len(match.source_ports)
        packed = struct.pack(f"={conditions.port_count}H", *match.source_ports)
        self.kept.append(packed)
        conditions.source_ports = <const uint16_t *> <const char *> packed
        for which, name in enumerate(RANGES):
            packed = pack_ranges(getattr(match, name))
            self.kept.append(packed)
            conditions.range_counts[which] = <int> (len(packed) // sizeof(Range))
            conditions.ranges[which] = <const Range *> <const char *> packed
        return 0

    cdef Py_ssize_t find(self, const PeerAddress *local, const PeerAddress *remote) noexcept nogil:
        """The place of the chain that takes a connection, -1: none. Both addresses are as the kernel has them."""
        cdef Py_ssize_t i
        for i in range(self.size):
            self.left[i] = True
        if not self.by_destination_port(local.port):
            return -1
        if not self.by_range(0, local) or not self.by_range(1, remote):
            return -1
        if not self.by_source_type(local, remote) or not self.by_range(2, remote):
            return -1
        return self.by_source_port(remote.port)

    cdef bint by_destination_port(self, uint16_t port) noexcept nogil:
        cdef Py_ssize_t i
        cdef uint16_t wanted = 0
        cdef bint any_left = False
        for i in range(self.size):
            if port and self.conditions[i].destination_port == port:
                wanted = port
        for i in range(self.size):
            self.left[i] = self.conditions[i].destination_port == wanted
            any_left = any_left or self.left[i]
        return any_left

    cdef bint by_range(self, int which, const PeerAddress *address) noexcept nogil:
        """Leave the chains with the longest prefix that fits; False when none fits."""
        cdef Py_ssize_t i
        cdef int length, longest = -1
        for i in range(self.size):
            if self.left[i]:
                longest = max(longest, match_length(
                    self.conditions[i].ranges[which], self.conditions[i].range_counts[which], address))
        for i in range(self.size):
            if self.left[i]:
                length = match_length(
                    self.conditions[i].ranges[which], self.conditions[i].range_counts[which], address)
                self.left[i] = length == longest >= 0
        return longest >= 0

    cdef bint by_source_type(self, const PeerAddress *local, const PeerAddress *remote) noexcept nogil:
        cdef Py_ssize_t i
        cdef int wanted = SAME_IP_OR_LOOPBACK if is_local(local, remote) else EXTERNAL
        cdef bint is_named = False, any_left = False
        for i in range(self.size):
            is_named = is_named or self.left[i] and self.conditions[i].source_type == wanted
        if not is_named:
            wanted = ANY
        for i in range(self.size):
            self.left[i] = self.left[i] and self.conditions[i].source_type == wanted
            any_left = any_left or self.left[i]
        return any_left

    cdef Py_ssize_t by_source_port(self, uint16_t port) noexcept nogil:
        cdef Py_ssize_t i, found = -1
        cdef int each
        for i in range(self.size):
            if not self.left[i]:
                continue
            if self.conditions[i].port_count == 0:
                found = i
            for each in range(self.conditions[i].port_count):
                if port and self.conditions[i].source_ports[each] == port:
                    return i
        return found

    def find_py(self, local, remote):
        """`find` for Python: addresses are pairs of an IP as text and a port, or ("", 0) for a Unix socket."""
        cdef PeerAddress here = address_of(local)
        cdef PeerAddress there = address_of(remote)
        return self.find(&here, &there)


cdef int match_length(const Range *ranges, int count, const PeerAddress *address) noexcept nogil:
    """Bits of the longest range that holds the address; 0 without ranges, -1 when none holds it."""
    cdef int i, whole, rest, longest = -1
    if count == 0:
        return 0
    for i in range(count):
        if ranges[i].family != address.family:
            continue
        whole = ranges[i].length // 8
        rest = ranges[i].length % 8
        if memcmp(ranges[i].ip, address.ip, whole) != 0:
            continue
        if rest and (ranges[i].ip[whole] ^ address.ip[whole]) >> (8 - rest):
            continue
        longest = max(longest, <int> ranges[i].length)
    return longest


cdef bint is_local(const PeerAddress *local, const PeerAddress *remote) noexcept nogil:
    """Whether both ends are on one machine: the same IP, 127.0.0.1, ::1, or a Unix socket."""
    cdef int i
    if remote.family == 0:
        return True
    if remote.family == local.family and memcmp(remote.ip, local.ip, 4 if remote.family == 4 else 16) == 0:
        return True
    if remote.family == 4:
        return memcmp(remote.ip, b"\x7f\0\0\x01", 4) == 0
    for i in range(15):
        if remote.ip[i]:
            return False
    return remote.ip[15] == 1


cdef Range range_of(str text) except *:
    """A CIDR text such as 10.0.0.0/8; bits beyond the prefix are dropped. ValueError."""
    cdef Range found
    cdef bytes packed
    cdef int i
    network = ipaddress.ip_network(text, strict=False)
    packed = network.network_address.packed
    memset(&found, 0, sizeof(Range))
    for i in range(len(packed)):
        found.ip[i] = packed[i]
    found.family = network.version
    found.length = network.prefixlen
    return found


cdef bytes pack_ranges(object texts):
    """Ranges one behind the other, to be read as an array."""
    cdef Range one
    packed = []
    for text in texts:
        one = range_of(text)
        packed.append((<const char *> &one)[:sizeof(Range)])
    return b"".join(packed)


cdef PeerAddress address_of(object pair) except *:
    cdef PeerAddress found
    cdef Range single
    memset(&found, 0, sizeof(PeerAddress))
    if pair[0]:
        single = range_of(pair[0])
        found.ip = single.ip
        found.family = single.family
        found.port = pair[1]
    return found
