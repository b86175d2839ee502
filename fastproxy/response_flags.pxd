from libc.stdint cimport uint64_t

# Bits of a set, in the order in which they are printed: URX before its cause, as Envoy does.
cdef enum:
    FLAG_URX = 1 << 0  # UpstreamRetryLimitExceeded
    FLAG_LH = 1 << 1  # FailedLocalHealthCheck
    FLAG_UH = 1 << 2  # NoHealthyUpstream
    FLAG_UT = 1 << 3  # UpstreamRequestTimeout
    FLAG_LR = 1 << 4  # LocalReset
    FLAG_UR = 1 << 5  # UpstreamRemoteReset
    FLAG_UF = 1 << 6  # UpstreamConnectionFailure
    FLAG_UC = 1 << 7  # UpstreamConnectionTermination
    FLAG_UO = 1 << 8  # UpstreamOverflow
    FLAG_NR = 1 << 9  # NoRouteFound
    FLAG_DI = 1 << 10  # DelayInjected
    FLAG_FI = 1 << 11  # FaultInjected
    FLAG_RL = 1 << 12  # RateLimited
    FLAG_DC = 1 << 13  # DownstreamConnectionTermination
    FLAG_SI = 1 << 14  # StreamIdleTimeout
    FLAG_DPE = 1 << 15  # DownstreamProtocolError
    FLAG_UPE = 1 << 16  # UpstreamProtocolError
    FLAG_NC = 1 << 17  # NoClusterFound
    FLAG_IH = 1 << 18  # InvalidEnvoyRequestHeaders
    FLAG_DT = 1 << 19  # DurationTimeout
    FLAG_OM = 1 << 20  # OverloadManagerTerminated
    FLAG_DF = 1 << 21  # DnsResolutionFailed
    FLAGS = 22

cdef enum:
    FLAG_BYTES = 1024  # room for all names at once

cdef char *put_flags(char *at, bint is_long, uint64_t flags) noexcept nogil
