cimport cython
from libc.stdint cimport int64_t, uint64_t

from fastproxy.log_record cimport Wants
from fastproxy.slices cimport Slice

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
    FACT_SLICES = 9
    LOCAL_ADDRESS_FACT = 5

# What one exchange leaves to be told. An empty slice and a negative duration are unset. The slices are borrowed.
cdef struct LogFacts:
    int64_t start_us  # since the epoch
    int64_t duration_us
    int64_t request_duration_us
    int64_t response_duration_us
    uint64_t bytes_received
    uint64_t bytes_sent
    int response_code  # 0: nothing was sent
    int attempt_count  # of requests upstream, retries included
    int protocol  # 10, 11, or 0 when unknown
    uint64_t flags  # bits of response_flags.pxd
    Slice upstream_host
    Slice upstream_cluster
    Slice upstream_local_address
    Slice downstream_remote_address  # ip:port of the trusted client
    Slice downstream_direct_remote_address
    Slice downstream_local_address
    Slice route_name
    Slice response_code_details
    Slice fastproxy_affinity

# One piece of a line. A date is formatted once for each second and kept.
cdef struct Operation:
    int kind
    int which
    Slice text
    int64_t second
    size_t rendered_length
    char rendered[128]


@cython.final
cdef class Formats:
    cdef list texts
    cdef Operation *operations  # `which` of a value: its place in the record
    cdef int *ends  # of each format, behind its last piece
    cdef int count
    cdef int fact_count
    cdef size_t fixed_bytes
    cdef readonly bint tells_local_address
    cdef Wants wants

    cdef size_t most(self, size_t value_bytes, const LogFacts *facts) noexcept nogil
    cdef char *render(
        self, int which, const Slice *values, const LogFacts *facts, char *at, bint shows_unset
    ) noexcept nogil


cdef size_t fill_operation(Operation *operation, object operator) except 0
cdef char *put_operation(char *at, Operation *operation, const Slice *values, const LogFacts *facts) noexcept nogil
