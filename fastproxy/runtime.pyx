"""A configuration made ready for one worker: its managers, clusters and hosts, bound to its counters."""

from fastproxy.access_log import AccessLog
from fastproxy.routing import RouteTable as make_route_table
from fastproxy.upstream import Cluster

MIN_HEAD_BYTES = 80 * 1024  # of a response; Envoy 1.40 passes 70 KB and refuses 200 KB


cdef class Manager:
    """One HTTP connection manager of one listener."""

    def __init__(self, model, layout, listener_index, row, clusters):
        cdef uint64_t[::1] view = row
        departures = model.departures
        self.model = model
        self.routes = make_route_table(model.route_config, clusters)
        self.access_logs = [AccessLog(log.path, log.format) for log in model.access_logs]
        self.counters = &view[0] + <Py_ssize_t> layout.http(model.stat_prefix)
        self.listener_counters = &view[0] + <Py_ssize_t> layout.listener(listener_index)
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
        self.max_connection_duration_ms = milliseconds(model.max_connection_duration_s)
        self.max_stream_duration_ms = milliseconds(model.max_stream_duration_s)
        self.max_requests_per_connection = model.max_requests_per_connection
        self.max_head_bytes = model.max_request_headers_kb * 1024
        self.max_fields = model.max_headers_count
        self.use_remote_address = model.use_remote_address
        self.skip_xff_append = model.skip_xff_append
        self.generate_request_id = model.generate_request_id
        self.accept_http_10 = model.accept_http_10
        self.allow_absolute_url = model.allow_absolute_url
        self.sid_affinity = departures.sid_affinity
        self.polls_outlive_default_timeout = departures.polls_outlive_default_timeout
        self.connect_failover = departures.connect_failover


def milliseconds(seconds):
    """A duration of the model as the data plane counts it: 0 for no limit, never 0 for a short one."""
    return 0 if not seconds else max(1, round(seconds * 1000))


cdef class Runtime:
    """Everything that a worker's exchanges need to know.

    `row` is the worker's row of counters (a writable buffer of 64-bit words laid out by `layout`), `sessions` the
    shared memory of the session table or None, `session_key` its 16-byte key.
    """

    def __init__(self, configuration, layout, row, sessions, session_key):
        self.row = row
        self.clusters = {model.name: Cluster(model, layout, row) for model in configuration.clusters}
        self.managers = [
            Manager(listener.manager, layout, index, row, self.clusters)
            for index, listener in enumerate(configuration.listeners)
        ]
        self.sessions = SessionTable(sessions, session_key) if sessions is not None else None
        limits = [manager.model.max_request_headers_kb * 1024 for manager in self.managers]
        self.max_head_bytes = max([MIN_HEAD_BYTES] + limits)

    @property
    def access_logs(self):
        """Every access log of every manager."""
        return [log for manager in self.managers for log in manager.access_logs]
