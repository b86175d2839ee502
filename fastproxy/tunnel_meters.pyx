"""How fast the client of a tunnel may send, and how large its messages may be.

Two token buckets, of messages and of bytes. What was read has to go on, so a read may take more than there is; the
client then is not read until that is paid back, which the kernel lets it feel.
"""

from libc.math cimport ceil
from libc.stdint cimport uint64_t

NAMES = ("passes", "pauses", "too fast", "too large")


# hot

cdef inline double owed_ms(Allowance *allowance, double taken, double passed_ms) noexcept nogil:
    """Take tokens; how long it will be until none are owed."""
    if allowance.per_ms <= 0:
        return 0
    allowance.tokens = min(allowance.tokens + passed_ms * allowance.per_ms, allowance.burst) - taken
    return -allowance.tokens / allowance.per_ms if allowance.tokens < 0 else 0


cdef bint meters_messages(const TunnelMeter *meter) noexcept nogil:
    """Whether the limits speak of messages, and not of bytes alone."""
    return meter.max_message_bytes or meter.messages.per_ms > 0


cdef MeterVerdict meter_take(
    TunnelMeter *meter, uint64_t messages, uint64_t bytes, uint64_t largest_bytes, uint64_t now_ms
) noexcept nogil:
    """So many messages have ended in so many bytes; `largest_bytes` is what the largest message there announces."""
    cdef double passed_ms = now_ms - meter.at_ms
    cdef double wait_ms
    if meter.max_message_bytes and largest_bytes > meter.max_message_bytes:
        return METER_TOO_LARGE
    meter.at_ms = now_ms
    wait_ms = max(owed_ms(&meter.messages, messages, passed_ms), owed_ms(&meter.bytes, bytes, passed_ms))
    if wait_ms <= 0:
        return METER_PASSES
    if meter.closes:
        return METER_TOO_FAST
    meter.resumes_ms = now_ms + <uint64_t> ceil(wait_ms)
    return METER_PAUSES

# end hot


def verdicts(limits, sent):
    """The verdict and the wait in milliseconds for each (milliseconds, messages, bytes, largest) that a client has
    sent; `limits` are messages a second and at once, bytes a second and at once, largest message, closes."""
    cdef TunnelMeter meter
    cdef MeterVerdict verdict
    meter.messages = Allowance(limits[1], limits[0] / 1000, limits[1])
    meter.bytes = Allowance(limits[3], limits[2] / 1000, limits[3])
    meter.max_message_bytes, meter.closes = limits[4], limits[5]
    meter.at_ms = 0
    found = []
    for at_ms, messages, amount, largest in sent:
        meter.resumes_ms = 0
        verdict = meter_take(&meter, messages, amount, largest, at_ms)
        found.append((NAMES[<int> verdict], meter.resumes_ms - <uint64_t> at_ms if meter.resumes_ms else 0))
    return found
