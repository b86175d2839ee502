"""The tries of one request that its route may have sent again: what is kept of it, and what its policy leaves."""

from libc.stdlib cimport free

from fastproxy.connections cimport buffer_append
from fastproxy.exchange.questions cimport MAX_HELD_BYTES
from fastproxy.previous_priorities import PreviousPriorities
from fastproxy.retry_policies cimport ON_HEADERS, RetryPolicy, is_reason, reasons_of
from fastproxy.syscalls cimport iovec
from fastproxy.upstream cimport Host

cdef enum:
    MAX_DIGITS = 9  # of a number in a header


cdef class Retries:
    """What is left of a route's policy for one request."""

    def __init__(self, RetryPolicy policy, Held held, size_t max_bytes):
        self.policy = policy
        self.held = held
        self.max_bytes = max_bytes
        self.reasons = policy.reasons
        self.left = policy.retries
        self.codes = policy.codes
        self.names = ()
        self.try_timeout_ms = policy.per_try_timeout_ms
        self.idle_timeout_ms = policy.per_try_idle_timeout_ms
        self.tried = set()
        if policy.model.priority_update_frequency:
            self.priorities = PreviousPriorities(policy.model.priority_update_frequency)

    def __dealloc__(self):
        if self.held is not None:
            self.held.bytes -= self.counted_bytes
        free(self.request)

    cdef int obey(self, dict fields) except -1:
        """Do what the headers of an internal request ask for beside its route's policy."""
        self.reasons |= reasons_of(fields.get(b"x-envoy-retry-on", b""))
        self.reasons |= reasons_of(fields.get(b"x-envoy-retry-grpc-on", b""))
        self.left = <uint32_t> number_of(fields.get(b"x-envoy-max-retries"), self.left)
        self.try_timeout_ms = <uint64_t> number_of(
            fields.get(b"x-envoy-upstream-rq-per-try-timeout-ms"), self.try_timeout_ms)
        codes = fields.get(b"x-envoy-retriable-status-codes", b"").split(b",")
        self.codes |= {number_of(code.strip(), 0) for code in codes}
        names = fields.get(b"x-envoy-retriable-header-names", b"").lower().split(b",")
        self.names = tuple([name.strip() for name in names if name.strip()])

    cdef bint keep(self, iovec *parts, int count, size_t payload):
        """Put these pieces behind those before; False when the request is too large to be kept, and it is not.

        Its body has `payload` bytes with them. What chunks add counts only for all requests together."""
        cdef int i
        if self.request == NULL and self.head_bytes:
            return True
        if self.request == NULL:
            self.head_bytes = parts[0].iov_len
        for i in range(count):
            self.request = buffer_append(self.request, <char *> parts[i].iov_base, parts[i].iov_len)
            if self.request == NULL:
                return False
        self.held.bytes += self.request.size - self.counted_bytes
        self.counted_bytes = self.request.size
        if payload <= self.max_bytes and self.held.bytes <= MAX_HELD_BYTES:
            return True
        self.forget()
        return False

    cdef void forget(self) noexcept:
        """Keep nothing any more."""
        self.held.bytes -= self.counted_bytes
        self.counted_bytes = 0
        free(self.request)
        self.request = NULL

    cdef bint asks_again(self, Head *head) except -1:
        """Whether an answer with that head is a reason for another try."""
        if is_reason(head, self.reasons, self.codes, self.names):
            return True
        return self.reasons & <uint32_t> ON_HEADERS and self.policy.has_header(head)

    cdef uint64_t ends_ms(self) noexcept:
        """When the try at hand has lasted, or has been silent, for too long; 0: never."""
        cdef uint64_t end_ms = self.try_began_ms + self.try_timeout_ms if self.try_timeout_ms else 0
        cdef uint64_t idle_end_ms = self.active_ms + self.idle_timeout_ms if self.idle_timeout_ms else 0
        if self.is_settled or end_ms == 0:
            return idle_end_ms
        return end_ms if idle_end_ms == 0 or end_ms < idle_end_ms else idle_end_ms

    cdef bytes head_of_try(self, uint32_t number, uint64_t expected_ms, bytes name):
        """The request's head for that try: two lines of it, if it has them, say another number each time, and the
        authority is `name` unless that is None."""
        cdef bytes head = self.request.data[self.request.start:self.request.start + self.head_bytes]
        if name:
            head = renamed(head, name)
        head = renumbered(head, b"x-envoy-attempt-count", number)
        return renumbered(head, b"x-envoy-expected-rq-timeout-ms", expected_ms) if expected_ms else head

    cdef int note_tried(self, Host host) except -1:
        """The host had its try, or could not be connected."""
        self.tried.add(host)
        if self.priorities is not None:
            self.priorities.note(host.model.priority)


cdef bytes renumbered(bytes head, bytes name, uint64_t number):
    """The head with that number in the last line of that name; as it is where there is none."""
    before, line, behind = head.rpartition(b"\r\n" + name + b": ")
    if not line:
        return head
    return before + line + str(number).encode() + behind[behind.index(b"\r\n"):]


cdef bytes renamed(bytes head, bytes name):
    """The head with another authority, which is its first line of all; the one before stands in x-envoy-original-host
    unless there is another one already."""
    cdef Py_ssize_t begin = head.index(b": ", head.index(b"\r\n")) + 2
    cdef Py_ssize_t end = head.index(b"\r\n", begin)
    cdef bytes before = head[begin:end]
    head = head[:begin] + name + head[end:]
    if before == name or b"\r\nx-envoy-original-host: " in head:
        return head
    return head[:len(head) - 2] + b"x-envoy-original-host: " + before + b"\r\n\r\n"


cdef object number_of(object value, object default):
    """A decimal number that a header says; what is none, or has too many digits, says nothing."""
    return int(value) if value and len(value) <= MAX_DIGITS and value.isdigit() else default
