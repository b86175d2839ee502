"""A configuration made ready for one worker: its listeners, clusters and hosts, bound to its counters."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from fastproxy._sessions cimport SessionTable
from fastproxy.client_address cimport ClientAddresses
from fastproxy.connection_gates cimport ConnectionGate
from fastproxy.connections cimport Connection
from fastproxy.filter_chains cimport FilterChains
from fastproxy.filter_state cimport SetFilterState
from fastproxy.limit_tables cimport LimitTables
from fastproxy.path_normalization cimport Normalization
from fastproxy.reply_mapping cimport ReplyMapping
from fastproxy.routing cimport RouteTable
from fastproxy.tcp_proxy cimport TcpProxy
from fastproxy.traffic_limits cimport TrafficLimits


cdef class Manager:
    cdef object __weakref__
    cdef readonly object model  # model.HttpConnectionManager
    cdef readonly RouteTable routes
    cdef readonly list access_logs
    cdef readonly Manager successor  # once another configuration is in use: the manager of the same listener, if any
    cdef readonly bint superseded
    cdef Normalization normalization  # None: path and authority are taken as they come
    cdef SetFilterState filter_state  # None: no filter leaves anything there
    cdef ReplyMapping replies  # None: local replies stay as they are
    cdef TrafficLimits limits  # of requests for which there is no route; None: none
    cdef uint64_t *counters
    cdef uint64_t *listener_counters
    cdef ClientAddresses client_addresses
    cdef bytes server_name
    cdef bytes via
    cdef bytes scheme  # to be said in place of http; empty: none
    cdef bytes service_cluster
    cdef bytes service_node
    cdef bytes default_host
    cdef uint64_t idle_timeout_ms
    cdef uint64_t stream_idle_timeout_ms
    cdef uint64_t request_timeout_ms
    cdef uint64_t request_headers_timeout_ms
    cdef uint64_t drain_timeout_ms
    cdef uint64_t delayed_close_timeout_ms
    cdef uint64_t flush_timeout_ms
    cdef uint64_t max_connection_duration_ms
    cdef uint64_t max_stream_duration_ms
    cdef uint32_t max_requests_per_connection
    cdef size_t max_head_bytes
    cdef size_t buffer_limit_bytes  # of its listener's connections; as much is kept of a request to be sent again
    cdef int max_fields
    cdef bint use_remote_address
    cdef bint skip_xff_append
    cdef bint add_user_agent
    cdef bint generate_request_id
    cdef bint preserve_external_request_id
    cdef bint always_set_request_id_in_response
    cdef bint append_x_forwarded_port
    cdef bint forward_client_cert
    cdef bint says_more  # scheme, via or x-forwarded-port
    cdef bint screens_names  # for underscores
    cdef bint rejects_underscores
    cdef bint keeps_server  # that an upstream has sent
    cdef bint adds_server  # where there is none
    cdef bint suppress_envoy_headers
    cdef bint stream_error_on_invalid_http_message
    cdef bint proper_case
    cdef bint preserve_case
    cdef bint logs_local_address
    cdef bint accept_http_10
    cdef bint proxy_100_continue
    cdef bint allow_absolute_url
    cdef bint polls_outlive_default_timeout
    cdef bint connect_failover
    cdef readonly ConnectionGate gate  # None: as many connections as there may be
    cdef uint64_t max_connections_per_address  # 0: no limit
    cdef uint64_t address_limit  # what that is called in the keys of addresses
    cdef bint limits_connections

    cdef int set_head_options(self, model) except -1
    cdef Manager newest(self)
    cdef bint continues(self, Manager other) noexcept


cdef class Chain:
    cdef readonly Manager manager
    cdef readonly TcpProxy tcp_proxy


cdef class Listener:
    cdef readonly object model  # model.Listener
    cdef readonly list chains
    cdef readonly Chain default  # of what no chain takes; None: that is closed
    cdef FilterChains matching  # None: the default takes everything
    cdef uint64_t *counters
    cdef uint32_t read_limit

    cdef Chain find(self, Connection *connection)


cdef class Runtime:
    cdef readonly dict clusters
    cdef readonly list listeners
    cdef readonly list managers
    cdef readonly list tcp_proxies
    cdef readonly SessionTable sessions
    cdef readonly object configuration  # model.Configuration
    cdef readonly object layout
    cdef readonly LimitTables tables
    cdef readonly dict open_logs  # of the managers, by model.AccessLog
    cdef object row
    cdef object rows  # None: there is no other worker
    cdef object __weakref__
    cdef readonly size_t max_head_bytes
