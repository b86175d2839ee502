"""How fast the client of a tunnel may send, and how large its messages may be."""

from libc.stdint cimport uint64_t

cdef enum MeterVerdict:
    METER_PASSES
    METER_PAUSES  # until `resumes_ms`
    METER_TOO_FAST  # the tunnel is to be closed
    METER_TOO_LARGE

cdef struct Allowance:  # a token bucket; tokens below zero are owed
    double tokens
    double per_ms  # 0: no limit
    double burst

cdef struct TunnelMeter:
    Allowance messages
    Allowance bytes
    uint64_t at_ms  # of the tokens
    uint64_t max_message_bytes  # 0: no limit
    uint64_t resumes_ms  # nothing is read from the client before; 0: it is
    bint closes  # rather than to pause


cdef bint meters_messages(const TunnelMeter *meter) noexcept nogil
cdef MeterVerdict meter_take(
    TunnelMeter *meter, uint64_t messages, uint64_t bytes, uint64_t largest_bytes, uint64_t now_ms
) noexcept nogil
