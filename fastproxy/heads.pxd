"""Writes heads anew from parsed fields: what was not understood is not forwarded."""

from libc.stdint cimport int64_t, uint64_t

from fastproxy.http1 cimport Head
from fastproxy.slices cimport Slice

cdef struct Writer:
    char *start
    char *at
    char *end
    bint overflow

cdef struct RequestHead:  # what the proxy decided about a request's head
    Slice path
    Slice authority
    Slice original_path  # x-envoy-original-path; empty: none
    uint64_t timeout_ms  # x-envoy-expected-rq-timeout-ms; 0: none
    uint64_t attempt_count  # x-envoy-attempt-count; 0: none
    bint is_upgrade
    bint is_chunked
    bint keeps_expect  # `100-continue`: the upstream is to answer it
    bint needs_length  # a method that has a body came without one: say content-length: 0

cdef struct ResponseHead:
    Slice server_name
    Slice date
    int64_t service_time_ms  # x-envoy-upstream-service-time; -1: none
    Slice via  # to be appended; empty: nothing
    Slice request_id  # to be said in x-request-id; empty: nothing
    int minor_version
    bint keeps_server  # that the upstream has sent
    bint proper_case  # of the names
    bint is_upgrade
    bint is_chunked
    bint close
    bint keep_alive  # to be said, for HTTP/1.0


cdef void put(Writer *writer, const char *data, size_t length) noexcept nogil
cdef void put_number(Writer *writer, uint64_t number) noexcept nogil
cdef void write_request(Writer *writer, Head *head, RequestHead *plan) noexcept nogil
cdef void write_interim(Writer *writer, Head *head, bint proper_case) noexcept nogil
cdef void write_response(Writer *writer, Head *head, ResponseHead *plan) noexcept nogil
cdef void write_local_reply(
    Writer *writer, Head *head, size_t body_bytes, Slice content_type, ResponseHead *plan, bint is_head
) noexcept nogil
