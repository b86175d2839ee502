"""The access log: one line for each exchange, in Envoy's format language.

Owns the rendering of lines. `log_format` knows the language, `log_record` keeps the header values until the line is
due, `log_file` has the file. Knows nothing of exchanges: whoever has one hands over slices and numbers.

Text from the wire is written as UTF-8, with a backslash before quote and backslash, and `\\xNN` for controls and for
what is no UTF-8: no client can end a line, close a quoted field, or steer a terminal. Envoy writes quotes as they are.
"""

from libc.stdlib cimport free

from fastproxy.log_file cimport LogFile
from fastproxy.log_operations cimport Formats, LogFacts, Operation, put_operation
from fastproxy.log_record cimport (
    AUTHORITY, MAX_VALUES, METHOD, PATH, PSEUDOS, SCHEME, LogRecord, add_response, new_record, spread
)
from fastproxy.slices cimport Field, Slice

from fastproxy.log_filter import LogFilter as make_log_filter
from fastproxy.log_format import FACTS, compile_format

cdef Slice HTTP = slice_of(b"http")


cdef Slice slice_of(bytes text) except *:
    """Borrowed: `text` has to be kept by somebody."""
    return Slice(text, len(text))


def validate_format(str text):
    """ValueError, with place and operator, when the format cannot be used."""
    values = sum(operator.kind in ("request", "response") for operator in compile_format(text))
    if values > MAX_VALUES:
        raise ValueError(f"the format names {values} headers, more than {MAX_VALUES}")


cdef class AccessLog:
    """The log of one path and format. ValueError for the format, OSError for the file."""

    def __cinit__(self, str path, str format, filter=None):
        validate_format(format)
        self.filter = None if filter is None else make_log_filter(filter)
        self.formats = Formats([compile_format(format)])
        self.file = LogFile(path)

    cdef LogRecord *capture_request(
        self, const Slice *method, const Slice *path, const Slice *authority, const Field *fields, int count
    ) noexcept nogil:
        cdef Slice pseudo[PSEUDOS]
        pseudo[METHOD] = method[0]
        pseudo[PATH] = path[0]
        pseudo[AUTHORITY] = authority[0]
        pseudo[SCHEME] = HTTP
        return new_record(&self.formats.wants, pseudo, fields, count)

    cdef LogRecord *capture_response(self, LogRecord *record, const Field *fields, int count) noexcept nogil:
        return add_response(record, &self.formats.wants, fields, count)

    cdef void discard(self, LogRecord *record) noexcept nogil:
        free(record)

    cdef void write(self, LogRecord *record, const LogFacts *facts) noexcept nogil:
        cdef Slice values[MAX_VALUES]
        cdef size_t value_bytes
        cdef char *room
        if self.filter is not None and not self.filter.admits(facts):
            free(record)
            return
        value_bytes = spread(record, &self.formats.wants, values)
        room = self.file.reserve(self.formats.most(4 * value_bytes, facts))
        if room != NULL:
            self.file.commit(self.render(values, facts, room) - room)
        free(record)

    cdef char *render(self, const Slice *values, const LogFacts *facts, char *at) noexcept nogil:
        cdef Operation *operation = self.formats.operations
        cdef Operation *end = operation + self.formats.ends[0]
        # hot
        while operation != end:
            at = put_operation(at, operation, values, facts)
            operation += 1
        # end hot
        return at

    def flush(self):
        """Write what is held, as far as that goes without waiting; never raises."""
        self.file.flush_now()

    def reopen(self):
        """Open the path anew. OSError when that fails; the old file stays in use then."""
        self.file.reopen()

    def close(self):
        self.file.close()

    @property
    def lines_lost(self):
        """Lines that did not fit the buffer while nothing could be written."""
        return self.file.lines_lost

    def write_py(self, request=None, fields=(), responses=(), **facts):
        """One line for Python: `request` is (method, path, authority), the fields are pairs of bytes.

        `responses` has the fields of each response in turn. Without `request` nothing is captured. The facts are
        those of LogFacts by name, texts as bytes.
        """
        write_from_python(self, request, fields, responses, facts)


cdef int read_fields(Field *out, object pairs) except -1:
    cdef int count = 0
    for name, value in pairs:
        if count == MAX_VALUES:
            raise ValueError("too many fields")
        out[count].name = slice_of(name)
        out[count].value = slice_of(value)
        count += 1
    return count


cdef int write_from_python(AccessLog log, object request, object fields, object responses, dict facts) except -1:
    cdef Field read[MAX_VALUES]
    cdef LogFacts told = read_facts(facts)
    cdef LogRecord *record = NULL
    cdef Slice method, path, authority
    cdef int count
    if request is not None:
        method, path, authority = slice_of(request[0]), slice_of(request[1]), slice_of(request[2])
        count = read_fields(read, fields)
        record = log.capture_request(&method, &path, &authority, read, count)
        for each in responses:
            count = read_fields(read, each)
            record = log.capture_response(record, read, count)
    log.write(record, &told)
    return 0


cdef LogFacts read_facts(dict facts) except *:
    cdef LogFacts told
    cdef Slice *texts = &told.upstream_host
    told.start_us = facts.get("start_us", 0)
    told.duration_us = facts.get("duration_us", -1)
    told.request_duration_us = facts.get("request_duration_us", -1)
    told.response_duration_us = facts.get("response_duration_us", -1)
    told.bytes_received = facts.get("bytes_received", 0)
    told.bytes_sent = facts.get("bytes_sent", 0)
    told.response_code = facts.get("response_code", 0)
    told.attempt_count = facts.get("attempt_count", 0)
    told.protocol = facts.get("protocol", 0)
    told.flags = facts.get("flags", 0)
    for number, name in enumerate(FACTS):
        texts[<int>number] = slice_of(facts.get(name.lower(), b""))
    return told
