"""Envoy's response flags: what went wrong with an exchange, as bits, as letters and as long names.

Source: Envoy's access log usage page, %RESPONSE_FLAGS%. Flags that no proxy without filters can raise are left out.
"""

from libc.stdint cimport uint64_t
from libc.string cimport memcpy

from fastproxy.slices cimport Slice

NAMES = (
    (b"URX", b"UpstreamRetryLimitExceeded"),
    (b"LH", b"FailedLocalHealthCheck"),
    (b"UH", b"NoHealthyUpstream"),
    (b"UT", b"UpstreamRequestTimeout"),
    (b"LR", b"LocalReset"),
    (b"UR", b"UpstreamRemoteReset"),
    (b"UF", b"UpstreamConnectionFailure"),
    (b"UC", b"UpstreamConnectionTermination"),
    (b"UO", b"UpstreamOverflow"),
    (b"NR", b"NoRouteFound"),
    (b"DI", b"DelayInjected"),
    (b"FI", b"FaultInjected"),
    (b"RL", b"RateLimited"),
    (b"DC", b"DownstreamConnectionTermination"),
    (b"SI", b"StreamIdleTimeout"),
    (b"DPE", b"DownstreamProtocolError"),
    (b"UPE", b"UpstreamProtocolError"),
    (b"NC", b"NoClusterFound"),
    (b"IH", b"InvalidEnvoyRequestHeaders"),
    (b"DT", b"DurationTimeout"),
    (b"OM", b"OverloadManagerTerminated"),
    (b"DF", b"DnsResolutionFailed"),
)
"""Letters and long name of each bit, from the lowest."""

cdef Slice names[FLAGS][2]


def fill_names():
    cdef int number, form
    for number in range(FLAGS):
        for form in range(2):
            names[number][form] = Slice(<const char *><bytes>NAMES[number][form], len(NAMES[number][form]))


fill_names()


cdef char *put_flags(char *at, bint is_long, uint64_t flags) noexcept nogil:
    """The names of the set joined by commas, `-` for none; returns the end. Needs FLAG_BYTES."""
    cdef const char *start = at
    cdef Slice name
    cdef int number
    for number in range(FLAGS):
        if flags >> number & 1:
            if at != start:
                at[0] = b","
                at += 1
            name = names[number][is_long]
            memcpy(at, name.data, name.length)
            at += name.length
    if at == start:
        at[0] = b"-"
        at += 1
    return at


def format_flags(uint64_t flags, bint is_long=False):
    """`put_flags` for Python."""
    cdef char text[FLAG_BYTES]
    return text[:put_flags(text, is_long, flags) - text]
