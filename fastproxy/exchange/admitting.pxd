"""Which connections of clients may stay."""

from fastproxy.connection_gates cimport ConnectionGate
from fastproxy.connections cimport Connection
from fastproxy.exchange.response_heads cimport ResponseHeads
from fastproxy.runtime cimport Manager, Runtime


cdef class Admitting(ResponseHeads):
    cdef readonly Runtime runtime

    cdef bint admits(self, Connection *c, ConnectionGate gate) noexcept
    cdef bint admits_address(self, Connection *c, Manager manager) noexcept
    cdef void leaves(self, Connection *c, ConnectionGate gate) noexcept
    cdef void change_gate(self, Connection *c, ConnectionGate before, ConnectionGate after) noexcept
