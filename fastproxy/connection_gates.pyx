"""How many connections a filter chain takes at once: Envoy's network filter `connection_limit`.

What is counted is the gauge that `/stats` shows, each worker's in its own row, all workers together. A connection is
counted first and turned away when that was one too many: two that come at once may both be turned away where one could
have stayed, and more than the most never stay. Filters of one stat_prefix share what they count.
"""

from libc.stdint cimport uint64_t
from libc.stdlib cimport calloc, free

from fastproxy._session_words cimport add, load
from fastproxy.counters cimport connection_limit_active_connections, connection_limit_limited_connections
from fastproxy.timers import milliseconds


cdef class ConnectionGate:
    """One filter; `row` are the counters of this worker, `rows` those of all."""

    def __cinit__(self, model, layout, row, rows):
        cdef uint64_t[::1] view = row
        self.model = model
        self.owners = (row, *rows)
        self.slot = layout.block("connection_limit", model.stat_prefix)
        self.counters = &view[0] + self.slot
        self.rows = <uint64_t **> calloc(len(rows) + 1, sizeof(uint64_t *))
        if self.rows == NULL:
            raise MemoryError
        for each in rows:
            view = each
            self.rows[self.row_count] = &view[0] + self.slot
            self.row_count += 1
        self.most = model.max_connections
        self.delay_ms = milliseconds(model.delay_s)

    def __dealloc__(self):
        free(self.rows)

    # hot

    cdef bint enter(self) noexcept nogil:
        """Count a connection; False, when it has to go."""
        cdef uint64_t total = 0
        cdef Py_ssize_t i
        self.join()
        for i in range(self.row_count):
            total += load(&self.rows[i][<int> connection_limit_active_connections])
        if total <= self.most:
            return True
        self.leave()
        self.counters[<int> connection_limit_limited_connections] += 1
        return False

    cdef void join(self) noexcept nogil:
        """Count a connection that is here already."""
        add(&self.counters[<int> connection_limit_active_connections], 1)

    cdef void leave(self) noexcept nogil:
        add(&self.counters[<int> connection_limit_active_connections], ~<uint64_t> 0)

    # end hot

    def admit(self):
        """`enter` for Python."""
        return self.enter()

    def release(self):
        """`leave` for Python."""
        self.leave()
