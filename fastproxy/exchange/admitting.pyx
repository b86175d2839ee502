"""Which connections of clients may stay: as many as their filter chain takes, and each address may have.

Who may not is closed without an answer, before anything is read: that costs least where there are too many.
"""

from libc.stdint cimport int64_t, uint32_t

from fastproxy.connection_gates cimport ConnectionGate
from fastproxy.connections cimport Connection
from fastproxy.counters cimport http_downstream_cx_address_limited, http_limit_table_crowded
from fastproxy.live_counts cimport COUNT_LIMITED
from fastproxy.runtime cimport Manager
from fastproxy.traffic_limits cimport ClientKey, client_key


cdef class Admitting(ResponseHeads):
    """Counts connections where that is limited."""

    cdef bint admits(self, Connection *c, ConnectionGate gate) noexcept:
        """Count the connection with its filter chain; False when that has too many."""
        if gate is None:
            return True
        c.is_gated = gate.enter()
        return c.is_gated

    cdef bint admits_address(self, Connection *c, Manager manager) noexcept:
        """Count the connection with its address, that of the peer itself; False when that has too many."""
        cdef ClientKey key
        cdef int64_t slot
        if manager.max_connections_per_address == 0:
            return True
        client_key(&key, manager.address_limit, &c.address)
        slot = self.runtime.tables.counts.take(<char *> &key, sizeof(key), manager.max_connections_per_address)
        if slot >= 0:
            c.hold = <uint32_t> slot + 1
        elif slot == COUNT_LIMITED:
            c.counters[<int> http_downstream_cx_address_limited] += 1
            return False
        else:
            c.counters[<int> http_limit_table_crowded] += 1
        return True

    cdef void leaves(self, Connection *c, ConnectionGate gate) noexcept:
        """A connection that was counted is about to be closed."""
        if c.is_gated:
            gate.leave()
            c.is_gated = False
        if c.hold:
            self.runtime.tables.counts.give_back(c.hold - 1)
            c.hold = 0

    cdef void change_gate(self, Connection *c, ConnectionGate before, ConnectionGate after) noexcept:
        """The connection belongs to another filter chain, which it does not have to leave for being one too many."""
        if before is after:
            return
        if c.is_gated:
            before.leave()
        c.is_gated = after is not None
        if c.is_gated:
            after.join()
