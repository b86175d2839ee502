"""Clusters and hosts as a worker uses them: whom to ask."""

from libc.stdint cimport uint32_t, uint64_t

from fastproxy.balancing cimport Balancer
from fastproxy.circuit_breakers cimport CircuitBreakers
from fastproxy.connections cimport Connection
from fastproxy.session_placement cimport SessionPlacement
from fastproxy.syscalls cimport sockaddr_storage, socklen_t


cdef struct Keepalive:
    bint is_on
    int probes  # 0 here and below: as the system has it
    int time_s
    int interval_s


cdef class Host:
    cdef readonly object model  # model.Host
    cdef readonly bytes address  # `ip:port` or a path, as logs and the session table name it
    cdef sockaddr_storage socket_address
    cdef socklen_t socket_address_length
    cdef uint32_t digest  # 32 bits of the hash of `address`: the host's name in the session table
    cdef uint64_t *counters
    cdef uint64_t *watched  # where all workers count its failures in a row (host_watch); NULL: nobody wants to know
    cdef Connection *idle[2]  # the pools, by priority: the connection used last comes first
    cdef Connection *first_pending[2]  # clients whose requests wait for a connection, by priority
    cdef Connection *last_pending[2]
    cdef readonly Py_ssize_t slot
    cdef readonly bint removed
    cdef Cluster cluster

    cdef int set_path(self, bytes path) except -1


cdef class Cluster:
    cdef object __weakref__
    cdef readonly object model  # model.Cluster
    cdef readonly bytes name
    cdef readonly list hosts
    cdef readonly uint64_t host_set  # a number for these hosts: others have another one
    cdef readonly object departures  # of hosts: (digest, address, when), the last ones
    cdef readonly Balancer balancer
    cdef readonly SessionPlacement placement
    cdef object active  # ActiveRequests of the hosts
    cdef set failing  # hosts that have begun to fail since `take_failing`
    cdef readonly bint closes_on_failure  # the connections of TCP proxies
    cdef readonly CircuitBreakers breakers
    cdef public object hashing  # HashPolicies of the balancer, which count instead of the route's; or None
    cdef uint64_t *counters
    cdef object layout
    cdef object row_view
    cdef uint64_t *row
    cdef readonly Cluster shell  # of a cluster that is no longer: what its connections still need; else None
    cdef object rows  # the counters of all workers
    cdef uint64_t connect_timeout_ms
    cdef uint64_t idle_timeout_ms
    cdef uint64_t max_connection_duration_ms  # 0: none
    cdef Keepalive keepalive
    cdef uint32_t max_requests_per_connection
    cdef uint32_t read_limit
    cdef bint is_checked  # its hosts are
    cdef bint detects_outliers
    cdef bint splits_origin_errors
    cdef uint64_t max_5xx  # in a row, before the supervisor is told; so are the next two
    cdef uint64_t max_gateway_failures
    cdef uint64_t max_local_origin_failures

    cdef int note(self, Host host, model) except -1
    cdef int watch_hosts(self, model) except -1
    cdef int watch(self, Host host) except -1
    cdef Host host_with_digest(self, uint32_t digest)
