"""The state of one exchange, and how its connections hold it."""

cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t

from fastproxy._sessions cimport Sealed
from fastproxy.addresses cimport PeerAddress
from fastproxy.affinity_policy cimport Affinity, AffinityPolicy, Protocol
from fastproxy.connections cimport Buffer, Connection
from fastproxy.counters cimport http_sid_opened_polling, route_rx_bytes_total
from fastproxy.exchange.questions cimport Question
from fastproxy.exchange.retries cimport Retries
from fastproxy.header_rules cimport KeptValues
from fastproxy.payloads cimport PayloadCursor
from fastproxy.bodies cimport Body
from fastproxy.routing cimport Route
from fastproxy.runtime cimport Manager
from fastproxy.syscalls cimport iovec
from fastproxy.traffic_limits cimport TrafficLimits
from fastproxy.upstream cimport Cluster, Host

cdef enum:
    MAX_LOGS = 4  # access logs of one manager
    CHUNK_SIZE_BYTES = 20  # of a chunk's size line

cdef enum SidState:
    SID_NONE  # the request carries no session id
    SID_KNOWN  # x.host issued it
    SID_GONE  # a host issued it that the cluster does not have any more
    SID_UNKNOWN  # the table does not have it

cdef enum PacketSource:  # whose body holds packets, and is read
    PACKETS_OF_NOBODY
    PACKETS_OF_CLIENT
    PACKETS_OF_HOST


@cython.final
cdef class PartialHead:
    cdef object parser
    cdef size_t searched
    cdef uint64_t start_ms


@cython.final
cdef class Exchange:
    cdef Connection *downstream
    cdef Connection *upstream
    cdef Manager manager
    cdef Route route
    cdef TrafficLimits limits  # None: none
    cdef int64_t hold  # where its tunnel is counted among those of its key, and 1; 0: nowhere
    cdef Cluster cluster
    cdef Host host
    cdef Body request_body
    cdef Body response_body
    cdef Buffer *opening  # the beginning of a body that may issue an id, inflated
    cdef size_t read_limit  # how much of it is looked at
    cdef size_t interim_bytes  # of 1xx heads so far
    cdef Protocol issuer  # whose id may stand there
    cdef object inflater  # None: it is not compressed
    cdef void *records[4]  # of the access logs; MAX_LOGS
    cdef void *reply_record  # of local_reply_config: what its formats need of the request
    cdef set tried  # hosts that could not be reached
    cdef dict filter_state  # RequestFacts borrows it
    cdef bytes rewritten  # path, as the upstream is asked for it
    cdef tuple hosts  # the texts of a host that was rewritten, owned for the head
    cdef bytes content_type  # of a local reply that is formatted
    cdef bytes location  # of a redirect
    cdef tuple rules  # HeaderRules for the response; None: none
    cdef KeptValues kept  # what the rules need of the request
    cdef list mirrored  # MirroredRequest; None: no copy is to be sent
    cdef list cookies  # Set-Cookie values for an upstream's response; None: none
    cdef list fields  # (name, value) for every response; None: none
    cdef bytes request_id  # that the response has to say; None: nothing
    cdef bytes expected_accept  # what a websocket's 101 must say
    cdef PartialHead partial  # of the response
    cdef Buffer *unsent  # the request, while it waits for a connection
    cdef uint64_t pending_since_ms
    cdef bint is_pending  # it waits in the queue of its host
    cdef bint has_waited  # its turn has come
    cdef Protocol protocol  # of sessions, that the request belongs to; None: none
    cdef Sealed seal  # of its session id, unless sid_state is SID_NONE
    cdef SidState sid_state
    cdef Affinity affinity  # why it goes where it goes
    cdef Question question  # while its hosts are asked whose session it is; else None
    cdef PacketSource packet_source  # of a poll
    cdef PayloadCursor packets
    cdef Retries retries  # of its route; None: none
    cdef uint32_t issuer_digest  # of the host that issued the id
    cdef char sid_beginning[5]  # a few characters for the log
    cdef uint64_t hash
    cdef uint64_t timeout_ms
    cdef uint64_t start_ms
    cdef uint64_t request_deadline_ms  # for the whole request to come; 0: none
    cdef uint64_t end_ms  # of max_stream_duration; 0: none
    cdef uint64_t idle_timeout_ms  # of the exchange, and of the tunnel after it; 0: none
    cdef uint64_t sent_ms  # when the request was complete
    cdef uint64_t answered_ms
    cdef uint64_t upstream_keeps_ms  # how long its connection may be used again; 0: as the cluster says
    cdef uint64_t retry_at_ms  # when it is sent again; 0: it is under way
    cdef uint32_t retried  # how often it was
    cdef uint64_t response_deadline_ms  # the route's timeout; 0: none, or it does not run yet
    cdef int64_t service_time_ms
    cdef PeerAddress client  # as far as it is trusted
    cdef uint64_t bytes_received
    cdef uint64_t bytes_sent
    cdef uint64_t response_flags
    cdef Py_ssize_t first_choice
    cdef int status
    cdef int minor_version
    cdef bint has_hash
    cdef bint is_head
    cdef bint is_upgrade
    cdef bint expects_id  # the answer may issue one: its head is to be looked at
    cdef bint learns_sid  # so is what comes of its body
    cdef bint ends_session  # the request does, if it is answered without an error
    cdef bint opens_session  # the host may issue an id; it counts as one that opens a session until then
    cdef bint is_judged  # its answer may say that its session is lost
    cdef bint answer_is_held  # until it can be judged
    cdef bint keep_alive
    cdef bint request_is_chunked
    cdef bint response_started
    cdef bint is_verbatim  # a local reply that local_reply_config leaves alone
    cdef bint changes_response  # there are rules, cookies or fields
    cdef bint response_is_chunked
    cdef bint upstream_keeps_alive
    cdef bint needs_new_connection  # no kept one: the last one was closed under the request


cdef inline void count_sid(Exchange x, int which) noexcept:
    """Count one of HttpCounter's `sid_` or `packets_` members for the connection manager and for the route."""
    x.downstream.counters[which] += 1
    x.route.counters[which - <int> http_sid_opened_polling] += 1


cdef inline void count_received(Exchange x, size_t length) noexcept:
    """Count bytes of the client for the route, if there is one."""
    if x.route is not None:
        x.route.counters[<int> route_rx_bytes_total] += length


cdef void count_packets(Exchange x) noexcept
cdef Exchange exchange_of(Connection *connection)
cdef void set_exchange(Connection *connection, object exchange) noexcept
cdef int encode(iovec *parts, char *size_line, bint is_chunked, char *data, size_t length, bint done) noexcept
