"""The access log: one line for each exchange, in Envoy's format language.

Owns the rendering of lines. `log_format` knows the language, `log_record` keeps the header values until the line is
due, `log_file` has the file. Knows nothing of exchanges: whoever has one hands over slices and numbers.

Text from the wire is written as UTF-8, with a backslash before quote and backslash, and `\\xNN` for controls and for
what is no UTF-8: no client can end a line, close a quoted field, or steer a terminal. Envoy writes quotes as they are.
"""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.time cimport strftime, time_t, tm

from fastproxy.log_file cimport LogFile
from fastproxy.log_record cimport (
    AUTHORITY, MAX_VALUES, METHOD, PATH, PSEUDOS, SCHEME, LogRecord, Wanted, add_response, name_of, new_record, spread
)
from fastproxy.log_text cimport put, put_escaped, put_number
from fastproxy.response_flags cimport FLAG_BYTES, put_flags
from fastproxy.slices cimport Field, Slice

from fastproxy.log_format import FACTS, compile_format

cdef extern from "<time.h>" nogil:
    tm *gmtime_r(const time_t *seconds, tm *parts)
    tm *localtime_r(const time_t *seconds, tm *parts)

cdef extern from "<string.h>" nogil:
    void *memrchr(const void *data, int byte, size_t length)

cdef enum Kind:
    LITERAL
    DATE
    EPOCH
    SUBSECOND
    DURATION
    NUMBER
    PROTOCOL
    FLAG_NAMES
    FACT
    IP
    PORT
    VALUE

cdef enum:
    FACT_SLICES = 8

KINDS = {
    "literal": LITERAL, "date": DATE, "epoch": EPOCH, "subsecond": SUBSECOND, "duration": DURATION, "number": NUMBER,
    "protocol": PROTOCOL, "flags": FLAG_NAMES, "fact": FACT, "ip": IP, "port": PORT, "request": VALUE,
    "response": VALUE,
}
cdef Slice UNSET = slice_of(b"-")
cdef Slice HTTP = slice_of(b"http")
cdef Slice HTTP_1_0 = slice_of(b"HTTP/1.0")
cdef Slice HTTP_1_1 = slice_of(b"HTTP/1.1")


cdef Slice slice_of(bytes text) except *:
    """Borrowed: `text` has to be kept by somebody."""
    return Slice(text, len(text))


cdef inline char *put_fact(char *at, Slice text) noexcept nogil:
    return put(at, text if text.length else UNSET)


cdef char *put_date(char *at, Operation *operation, int64_t start_us) noexcept nogil:
    """Formatted once for each second."""
    cdef time_t second = start_us // 1000000
    cdef tm parts
    if operation.second != second:
        if operation.which:
            localtime_r(&second, &parts)
        else:
            gmtime_r(&second, &parts)
        operation.rendered_length = strftime(
            operation.rendered, sizeof(operation.rendered), operation.text.data, &parts
        )
        operation.second = second
    return put(at, Slice(<const char *>operation.rendered, operation.rendered_length))


cdef char *put_subsecond(char *at, int digits, int64_t start_us) noexcept nogil:
    cdef int64_t fraction = start_us % 1000000 * 1000
    cdef int i
    for i in range(9):
        if 8 - i < digits:
            at[8 - i] = 48 + fraction % 10
        fraction //= 10
    return at + digits


cdef char *put_duration(char *at, int which, const LogFacts *facts) noexcept nogil:
    """In milliseconds; `which` counts as log_format.DURATIONS does."""
    cdef int64_t duration_us = facts.duration_us
    if which == 1:
        duration_us = facts.request_duration_us
    elif which == 2:
        duration_us = facts.response_duration_us
    elif which == 3:
        duration_us = -1 if facts.response_duration_us < 0 else duration_us - facts.response_duration_us
    return put(at, UNSET) if duration_us < 0 else put_number(at, duration_us // 1000)


cdef char *put_protocol(char *at, int protocol) noexcept nogil:
    return put(at, HTTP_1_1 if protocol == 11 else HTTP_1_0 if protocol == 10 else UNSET)


cdef Slice part_of_address(Slice address, bint is_port) noexcept nogil:
    """The IP without its brackets, or the port; nothing of nothing."""
    cdef const char *colon = <const char *>memrchr(address.data, 58, address.length) if address.length else NULL
    cdef Slice ip = address
    if colon != NULL:
        ip.length = colon - address.data
    if is_port:
        return Slice(NULL, 0) if colon == NULL else Slice(colon + 1, address.length - ip.length - 1)
    if ip.length > 2 and ip.data[0] == 91:
        return Slice(ip.data + 1, ip.length - 2)
    return ip


cdef uint64_t number_of(const LogFacts *facts, int which) noexcept nogil:
    """`which` counts as log_format.NUMBERS does."""
    if which == 0:
        return facts.bytes_received
    return facts.bytes_sent if which == 1 else <uint64_t>facts.response_code


cdef char *put_operation(char *at, Operation *operation, const Slice *values, const LogFacts *facts) noexcept nogil:
    cdef const Slice *fact = &facts.upstream_host  # the texts stand in the order of log_format.FACTS
    cdef int kind = operation.kind
    cdef int which = operation.which
    if kind == LITERAL:
        return put(at, operation.text)
    elif kind == VALUE:
        return put_escaped(at, values[which].data, values[which].length) if values[which].data else put(at, UNSET)
    elif kind == NUMBER:
        return put_number(at, number_of(facts, which))
    elif kind == DURATION:
        return put_duration(at, which, facts)
    elif kind == FACT:
        return put_fact(at, fact[which])
    elif kind == IP or kind == PORT:
        return put_fact(at, part_of_address(fact[which], kind == PORT))
    elif kind == DATE:
        return put_date(at, operation, facts.start_us)
    elif kind == SUBSECOND:
        return put_subsecond(at, which, facts.start_us)
    elif kind == EPOCH:
        return put_number(at, facts.start_us // 1000000)
    elif kind == PROTOCOL:
        return put_protocol(at, facts.protocol)
    return put_flags(at, which, facts.flags)


def validate_format(str text):
    """ValueError, with place and operator, when the format cannot be used."""
    values = sum(operator.kind in ("request", "response") for operator in compile_format(text))
    if values > MAX_VALUES:
        raise ValueError(f"the format names {values} headers, more than {MAX_VALUES}")


cdef class AccessLog:
    """The log of one path and format. ValueError for the format, OSError for the file."""

    def __cinit__(self, str path, str format):
        validate_format(format)
        operators = compile_format(format)
        self.texts = []
        self.operations = <Operation *>calloc(len(operators) + 1, sizeof(Operation))
        if self.operations == NULL:
            raise MemoryError
        for kind in ("request", "response"):  # the order of a record
            for operator in operators:
                if operator.kind == kind:
                    self.want(operator)
        values = {"request": 0, "response": self.wants.requests}
        for operator in operators:
            self.add(&self.operations[self.operation_count], operator)
            if operator.kind in values:
                self.operations[self.operation_count].which = values[operator.kind]
                values[operator.kind] += 1
            self.operation_count += 1
        self.file = LogFile(path)

    def __dealloc__(self):
        free(self.operations)

    cdef int want(self, object operator) except -1:
        cdef Wanted *wanted = &self.wants.wanted[self.wants.requests + self.wants.responses]
        self.texts.append(operator)
        wanted.names[0] = name_of(operator.text)
        wanted.names[1] = name_of(operator.other)
        wanted.maximum = 0xFFFFFFFE if operator.maximum is None else min(operator.maximum, 0xFFFFFFFE)
        if operator.kind == "request":
            self.wants.requests += 1
        else:
            self.wants.responses += 1
        return 0

    cdef int add(self, Operation *operation, object operator) except -1:
        self.texts.append(operator)
        operation.kind = KINDS[operator.kind]
        operation.which = operator.which
        operation.text = slice_of(operator.text)
        operation.second = -1
        self.fact_count += operation.kind in (FACT, IP, PORT)
        self.fixed_bytes += operation.text.length if operation.kind == LITERAL else sizeof(operation.rendered)
        self.fixed_bytes += FLAG_BYTES if operation.kind == FLAG_NAMES else 0
        return 0

    cdef LogRecord *capture_request(
        self, const Slice *method, const Slice *path, const Slice *authority, const Field *fields, int count
    ) noexcept nogil:
        cdef Slice pseudo[PSEUDOS]
        pseudo[METHOD] = method[0]
        pseudo[PATH] = path[0]
        pseudo[AUTHORITY] = authority[0]
        pseudo[SCHEME] = HTTP
        return new_record(&self.wants, pseudo, fields, count)

    cdef LogRecord *capture_response(self, LogRecord *record, const Field *fields, int count) noexcept nogil:
        return add_response(record, &self.wants, fields, count)

    cdef void discard(self, LogRecord *record) noexcept nogil:
        free(record)

    cdef void write(self, LogRecord *record, const LogFacts *facts) noexcept nogil:
        cdef Slice values[MAX_VALUES]
        cdef const Slice *fact = &facts.upstream_host
        cdef size_t most = self.fixed_bytes + 4 * spread(record, &self.wants, values)
        cdef char *room
        cdef int i
        for i in range(FACT_SLICES):
            most += fact[i].length * self.fact_count
        room = self.file.reserve(most)
        if room != NULL:
            self.file.commit(self.render(values, facts, room) - room)
        free(record)

    cdef char *render(self, const Slice *values, const LogFacts *facts, char *at) noexcept nogil:
        cdef Operation *operation = self.operations
        cdef Operation *end = self.operations + self.operation_count
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
    told.protocol = facts.get("protocol", 0)
    told.flags = facts.get("flags", 0)
    for number, name in enumerate(FACTS):
        texts[<int>number] = slice_of(facts.get(name.lower(), b""))
    return told
