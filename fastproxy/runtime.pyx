"""A configuration made ready for one worker: its listeners, clusters and hosts, bound to its counters."""

from dataclasses import replace

from fastproxy import model as models
from fastproxy.connections import read_limit_of
from fastproxy.affinity_policy import policy_of
from fastproxy.addresses cimport PeerAddress, read_local_address
from fastproxy.client_address import ClientAddresses
from fastproxy.filter_state import SetFilterState as make_filter_state
from fastproxy.hashing import HashPolicies
from fastproxy.limit_tables import LimitTables
from fastproxy.model import (
    NO_NORMALIZATION,
    HeaderKeyFormat,
    HeadersWithUnderscoresAction,
    RouteConfiguration,
    ServerHeaderTransformation,
)
from fastproxy.path_normalization import Normalization as make_normalization
from fastproxy.reply_mapping import ReplyMapping as make_reply_mapping
from fastproxy.routing import RouteTable as make_route_table
from fastproxy.stats import clear_taken
from fastproxy.tcp_proxy import log_of
from fastproxy.timers import milliseconds
from fastproxy.traffic_limits import LimitMaker
from fastproxy.upstream import Cluster

MIN_HEAD_BYTES = 80 * 1024  # of a response; Envoy 1.40 passes 70 KB and refuses 200 KB

cdef enum:
    FLUSH_FACTOR = 10  # of delayed_close_timeout: for a closing connection to take something of what is left for it
    FLUSH_TIMEOUT_MS = 10000  # the same where that is 0


cdef class Manager:
    """One HTTP connection manager of one listener."""

    def __init__(self, model, layout, listener_index, row, clusters, logs):
        cdef uint64_t[::1] view = row
        departures = model.departures
        self.model = model
        self.routes = make_route_table(model.route_config, clusters, policy_of(model.affinity))
        self.routes.count_in(row, layout)
        self.access_logs = [log_of(log, logs) for log in model.access_logs]
        self.logs_local_address = any(log.formats.tells_local_address for log in self.access_logs)
        self.replies = None if model.local_replies is None else make_reply_mapping(model.local_replies)
        self.filter_state = make_filter_state(model.filter_state) if model.filter_state else None
        self.counters = &view[0] + <Py_ssize_t> layout.http(model.stat_prefix)
        self.listener_counters = &view[0] + <Py_ssize_t> layout.listener(listener_index)
        self.address_limit = layout.listener(listener_index) + 1
        self.server_name = model.server_name.encode()
        self.add_user_agent = model.add_user_agent
        self.service_cluster = model.service_cluster.encode()
        self.service_node = model.service_node.encode()
        self.default_host = model.default_host_for_http_10.encode()
        self.idle_timeout_ms = milliseconds(model.idle_timeout_s)
        self.stream_idle_timeout_ms = milliseconds(model.stream_idle_timeout_s)
        self.request_timeout_ms = milliseconds(model.request_timeout_s)
        self.request_headers_timeout_ms = milliseconds(model.request_headers_timeout_s)
        self.drain_timeout_ms = milliseconds(model.drain_timeout_s)
        self.delayed_close_timeout_ms = milliseconds(model.delayed_close_timeout_s)
        self.flush_timeout_ms = FLUSH_FACTOR * self.delayed_close_timeout_ms or FLUSH_TIMEOUT_MS
        self.max_connection_duration_ms = milliseconds(model.max_connection_duration_s)
        self.max_stream_duration_ms = milliseconds(model.max_stream_duration_s)
        self.max_requests_per_connection = model.max_requests_per_connection
        self.max_head_bytes = model.max_request_headers_kb * 1024
        self.max_fields = model.max_headers_count
        self.use_remote_address = model.use_remote_address
        self.skip_xff_append = model.skip_xff_append
        self.generate_request_id = model.generate_request_id
        self.set_head_options(model)
        self.accept_http_10 = model.accept_http_10
        self.proxy_100_continue = model.proxy_100_continue
        self.allow_absolute_url = model.allow_absolute_url
        self.polls_outlive_default_timeout = departures.polls_outlive_default_timeout
        self.connect_failover = departures.connect_failover

    cdef int set_head_options(self, model) except -1:
        """What is done to heads beyond what every configuration asks for."""
        self.client_addresses = ClientAddresses(model)
        self.via = model.via.encode()
        self.scheme = model.scheme_to_overwrite.encode()
        if model.normalization != NO_NORMALIZATION:
            self.normalization = make_normalization(model.normalization, self.max_head_bytes)
        self.preserve_external_request_id = model.preserve_external_request_id
        self.always_set_request_id_in_response = model.always_set_request_id_in_response
        self.append_x_forwarded_port = model.append_x_forwarded_port
        self.forward_client_cert = model.forward_client_cert
        self.says_more = bool(self.via or self.scheme or self.append_x_forwarded_port)
        self.screens_names = model.headers_with_underscores_action != HeadersWithUnderscoresAction.ALLOW
        self.rejects_underscores = model.headers_with_underscores_action == HeadersWithUnderscoresAction.REJECT_REQUEST
        self.keeps_server = model.server_header_transformation != ServerHeaderTransformation.OVERWRITE
        self.adds_server = model.server_header_transformation != ServerHeaderTransformation.PASS_THROUGH
        self.suppress_envoy_headers = model.suppress_envoy_headers
        self.stream_error_on_invalid_http_message = model.stream_error_on_invalid_http_message
        self.proper_case = model.header_key_format == HeaderKeyFormat.PROPER_CASE_WORDS
        self.preserve_case = model.header_key_format == HeaderKeyFormat.PRESERVE_CASE
        return 0

    def set_limits(self, maker):
        """Have the limits that the model asks for hold."""
        maker.service_cluster = self.model.service_cluster
        self.limits = maker.ready(self.model.limits)
        self.gate = maker.gate(self.model.connection_limit)
        self.max_connections_per_address = self.model.max_connections_per_address
        self.limits_connections = self.gate is not None or self.max_connections_per_address > 0
        self.routes.set_limits(maker, self.limits)

    def supersede(self, Manager successor):
        """Another configuration is in use. Without a successor connections that are here end by and by, and until then
        requests find their routes; else the next request of each is the successor's, and nobody needs routes here."""
        self.superseded = True
        self.successor = successor
        if successor is not None:
            self.routes = None
            self.model = replace(self.model, route_config=RouteConfiguration(()))

    cdef Manager newest(self):
        """The last manager of the same listener: the one that is in use, or a superseded one when that went."""
        cdef Manager manager = self
        while manager.successor is not None:
            manager = manager.successor
        if manager is not self:
            self.successor = manager  # those between are not held for the sake of one tunnel
        return manager

    cdef bint continues(self, Manager other) noexcept:
        """Whether a tunnel that began under `other` can as well be this one's: it is counted and logged alike."""
        return self.counters == other.counters and self.listener_counters == other.listener_counters \
            and self.access_logs == other.access_logs and same_gate(self.gate, other.gate)


cdef bint same_gate(ConnectionGate one, ConnectionGate other) noexcept:
    """Whether both count at the same place, or neither counts."""
    if one is None or other is None:
        return one is other
    return one.counters == other.counters


cdef class Chain:
    """A filter chain made ready: a connection manager, a TCP proxy, or nothing, which closes."""


cdef class Listener:
    """A listener's filter chains, and how one of them is found for a connection."""

    def __init__(self, model, layout, index, row, clusters, logs):
        cdef uint64_t[::1] view = row

        def ready(filter):
            cdef Chain chain = Chain()
            if isinstance(filter, models.TcpProxy):
                chain.tcp_proxy = TcpProxy(filter, layout, index, row, clusters, logs)
            elif filter is not None:
                chain.manager = Manager(filter, layout, index, row, clusters, logs)
                chain.manager.buffer_limit_bytes = model.per_connection_buffer_limit_bytes or ~<size_t> 0
            return chain

        self.model = model
        self.counters = &view[0] + <Py_ssize_t> layout.listener(index)
        self.read_limit = read_limit_of(model.per_connection_buffer_limit_bytes)
        self.chains = [ready(chain.filter) for chain in model.filter_chains]
        self.default = None if self.chains and model.filter is None else ready(model.filter)
        self.matching = FilterChains([chain.match for chain in model.filter_chains]) if self.chains else None

    @property
    def served(self):
        """All chains, the default last."""
        return self.chains if self.default is None else [*self.chains, self.default]

    def supersede(self, Listener successor):
        """Another configuration is in use, with `successor` on this address, or none. A manager is followed by that of
        the chain with its match, or by the only one where there was only one."""
        cdef Chain chain
        before = self.managers()
        after = {} if successor is None else successor.managers()
        for match, manager in before.items():
            if match not in after and len(before) == len(after) == 1:
                match = next(iter(after))
            manager.supersede(after.get(match))
        for chain in self.served:
            if chain.tcp_proxy is not None:
                chain.tcp_proxy.supersede()

    def managers(self):
        """The connection managers by the matches of their chains, that of the default by None."""
        matches = [*(chain.match for chain in self.model.filter_chains), None]
        chains = zip(matches, self.served, strict=False)  # there may be no default
        return {match: chain.manager for match, chain in chains if chain.manager is not None}

    cdef Chain find(self, Connection *connection):
        """The chain that takes an accepted connection; None when none does."""
        cdef PeerAddress local
        cdef Py_ssize_t place
        read_local_address(&local, connection.fd)
        place = self.matching.find(&local, &connection.address)
        return self.default if place < 0 else <Chain> self.chains[place]


cdef class Runtime:
    """Everything that a worker's exchanges need to know.

    `row` is the worker's row of counters (a writable buffer of 64-bit words laid out by `layout`), `rows` those of all
    workers where there are others, `sessions` the shared memory of the session table or None, `session_key` its 16-byte
    key, `tables` the LimitTables (without them it has some of its own). Made `next` to another one it shares with it
    what is the same in both: clusters with their connections, session table, tables of limits, open access logs.
    """

    def __init__(
        self, configuration, layout, row, sessions, session_key, Runtime previous=None, rows=None, tables=None
    ):
        self.row = row
        self.rows = rows
        self.configuration = configuration
        self.layout = layout
        self.clusters = {model.name: self.cluster_of(model, previous) for model in configuration.clusters}
        logs = {} if previous is None else dict(previous.open_logs)
        self.listeners = [
            Listener(model, layout, index, row, self.clusters, logs)
            for index, model in enumerate(configuration.listeners)
        ]
        chains = [chain for listener in self.listeners for chain in listener.served]
        self.managers = [chain.manager for chain in chains if chain.manager is not None]
        self.tcp_proxies = [chain.tcp_proxy for chain in chains if chain.tcp_proxy is not None]
        users = self.managers + self.tcp_proxies
        self.tables = tables or (LimitTables.private() if previous is None else previous.tables)
        maker = LimitMaker(layout, row, rows or [row], self.tables)
        for user in users:
            user.set_limits(maker)
        self.open_logs = {model: logs[model] for user in users for model in user.model.access_logs}
        for log in self.open_logs.values():
            log.file.count_in(row, layout.filesystem())
        if previous is not None:
            self.sessions = previous.sessions
        elif sessions is not None:
            self.sessions = SessionTable(sessions, session_key)
        limits = [manager.model.max_request_headers_kb * 1024 for manager in self.managers]
        self.max_head_bytes = max([MIN_HEAD_BYTES] + limits)

    def next(self, configuration, layout):
        """A runtime that can take over from this one, which notices nothing of it. `layout` extends the one here."""
        return Runtime(configuration, layout, self.row, None, None, self, self.rows)

    def cluster_of(self, model, Runtime previous):
        """The cluster of `previous` when it can be that one too, else a new one."""
        cluster = None if previous is None else previous.clusters.get(model.name)
        if cluster is not None and cluster.can_become(model, self.layout):
            return cluster
        made = Cluster(model, self.layout, self.row, self.rows)
        made.hashing = HashPolicies(model.hash_policies) if model.hash_policies else None
        return made

    def take_over(self, Runtime previous):
        """Be in use instead of `previous`, which `next` was called of. Returns hosts that are not used any more by
        clusters that go on, for their connections to be closed."""
        clear_taken(self.layout, self.row)
        gone = []
        for model in self.configuration.clusters:
            gone += self.clusters[model.name].become(model, self.layout)
        for name, cluster in previous.clusters.items():
            if self.clusters.get(name) is not cluster:
                if name in self.clusters:
                    self.clusters[name].inherit(cluster)
                cluster.retire()
        by_address = {listener.model.address: listener for listener in self.listeners}
        for listener in previous.listeners:
            listener.supersede(by_address.get(listener.model.address))
        return gone

    def sweep(self, uint32_t now_s):
        """Remove what has expired from a part of the session table; called once a second. How many that were."""
        return 0 if self.sessions is None else self.sessions.sweep_share(now_s)

    @property
    def access_logs(self):
        """Every access log of every manager and TCP proxy."""
        return list(self.open_logs.values())
