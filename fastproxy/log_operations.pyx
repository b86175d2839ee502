"""The pieces of a formatted line or header value, and how each is written.

`log_format` knows the language; `access_log` makes lines of the pieces, `header_rules` values of headers.
"""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.time cimport strftime, time_t, tm

from fastproxy.log_text cimport put, put_escaped, put_number
from fastproxy.log_record cimport Wanted, Wants, name_of
from fastproxy.response_flags cimport FLAG_BYTES, put_flags
from fastproxy.slices cimport Slice

cdef extern from "<time.h>" nogil:
    tm *gmtime_r(const time_t *seconds, tm *parts)
    tm *localtime_r(const time_t *seconds, tm *parts)

cdef extern from "<string.h>" nogil:
    void *memrchr(const void *data, int byte, size_t length)

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


cdef size_t fill_operation(Operation *operation, object operator) except 0:
    """Make a piece of an operator of log_format, whose text it borrows: the most that it writes, values aside."""
    operation.kind = KINDS[operator.kind]
    operation.which = operator.which
    operation.text = slice_of(operator.text)
    operation.second = -1
    if operation.kind == LITERAL:
        return operation.text.length + 1
    return sizeof(operation.rendered) + (FLAG_BYTES if operation.kind == FLAG_NAMES else 0)


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
    if which == 1:
        return facts.bytes_sent
    return <uint64_t> (facts.response_code if which == 2 else facts.attempt_count)


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


cdef class Formats:
    """Several formats made ready: their pieces one behind the other, and the header values that they want together.

    `formats` are lists of operators; the record that `wants` describes serves all of them.
    """

    def __cinit__(self, list formats):
        cdef Operation *operation
        operators = [operator for each in formats for operator in each]
        self.texts = operators
        self.operations = <Operation *>calloc(len(operators) + 1, sizeof(Operation))
        self.ends = <int *>calloc(len(formats) + 1, sizeof(int))
        if self.operations == NULL or self.ends == NULL:
            raise MemoryError
        for kind in ("request", "response"):  # the order of a record
            for operator in operators:
                if operator.kind == kind:
                    want(&self.wants, operator)
        values = {"request": 0, "response": self.wants.requests}
        for each in formats:
            for operator in each:
                operation = &self.operations[self.ends[self.count]]
                self.fixed_bytes += fill_operation(operation, operator)
                self.fact_count += operation.kind in (FACT, IP, PORT)
                if operation.kind in (FACT, IP, PORT) and operation.which == LOCAL_ADDRESS_FACT:
                    self.tells_local_address = True
                if operator.kind in values:
                    operation.which = values[operator.kind]
                    values[operator.kind] += 1
                self.ends[self.count] += 1
            self.count += 1
            self.ends[self.count] = self.ends[self.count - 1]

    def __dealloc__(self):
        free(self.operations)
        free(self.ends)

    cdef size_t most(self, size_t value_bytes, const LogFacts *facts) noexcept nogil:
        """The most that all formats together write when the header values have so many bytes."""
        cdef const Slice *fact = &facts.upstream_host
        cdef size_t most = self.fixed_bytes + value_bytes
        cdef int i
        if self.fact_count:
            for i in range(FACT_SLICES):
                most += fact[i].length * self.fact_count
        return most

    # hot

    cdef char *render(
        self, int which, const Slice *values, const LogFacts *facts, char *at, bint shows_unset
    ) noexcept nogil:
        """Write one format as it is, without the escapes of a log; the end of what was written.

        What is unset is left out, or is a dash as in a log.
        """
        cdef Operation *operation = self.operations + (self.ends[which - 1] if which else 0)
        cdef Operation *last = self.operations + self.ends[which]
        cdef char *end
        while operation != last:
            if operation.kind == VALUE and values[operation.which].data != NULL:
                at = put(at, values[operation.which])
            else:
                end = put_operation(at, operation, values, facts)
                if shows_unset or operation.kind == LITERAL or end - at != 1 or at[0] != c"-":
                    at = end
            operation += 1
        return at

    # end hot


cdef int want(Wants *wants, object operator) except -1:
    cdef Wanted *wanted = &wants.wanted[wants.requests + wants.responses]
    wanted.names[0] = name_of(operator.text)
    wanted.names[1] = name_of(operator.other)
    wanted.maximum = 0xFFFFFFFE if operator.maximum is None else min(operator.maximum, 0xFFFFFFFE)
    if operator.kind == "request":
        wants.requests += 1
    else:
        wants.responses += 1
    return 0
