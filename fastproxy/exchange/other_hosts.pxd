"""Which host the next try of a request goes to."""

from fastproxy.balancing cimport Balancer
from fastproxy.exchange.repeating cimport Repeating
from fastproxy.exchange.state cimport Exchange


cdef class OtherHosts(Repeating):
    cdef bint choose_again(self, Exchange x)
    cdef bint follow_cluster(self, Exchange x)
    cdef int stay(self, Exchange x) except -1
    cdef Py_ssize_t other_place(self, Exchange x)
    cdef Py_ssize_t place_with_fewest(self, Exchange x)
    cdef Balancer group_of_try(self, Exchange x)
    cdef bytes name_of_try(self, Exchange x)
    cdef bint is_rejected(self, Exchange x, Py_ssize_t place) except -1
