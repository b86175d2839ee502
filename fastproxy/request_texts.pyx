"""Texts that a format makes of each request, before its route is known; for what is told by a text.

A format is that of a line of an access log, of the operators that `log_format.reads_request` allows.
"""

from libc.stdlib cimport free, malloc
from libc.string cimport memset

from fastproxy.addresses cimport format_address
from fastproxy.header_rules cimport record_of
from fastproxy.log_operations cimport LogFacts
from fastproxy.log_record cimport MAX_VALUES, LogRecord, spread
from fastproxy.slices cimport Slice

from fastproxy.log_format import compile_format, reads_request

cdef enum:
    ADDRESS_BYTES = 64


cdef class RequestText:
    """One format, made ready."""

    def __init__(self, format):
        operators = compile_format(format, "")
        if not all(reads_request(each) for each in operators):
            raise ValueError(f"there is more than a request in {format!r}")
        self.formats = Formats([operators])

    cdef bytes of(self, const RequestFacts *request):
        """What the format makes of a request; what is unset is nothing."""
        cdef Slice values[MAX_VALUES]
        cdef LogFacts facts
        cdef char address[ADDRESS_BYTES]
        cdef LogRecord *record = record_of(&self.formats.wants, request)
        cdef size_t value_bytes = spread(record, &self.formats.wants, values)
        cdef char *text
        memset(&facts, 0, sizeof(facts))
        facts.downstream_remote_address.data = address
        facts.downstream_remote_address.length = format_address(request.remote, address, ADDRESS_BYTES)
        text = <char *> malloc(self.formats.most(value_bytes, &facts) + 1)
        try:
            if text == NULL:
                raise MemoryError
            return text[:self.formats.render(0, values, &facts, text, False) - text]
        finally:
            free(text)
            free(record)
