"""What the HTTP filter `set_filter_state` makes of each request: texts by their keys, for hash policies.

Follows Envoy's filter: a value is formatted like a line of an access log, from the request as the connection manager
has it, before its route changes anything. What is unset is a dash, unless empty values are to be omitted.
"""

from libc.stdlib cimport free, malloc

from fastproxy.header_rules cimport record_of
from fastproxy.log_record cimport MAX_VALUES, LogRecord, spread

from fastproxy.log_format import compile_format


cdef class SetFilterState:
    """The values of all such filters of a connection manager, in their order."""

    def __init__(self, models):
        self.models = tuple(models)
        self.keys = tuple([model.key.encode() for model in self.models])
        formats = [compile_format(each.format, "" if each.omit_empty_values else "-") for each in self.models]
        if sum(operator.kind in ("request", "response") for each in formats for operator in each) > MAX_VALUES:
            raise ValueError(f"more than {MAX_VALUES} header values in the filter state")
        self.formats = Formats(formats)

    cdef dict objects(self, const RequestFacts *request, const LogFacts *facts):
        """What a request leaves in the filter state: bytes that can be hashed, None for what cannot be."""
        cdef Slice values[MAX_VALUES]
        cdef LogRecord *record = record_of(&self.formats.wants, request)
        cdef size_t value_bytes = spread(record, &self.formats.wants, values)
        cdef char *text = <char *> malloc(self.formats.most(value_bytes, facts) + 1)
        try:
            if text == NULL:
                raise MemoryError
            return self.read(text, values, facts)
        finally:
            free(text)
            free(record)

    cdef dict read(self, char *text, const Slice *values, const LogFacts *facts):
        """`text` has room for all values together."""
        cdef char *end
        cdef int i = 0
        found, read_only = {}, set()
        for model in self.models:
            end = self.formats.render(i, values, facts, text, not model.omit_empty_values)
            key, value = self.keys[i], text[:end - text]
            i += 1
            if not value and model.skip_if_empty:
                continue
            if key in found and (model.read_only or key in read_only):
                continue  # Envoy keeps an object that is read-only, and never makes one read-only afterwards
            found[key] = value if model.is_hashable else None
            if model.read_only:
                read_only.add(key)
        return found
