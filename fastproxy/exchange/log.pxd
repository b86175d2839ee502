"""Access log lines of exchanges and tunnels."""

from fastproxy.access_log cimport LogFacts
from fastproxy.connections cimport Connection, Connections
from fastproxy.exchange.state cimport Exchange
from fastproxy.heads cimport RequestHead
from fastproxy.http1 cimport Head
from fastproxy.overload cimport Overload
from fastproxy.runtime cimport Manager
from fastproxy.stamps cimport Stamps
from fastproxy.upstream cimport Host

cdef struct AddressTexts:
    char client[64]
    char peer[64]
    char local[64]


cdef class ExchangeLog:
    cdef readonly Connections io
    cdef Stamps stamps
    cdef Overload overload
    cdef Head head  # the head parsed last: valid until the next receive

    cdef void begin_records(self, Exchange x, RequestHead *plan) noexcept
    cdef void keep_response_fields(self, Exchange x) noexcept
    cdef void log(self, Manager manager, void **records, Exchange x, Connection *c) noexcept
    cdef void describe(
        self, LogFacts *facts, Exchange x, Connection *c, AddressTexts *texts, bint with_local_address
    ) noexcept
    cdef void fill_facts(self, LogFacts *facts, Exchange x) noexcept


cdef int set_host(LogFacts *facts, Host host) except -1
