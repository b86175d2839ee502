"""Copies of requests for other clusters, whose answers nobody sees."""

from libc.stdint cimport uint32_t

from fastproxy.connections cimport Buffer, Connection
from fastproxy.exchange.limiting cimport Limiting
from fastproxy.exchange.state cimport Exchange
from fastproxy.heads cimport RequestHead
from fastproxy.request_facts cimport RequestFacts
from fastproxy.routing cimport Mirror
from fastproxy.syscalls cimport iovec
from fastproxy.upstream cimport Host


cdef class MirroredRequest:
    cdef Mirror mirror
    cdef Buffer *copy  # head, and what there is of the body; NULL: given up


cdef class Mirroring(Limiting):
    cdef int begin_mirrors(self, Exchange x, const RequestFacts *facts, RequestHead *plan) except -1
    cdef MirroredRequest copy_head(self, Exchange x, Mirror mirror, RequestHead *plan)
    cdef int mirror_body(self, Exchange x, iovec *parts, int count) except -1
    cdef int send_mirror(self, Exchange x, MirroredRequest mirrored) except -1
    cdef int mirror_event(self, Connection *u, uint32_t events) except -1
    cdef int end_mirror(self, Connection *u) except -1
