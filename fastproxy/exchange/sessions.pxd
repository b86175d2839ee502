"""Whose session is it? The exchange's questions to the session table, and what it teaches the table."""

from libc.stdint cimport uint32_t

from fastproxy._sessions cimport Sealed
from fastproxy.affinity cimport EngineIo
from fastproxy.affinity_policy cimport AffinityPolicy, Protocol
from fastproxy.exchange.attempt cimport Attempt
from fastproxy.exchange.state cimport Exchange
from fastproxy.request_facts cimport RequestFacts
from fastproxy.slices cimport Slice


cdef enum:
    GRACE_S = 15  # an entry outlives its session's heartbeat by this
    SEVERAL_HOSTS = 1  # stands for a host's digest where several hosts of a cluster have issued the same id


cdef class Sessions(Attempt):
    cdef object shared_ids  # SharedIds
    cdef uint32_t longest_lifetime_s  # of an Engine.IO session, that this worker has learned

    cdef int find_session(self, Exchange x, const RequestFacts *facts, EngineIo *engine_io) except -1
    cdef void expect_packets(self, Exchange x, EngineIo *engine_io) noexcept
    cdef void check_coding(self, Exchange x) noexcept
    cdef bint may_open(self, Exchange x, AffinityPolicy policy, EngineIo *engine_io) noexcept
    cdef int read_issued(self, Exchange x) except -1
    cdef int learn_from_head(self, Exchange x, Protocol protocol) except -1
    cdef int expect_in_body(self, Exchange x, Protocol protocol) except -1
    cdef int learn(self, Exchange x, char *data, size_t length) except -1
    cdef int learn_from_body(self, Exchange x, char *data, size_t length) except -1
    cdef int remember(self, Exchange x, Protocol protocol, Slice id, uint32_t lifetime_s) except -1
    cdef int learn_open_packet(self, Exchange x, Slice id, uint32_t lifetime_s, Sealed *seal) except -1
    cdef bint is_issued_elsewhere(self, Exchange x, const Sealed *seal)
    cdef int store(self, Exchange x, const Sealed *seal, uint32_t digest, uint32_t lifetime_s) except -1
    cdef void count_opened(self, Exchange x) noexcept
