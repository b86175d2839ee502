"""The limits of routes and connection managers, made ready for one worker."""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint64_t

from fastproxy.addresses cimport PeerAddress
from fastproxy.affinity_policy cimport Place
from fastproxy.keyed_buckets cimport KeyedBuckets, KeyedRate
from fastproxy.live_counts cimport LiveCounts
from fastproxy.local_rate_limits cimport LocalRateLimit
from fastproxy.request_facts cimport RequestFacts
from fastproxy.token_buckets cimport BucketRate
from fastproxy.tunnel_meters cimport TunnelMeter

cdef struct ClientKey:  # an address as clients are counted by: of IPv6 the network of 64 bits
    uint64_t limit  # which one it is
    uint8_t network[16]


@cython.final
cdef class HandshakeLimit:
    cdef object owner  # of the word
    cdef uint64_t *bucket  # NULL: no limit for all together
    cdef BucketRate rate
    cdef KeyedBuckets buckets
    cdef KeyedRate rate_per_address
    cdef uint64_t address_limit  # 0: no limit by address

    cdef uint64_t wait_ms(self, const PeerAddress *client, uint64_t now_ms, bint *is_crowded) noexcept


@cython.final
cdef class TunnelCounter:
    cdef LiveCounts counts
    cdef Place place  # None: the client's address
    cdef uint64_t limit
    cdef uint64_t most

    cdef int64_t take(self, const RequestFacts *facts) noexcept


@cython.final
cdef class TrafficLimits:
    cdef readonly object model  # model.TrafficLimits
    cdef readonly LocalRateLimit local_rate_limit  # None: none
    cdef readonly uint64_t max_request_bytes  # 0: no limit
    cdef readonly uint64_t max_url_bytes  # likewise
    cdef HandshakeLimit handshakes  # None: none
    cdef TunnelCounter concurrent_tunnels  # None: none
    cdef bint meters_tunnels
    cdef TunnelMeter meter  # as it is for a new tunnel


cdef void client_key(ClientKey *key, uint64_t limit, const PeerAddress *client) noexcept nogil
