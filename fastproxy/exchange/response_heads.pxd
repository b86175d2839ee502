"""What is said in the heads of responses beside what the upstream said."""

from fastproxy.access_log cimport LogFacts
from fastproxy.exchange.state cimport Exchange
from fastproxy.exchange.timeouts cimport Timeouts
from fastproxy.header_rules cimport Room
from fastproxy.heads cimport ResponseHead, Writer


cdef class ResponseHeads(Timeouts):
    cdef Writer writer
    cdef Room room  # for what header rules write into the head at hand
    cdef char service_time[24]
    cdef char attempt_count[16]

    cdef void fill_response_head(self, Exchange x, ResponseHead *plan) noexcept
    cdef bint change_response_head(self, Exchange x)
    cdef void say_service_time(self, Exchange x) noexcept
    cdef bint say_attempt_count(self, Exchange x) noexcept
    cdef bint append_text(self, bytes name, bytes value) noexcept
    cdef bytes compose_reply(self, Exchange x, int status, bytes body)
    cdef bytes map_reply(self, Exchange x, bytes body)
