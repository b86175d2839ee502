"""How exchanges and connections end: answered by the proxy itself, cut, or left by the client."""

from fastproxy.connections cimport Connection
from fastproxy.exchange.state cimport Exchange
from fastproxy.host_watch cimport HostWatch
from fastproxy.http1 cimport Head, HeadError
from fastproxy.runtime cimport Manager
from fastproxy.syscalls cimport iovec
from fastproxy.exchange.admitting cimport Admitting
from fastproxy.upstream cimport Host


cdef class Ending(Admitting):
    cdef readonly HostWatch watch
    cdef readonly size_t active

    cdef int accepted(self, Connection *c, Manager manager) except -1
    cdef int turn_away(self, Connection *c, Manager manager) except -1
    cdef int close_downstream(self, Connection *c) except -1
    cdef int end_downstream(self, Connection *c) except -1
    cdef int waited_enough(self, Connection *c) except -1
    cdef int downstream_failed(self, Connection *c) except -1
    cdef void unbind(self, Exchange x) noexcept
    cdef int drop_upstream(self, Exchange x) except -1
    cdef int close_upstream(self, Connection *u) except -1
    cdef void tell_of_room(self, Host host) noexcept
    cdef void take_turn(self, Host host) noexcept
    cdef void leave_queue(self, Exchange x) noexcept
    cdef void connected(self, Connection *u) noexcept
    cdef void await_request(self, Connection *c, Manager manager) noexcept
    cdef void dismiss(self, Connection *c, Manager manager) noexcept
    cdef void move_to(self, Connection *c, Manager manager) noexcept
    cdef bint send_downstream(self, Exchange x, iovec *parts, int count)
    cdef int reply(self, Exchange x, int status, bytes body) except -1
    cdef int refuse(self, Exchange x, HeadError error) except -1
    cdef int protocol_error(self, Exchange x) except -1
    cdef int abort(self, Exchange x) except -1
    cdef void count_status(self, Exchange x) noexcept
    cdef void end(self, Exchange x) noexcept
