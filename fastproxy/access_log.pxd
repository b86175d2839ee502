cimport cython
from fastproxy.log_file cimport LogFile
from fastproxy.log_filter cimport LogFilter
from fastproxy.log_operations cimport Formats, LogFacts
from fastproxy.log_record cimport LogRecord
from fastproxy.response_flags cimport (  # for whoever fills LogFacts
    FLAG_DC, FLAG_DF, FLAG_DI, FLAG_DPE, FLAG_DT, FLAG_FI, FLAG_IH, FLAG_LH, FLAG_LR, FLAG_NC, FLAG_NR, FLAG_OM,
    FLAG_RL, FLAG_SI, FLAG_UC, FLAG_UF, FLAG_UH, FLAG_UO, FLAG_UPE, FLAG_UR, FLAG_URX, FLAG_UT,
)
from fastproxy.slices cimport Field, Slice


@cython.final
cdef class AccessLog:
    cdef readonly LogFile file
    cdef LogFilter filter  # None: every exchange
    cdef readonly Formats formats  # one

    # for `write` or `discard`; NULL when nothing is kept or there is no memory: then the line shows "-"
    cdef LogRecord *capture_request(
        self, const Slice *method, const Slice *path, const Slice *authority, const Field *fields, int count
    ) noexcept nogil
    # the record, perhaps at another address; the latest response counts
    cdef LogRecord *capture_response(self, LogRecord *record, const Field *fields, int count) noexcept nogil
    # both free the record, which may be NULL
    cdef void write(self, LogRecord *record, const LogFacts *facts) noexcept nogil
    cdef void discard(self, LogRecord *record) noexcept nogil

    cdef char *render(self, const Slice *values, const LogFacts *facts, char *at) noexcept nogil
