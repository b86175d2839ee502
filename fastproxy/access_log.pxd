cimport cython
from libc.stdint cimport int64_t, uint64_t

from fastproxy.log_file cimport LogFile
from fastproxy.log_record cimport LogRecord, Wants
from fastproxy.response_flags cimport (  # for whoever fills LogFacts
    FLAG_DC, FLAG_DF, FLAG_DI, FLAG_DPE, FLAG_DT, FLAG_FI, FLAG_IH, FLAG_LH, FLAG_LR, FLAG_NC, FLAG_NR, FLAG_OM,
    FLAG_RL, FLAG_SI, FLAG_UC, FLAG_UF, FLAG_UH, FLAG_UO, FLAG_UPE, FLAG_UR, FLAG_URX, FLAG_UT,
)
from fastproxy.slices cimport Field, Slice

# What one exchange leaves to be told. An empty slice and a negative duration are unset. The slices are borrowed.
cdef struct LogFacts:
    int64_t start_us  # since the epoch
    int64_t duration_us
    int64_t request_duration_us
    int64_t response_duration_us
    uint64_t bytes_received
    uint64_t bytes_sent
    int response_code  # 0: nothing was sent
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

# One piece of a line. A date is formatted once for each second and kept.
cdef struct Operation:
    int kind
    int which
    Slice text
    int64_t second
    size_t rendered_length
    char rendered[128]


@cython.final
cdef class AccessLog:
    cdef readonly LogFile file
    cdef list texts
    cdef Operation *operations
    cdef int operation_count
    cdef int fact_count
    cdef size_t fixed_bytes
    cdef Wants wants

    # for `write` or `discard`; NULL when nothing is kept or there is no memory: then the line shows "-"
    cdef LogRecord *capture_request(
        self, const Slice *method, const Slice *path, const Slice *authority, const Field *fields, int count
    ) noexcept nogil
    # the record, perhaps at another address; the latest response counts
    cdef LogRecord *capture_response(self, LogRecord *record, const Field *fields, int count) noexcept nogil
    # both free the record, which may be NULL
    cdef void write(self, LogRecord *record, const LogFacts *facts) noexcept nogil
    cdef void discard(self, LogRecord *record) noexcept nogil

    cdef int add(self, Operation *operation, object operator) except -1
    cdef int want(self, object operator) except -1
    cdef char *render(self, const Slice *values, const LogFacts *facts, char *at) noexcept nogil
