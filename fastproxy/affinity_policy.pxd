"""The session protocols of a route, compiled: how an id is found in a request, and who is asked for one."""

from libc.stdint cimport uint32_t

from fastproxy.affinity cimport EngineIo
from fastproxy.request_facts cimport RequestFacts
from fastproxy.slices cimport Slice

cdef enum Affinity:  # why a request goes to its host
    AFFINITY_NONE
    AFFINITY_SID  # the table knows whose session it is
    AFFINITY_ASKED  # the hosts were asked
    AFFINITY_HASH
    AFFINITY_LEAST  # a new session, where the fewest live
    AFFINITY_RANDOM  # the balancer, which had no key


cdef class Protocol:
    cdef readonly object model  # model_affinity.SessionProtocol
    cdef readonly bytes name
    cdef readonly uint32_t lifetime_s
    cdef readonly bint can_be_asked
    cdef readonly int lost_status
    cdef readonly bytes lost_content_type
    cdef readonly bytes lost_body
    cdef tuple said  # (status, text)

    cdef bint says_lost(self, int status, const char *body, size_t length) noexcept


cdef class AffinityPolicy:
    cdef readonly object model  # model_affinity.SessionAffinity
    cdef readonly Protocol engine_io  # None: Engine.IO's sessions are not kept
    cdef readonly tuple others  # Protocol
    cdef readonly bint asks
    cdef readonly size_t max_asked_body_bytes
    cdef readonly bint least_sessions

    cdef Protocol find_id(self, const RequestFacts *facts, const EngineIo *engine_io, Slice *id)
