"""What the HTTP filter `set_filter_state` makes of each request."""

cimport cython

from fastproxy.log_operations cimport Formats, LogFacts
from fastproxy.request_facts cimport RequestFacts
from fastproxy.slices cimport Slice


@cython.final
cdef class SetFilterState:
    cdef tuple models  # model.FilterStateValue
    cdef tuple keys
    cdef Formats formats

    cdef dict objects(self, const RequestFacts *request, const LogFacts *facts)
    cdef dict read(self, char *text, const Slice *values, const LogFacts *facts)
