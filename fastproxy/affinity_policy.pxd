"""The session protocols of a route, compiled: how an id is found in a request and in an answer, and who is asked."""

from libc.stdint cimport uint32_t

from fastproxy._sessions cimport Sealed, SessionTable
from fastproxy.affinity cimport EngineIo
from fastproxy.http1 cimport Head
from fastproxy.issued_ids cimport SessionId
from fastproxy.json_members cimport Found
from fastproxy.request_facts cimport RequestFacts
from fastproxy.slices cimport Slice

cdef enum Affinity:  # why a request goes to its host
    AFFINITY_NONE
    AFFINITY_SID  # the table knows whose session it is
    AFFINITY_ASKED  # the hosts were asked
    AFFINITY_HASH
    AFFINITY_LEAST  # a new session, where the fewest live
    AFFINITY_RANDOM  # the balancer, which had no key

cdef enum:
    SALT_BYTES = 8  # of a protocol, in front of its ids


cdef class Place:
    cdef int source
    cdef bytes name

    cdef bint find_returned(self, const RequestFacts *facts, SessionId *id) noexcept
    cdef Found find_issued(self, const Head *head, SessionId *id) noexcept
    cdef size_t read_limit(self, const Head *head) noexcept
    cdef Found find_in_body(self, const char *data, size_t length, SessionId *id) noexcept


cdef class Protocol:
    cdef readonly object model  # model_affinity.SessionProtocol
    cdef readonly bytes name
    cdef readonly uint32_t lifetime_s
    cdef readonly bint can_be_asked
    cdef readonly int lost_status
    cdef readonly bytes lost_content_type
    cdef readonly bytes lost_body
    cdef readonly bint takes_paths  # an id is issued by an answer without error to a request that has it
    cdef readonly bytes ended_by  # the method, in lower case, by which a client ends a session; None: none does
    cdef tuple said  # (status, text)
    cdef tuple issued, returned  # Place
    cdef char salt[8]  # SALT_BYTES

    cdef bint may_say_lost(self, int status) noexcept
    cdef bint says_lost(self, int status, const char *body, size_t length) noexcept
    cdef Sealed seal(self, SessionTable sessions, Slice id) noexcept
    cdef bint find_returned(self, const RequestFacts *facts, SessionId *id) noexcept
    cdef Found find_issued(self, const Head *head, SessionId *id) noexcept
    cdef size_t read_limit(self, const Head *head) noexcept
    cdef Found find_in_body(self, const char *data, size_t length, SessionId *id, uint32_t *lifetime_s) noexcept


cdef class AffinityPolicy:
    cdef readonly object model  # model_affinity.SessionAffinity
    cdef readonly Protocol engine_io  # None: Engine.IO's sessions are not kept
    cdef readonly tuple others  # Protocol
    cdef readonly bint has_others
    cdef readonly bint asks
    cdef readonly size_t max_asked_body_bytes
    cdef readonly bint least_sessions
    cdef SessionId found  # what find_id gives out

    cdef Protocol find_id(self, const RequestFacts *facts, const EngineIo *engine_io, Slice *id)
