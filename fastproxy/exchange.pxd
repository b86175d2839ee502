"""One request and its response: route, pick, connect, send, relay, log."""

cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t

from fastproxy.affinity cimport EngineIo
from fastproxy.access_log cimport LogFacts
from fastproxy.connections cimport Buffer, Connection, Connections
from fastproxy.heads cimport RequestHead, ResponseHead, Writer
from fastproxy.http1 cimport Body, Framing, Head, HeadError, HeadGuard
from fastproxy.routing cimport Route
from fastproxy.runtime cimport Manager, Runtime
from fastproxy.slices cimport Slice
from fastproxy.stamps cimport Stamps
from fastproxy.syscalls cimport iovec
from fastproxy.tunnel cimport Tunnel
from fastproxy.upstream cimport Host

cdef enum:
    MAX_LOGS = 4  # access logs of one manager


@cython.final
cdef class PartialHead:
    cdef object parser
    cdef size_t searched


@cython.final
cdef class Exchange:
    cdef Connection *downstream
    cdef Connection *upstream
    cdef Manager manager
    cdef Route route
    cdef Host host
    cdef Body request_body
    cdef Body response_body
    cdef Buffer *opening  # the beginning of an answer that may hold an open packet
    cdef void *records[4]  # of the access logs; MAX_LOGS
    cdef set tried  # hosts that could not be reached
    cdef bytes rewritten
    cdef bytes expected_accept  # what a websocket's 101 must say
    cdef PartialHead partial  # of the response
    cdef uint64_t hash
    cdef uint64_t timeout_ms
    cdef uint64_t start_ms
    cdef uint64_t sent_ms  # when the request was complete
    cdef uint64_t answered_ms
    cdef int64_t service_time_ms
    cdef uint64_t bytes_received
    cdef uint64_t bytes_sent
    cdef uint64_t response_flags
    cdef Py_ssize_t first_choice
    cdef int status
    cdef int minor_version
    cdef bint has_hash
    cdef bint is_head
    cdef bint is_upgrade
    cdef bint learns_sid
    cdef bint keep_alive
    cdef bint request_is_chunked
    cdef bint response_started
    cdef bint response_is_chunked
    cdef bint upstream_keeps_alive


@cython.final
cdef class Exchanges:
    cdef readonly Connections io
    cdef readonly Runtime runtime
    cdef char client_ip[48]
    cdef HeadGuard guard
    cdef Head head
    cdef Writer writer
    cdef Stamps stamps
    cdef uint32_t session_lifetime_s
    cdef readonly bint draining
    cdef readonly size_t active
    cdef readonly size_t tunnels

    cdef void accepted(self, Connection *c, Manager manager)
    cdef void downstream_event(self, Connection *c, uint32_t events)
    cdef bint downstream_writable(self, Connection *c)
    cdef void read_downstream(self, Connection *c)
    cdef void received(self, Connection *c, char *data, size_t length)
    cdef void consume_held(self, Connection *c)
    cdef void consume(self, Connection *c, char *data, size_t length)
    cdef void downstream_failed(self, Connection *c)
    cdef void close_downstream(self, Connection *c)
    cdef void end_downstream(self, Connection *c, bint linger)
    cdef ssize_t take_request(self, Connection *c, char *data, size_t length)
    cdef bint admit_request(self, Connection *c, char *data, size_t length)
    cdef ssize_t begin_partial_head(self, Connection *c, char *data, size_t length)
    cdef bint partial_head_grew(self, Connection *c)
    cdef Exchange begin(self, Connection *c, Manager manager)
    cdef void refuse(self, Exchange x, HeadError error)
    cdef ssize_t start(self, Exchange x, char *body, size_t length)
    cdef ssize_t after_reply(self, Exchange x)
    cdef bint check_request(self, Exchange x, RequestHead *plan)
    cdef bint check_upgrade(self, Exchange x)
    cdef Framing request_framing(self, Exchange x)
    cdef bint expects_continue(self)
    cdef void say_continue(self, Exchange x)
    cdef bint pick(self, Exchange x, RequestHead *plan, EngineIo *engine_io)
    cdef void plan_request(self, Exchange x, RequestHead *plan)
    cdef ssize_t take_request_body(self, Exchange x, char *data, size_t length, iovec *head)
    cdef void send_more(self, Exchange x, iovec *parts, int count)
    cdef void request_complete(self, Exchange x)
    cdef void attempt(self, Exchange x, iovec *parts, int count)
    cdef void bind(self, Exchange x, Connection *u)
    cdef void unbind(self, Exchange x)
    cdef void drop_upstream(self, Exchange x)
    cdef void close_upstream(self, Connection *u)
    cdef bint next_host(self, Exchange x)
    cdef void connect_failed(self, Exchange x, bytes reason)
    cdef void retry_connect(self, Exchange x, bytes reason)
    cdef void upstream_event(self, Connection *u, uint32_t events)
    cdef void upstream_writable(self, Exchange x, Connection *u)
    cdef void read_upstream(self, Connection *u)
    cdef void upstream_ended(self, Exchange x, Connection *u)
    cdef void protocol_error(self, Exchange x)
    cdef void answered(self, Exchange x, Connection *u, char *data, size_t length)
    cdef void take_response(self, Exchange x, Connection *u, char *data, size_t length)
    cdef bint keep_partial_response(self, Exchange x, Connection *u, char *data, size_t length)
    cdef bint admit_response(self, Exchange x, char *data, size_t head_end, size_t message_end)
    cdef Framing response_framing(self, Exchange x)
    cdef void start_response(self, Exchange x, Connection *u, char *data, size_t head_end, size_t length)
    cdef void plan_response(self, Exchange x, Connection *u, Framing framing)
    cdef void fill_response_head(self, Exchange x, ResponseHead *plan)
    cdef void send_response_head(self, Exchange x, Connection *u, char *body, size_t length)
    cdef void relay_response(self, Exchange x, char *data, size_t length, iovec *head)
    cdef bint send_downstream(self, Exchange x, iovec *parts, int count)
    cdef void broken_body(self, Exchange x, iovec *head)
    cdef void learn(self, Exchange x, char *data, size_t length)
    cdef void finish(self, Exchange x, bint surplus)
    cdef void await_request(self, Connection *c, Manager manager)
    cdef void reply(self, Exchange x, int status, bytes body)
    cdef void abort(self, Exchange x)
    cdef void count_status(self, Exchange x)
    cdef void end(self, Exchange x)
    cdef void begin_records(self, Exchange x, RequestHead *plan)
    cdef void keep_response_fields(self, Exchange x)
    cdef void log(self, Manager manager, void **records, Exchange x, Connection *c)
    cdef void fill_facts(self, LogFacts *facts, Exchange x)
    cdef void begin_tunnel(self, Exchange x, char *data, size_t length)
    cdef void become_tunnel(self, Exchange x, Connection *c, Connection *u, Tunnel *tunnel)
    cdef void tunnel_event(self, Connection *connection, uint32_t events)
    cdef void end_tunnel(self, Tunnel *tunnel, uint64_t flags)
    cdef void resume(self, Connection *connection)
    cdef void timer(self, Connection *connection)
    cdef void upstream_timer(self, Connection *u)
    cdef void downstream_timer(self, Connection *c)
    cdef void drain(self)
    cdef void close_all(self)
    cdef void discard(self, Connection *connection)
