"""When a request is sent again, compiled: which failures and which answers are a reason, and how long to wait.

Envoy: config.route.v3.RetryPolicy and RetryStateImpl.
"""

from libc.string cimport memset

from fastproxy.host_predicates import HostPredicates
from fastproxy.http1 cimport HEAD_OK, parse_response
from fastproxy.matching cimport HeaderMatcher
from fastproxy.model_routes import ResetFormat
from fastproxy.request_values cimport next_line, read_number

cdef enum:
    STATUSES_OF_GRPC = 17
    MAX_DOUBLINGS = 30

# https://grpc.io/docs/guides/status-codes/ by Envoy's words
GRPC = {b"cancelled": 1, b"deadline-exceeded": 4, b"resource-exhausted": 8, b"internal": 13, b"unavailable": 14}
REASONS = {
    b"5xx": ON_5XX, b"gateway-error": ON_GATEWAY_ERROR, b"reset": ON_RESET,
    b"reset-before-request": ON_RESET_BEFORE_REQUEST, b"connect-failure": ON_CONNECT_FAILURE,
    b"retriable-4xx": ON_4XX, b"retriable-status-codes": ON_STATUS_CODES, b"retriable-headers": ON_HEADERS,
    b"envoy-ratelimited": ON_RATE_LIMITED, **{word: ON_GRPC << status for word, status in GRPC.items()},
}


cdef class RetryPolicy:
    """The policy of a route."""

    def __init__(self, model):
        self.model = model
        self.reasons = reasons_of(",".join(model.retry_on).encode())
        self.retries = model.num_retries
        self.per_try_timeout_ms = milliseconds(model.per_try_timeout_s)
        self.per_try_idle_timeout_ms = milliseconds(model.per_try_idle_timeout_s)
        self.codes = frozenset(model.retriable_status_codes)
        self.response_headers = tuple(HeaderMatcher(each) for each in model.retriable_headers)
        self.request_headers = tuple(HeaderMatcher(each) for each in model.retriable_request_headers)
        self.host_attempts = model.host_selection_retry_max_attempts
        predicates = HostPredicates(model)
        self.predicates = None if predicates.are_none else predicates
        self.base_ms = milliseconds(model.back_off_base_s)
        self.max_ms = milliseconds(model.back_off_max_s)
        self.reset_headers = tuple(
            (each.name.encode(), each.format is ResetFormat.UNIX_TIMESTAMP) for each in model.reset_headers)
        self.reset_max_ms = milliseconds(model.reset_max_s)

    cdef bint admits(self, const RequestFacts *facts) except -1:
        """Whether the request is one of those that are sent again."""
        cdef HeaderMatcher matcher
        for matcher in self.request_headers:
            if matcher.holds(facts):
                return True
        return not self.request_headers

    cdef bint has_header(self, Head *head) except -1:
        """Whether an answer has one of the headers that ask for another try."""
        cdef HeaderMatcher matcher
        cdef RequestFacts facts
        memset(&facts, 0, sizeof(facts))
        facts.head = head
        for matcher in self.response_headers:
            if matcher.holds(&facts):
                return True
        return False

    cdef uint64_t delay_ms(self, uint32_t retry, uint64_t random) noexcept nogil:
        """How long to wait before this retry, from 1 on: by lot below (2^retry - 1) base intervals, and the maximum."""
        cdef uint64_t limit = self.base_ms * ((1ULL << min(retry, <uint32_t> MAX_DOUBLINGS)) - 1)
        return random % min(limit, self.max_ms)

    cdef int64_t stated_delay_ms(self, const Head *head, int64_t epoch_s, uint64_t random) except -2:
        """How long to wait by the word of an answer, and up to half as long again; -1: it does not say so."""
        cdef uint64_t number, delay_ms
        cdef int line
        for name, is_time in self.reset_headers:
            line = next_line(head, name, len(name), 0)
            if line < 0 or not read_number(head.fields[line].value, &number):
                continue
            if is_time:
                number = number - epoch_s if number > <uint64_t> epoch_s else 0
            if number > self.reset_max_ms // 1000 or number == 0 and is_time:
                continue
            delay_ms = number * 1000
            return delay_ms + (random % (delay_ms // 2) if delay_ms > 1 else 0)
        return -1

    def delay(self, retry, random):
        """`delay_ms` for the tests."""
        return self.delay_ms(retry, random)

    def stated_delay(self, bytes head, epoch_s, random=0):
        """`stated_delay_ms` of a response head; None: it says nothing."""
        cdef Head parsed
        cdef bytearray copy = bytearray(head)  # which is parsed in place
        if parse_response(&parsed, copy, len(copy), 100) != HEAD_OK:
            raise ValueError("no response")
        found = self.stated_delay_ms(&parsed, epoch_s, random)
        return None if found < 0 else found

    def asks_again(self, bytes head):
        """Whether a response head is a reason for a retry."""
        cdef Head parsed
        cdef bytearray copy = bytearray(head)  # which is parsed in place
        if parse_response(&parsed, copy, len(copy), 100) != HEAD_OK:
            raise ValueError("no response")
        return is_reason(&parsed, self.reasons, self.codes, ()) or self.reasons & <uint32_t> ON_HEADERS != 0 \
            and self.has_header(&parsed)


def milliseconds(seconds):
    """0 for none, never 0 for a short one."""
    return 0 if not seconds else max(1, round(seconds * 1000))


def reasons(words):
    """The bits of words with commas between them."""
    return reasons_of(words)


cdef uint32_t reasons_of(bytes words):
    """The reasons that these words name, commas between them; those that HTTP/1.1 does not know are none."""
    cdef uint32_t found = 0
    for word in words.split(b","):
        found |= <uint32_t> REASONS.get(word.strip(), 0)
    return found


cdef bint is_reason(const Head *head, uint32_t reasons, object codes, tuple names) except -1:
    """Whether an answer with that head is to be asked for again; `names`: of headers that say so."""
    cdef int status = head.status
    if next_line(head, b"x-envoy-ratelimited", 19, 0) >= 0:
        return reasons & <uint32_t> ON_RATE_LIMITED != 0
    if reasons & <uint32_t> ON_5XX and status >= 500:
        return True
    if reasons & <uint32_t> ON_GATEWAY_ERROR and 502 <= status <= 504:
        return True
    if reasons & <uint32_t> ON_4XX and status == 409:
        return True
    if reasons & <uint32_t> ON_STATUS_CODES and status in codes:
        return True
    if reasons & <uint32_t> ON_HEADERS:
        for name in names:
            if next_line(head, name, len(name), 0) >= 0:
                return True
    return reasons >= <uint32_t> ON_GRPC and reasons >> grpc_status(head) & <uint32_t> ON_GRPC != 0


cdef int grpc_status(const Head *head) noexcept nogil:
    """What a head without a body says in `grpc-status`; 0 for success and for nothing."""
    cdef uint64_t status
    cdef int line = next_line(head, b"grpc-status", 11, 0)
    if line < 0 or not read_number(head.fields[line].value, &status) or status >= STATUSES_OF_GRPC:
        return 0
    return <int> status
