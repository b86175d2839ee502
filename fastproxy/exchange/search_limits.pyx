"""For how many session ids that perhaps nobody knows a worker asks, and how that is shared between its clients.

Anybody can make up ids, and each one costs a request to every host of its cluster. So a search takes one of the
worker's SEARCHES, of which one source has a part; it is given back if somebody knows the id, else it counts for
SEARCH_MS. When all are used up, each source still has a few of its own. Clients are sorted into a fixed number of
sources by a keyed hash, each into two: a client that shares one with a flood has the other.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from fastproxy._sip_hash cimport sip_hash_128
from fastproxy.addresses cimport PeerAddress


cdef class SearchLimits:
    """`key` is 16 secret bytes, so that nobody can choose the sources of others. All times are of one clock."""

    def __cinit__(self, bytes key not None):
        if len(key) != sizeof(self.key):
            raise ValueError("the key has 16 bytes")
        memcpy(self.key, <const char *> key, sizeof(self.key))
        self.sources = <Source *> calloc(SOURCES, sizeof(Source))
        if self.sources == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.sources)

    cpdef int take(self, uint64_t client, uint64_t now_ms) noexcept:
        """Take one search for this client: a number with which it can be given back, or a LIMITED_ of Charge."""
        cdef uint64_t digest[2]
        cdef bint worker_has_room = has_room(&self.worker, SEARCHES, SEARCH_MS, now_ms)
        cdef uint64_t place
        cdef int i
        sip_hash_128(self.key, <const char *> &client, sizeof(client), digest)
        if worker_has_room:
            for i in range(2):
                place = digest[i] % SOURCES
                if has_room(&self.sources[place].shared, SOURCE_SEARCHES, SOURCE_SEARCH_MS, now_ms):
                    self.sources[place].shared.searches += 1
                    self.worker.searches += 1
                    return <int> (2 * place)
        for i in range(2):
            place = digest[i] % SOURCES
            if has_room(&self.sources[place].own, OWN_SEARCHES, OWN_SEARCH_MS, now_ms):
                self.sources[place].own.searches += 1
                return <int> (2 * place + 1)
        return LIMITED_BY_SOURCE if worker_has_room else LIMITED_BY_WORKER

    cpdef void give_back(self, int charge) noexcept:
        """It was not in vain: what `take` said counts no longer."""
        cdef Source *source = &self.sources[charge // 2]
        if charge & 1:
            put_back(&source.own)
        else:
            put_back(&source.shared)
            put_back(&self.worker)


cdef bint has_room(Used *used, int limit, int each_ms, uint64_t now_ms) noexcept:
    """Whether there is one more, now that time has passed."""
    used.searches = max(0.0, used.searches - <double> (now_ms - used.at_ms) / each_ms)
    used.at_ms = now_ms
    return used.searches + 1 <= limit


cdef void put_back(Used *used) noexcept:
    used.searches = max(0.0, used.searches - 1)


cdef uint64_t client_number(const PeerAddress *address) noexcept:
    """What one client cannot have many of: an IPv4 address, or the network of an IPv6 address."""
    cdef uint32_t ip
    cdef uint64_t network
    if address.family == 4:
        memcpy(&ip, address.ip, sizeof(ip))
        return ip
    memcpy(&network, address.ip, sizeof(network))
    return network
