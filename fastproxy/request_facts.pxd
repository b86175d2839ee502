"""What is known of a request when its route, its hash and its header rules are decided; borrowed, for one request."""

from cpython.ref cimport PyObject
from libc.stdint cimport uint64_t

from fastproxy.addresses cimport PeerAddress
from fastproxy.http1 cimport Head
from fastproxy.slices cimport Slice


cdef struct RequestFacts:
    Head *head
    Slice path  # the target as the connection manager has normalized it, query included
    Slice authority
    const PeerAddress *remote  # the client as far as it is trusted (Envoy: downstream remote address)
    int fd  # of the downstream connection, -1: none; its local address is asked of the kernel by the few who need it
    PyObject *filter_state  # dict: what the filters left, bytes by key, None for what has no hash; NULL: nothing
    uint64_t random  # one draw per request: fractions and weights
