"""Clusters and hosts as a worker uses them: whom to ask."""

from libc.string cimport memcpy, memset

import socket as sockets
from collections import deque
from dataclasses import replace
from itertools import count
from time import monotonic

from fastproxy._ring cimport xx_hash_64
from fastproxy.active_requests import ActiveRequests
from fastproxy.balancers import balancer_for
from fastproxy.circuit_breakers import CircuitBreakers as make_circuit_breakers
from fastproxy.session_placement import SessionPlacement as make_session_placement
from fastproxy.connections import read_limit_of
from fastproxy.model import HealthFlag
from fastproxy.counters cimport cluster_lb_healthy_panic, cluster_upstream_rq_active, host_rq_active
from fastproxy.syscalls cimport (
    AF_INET, AF_INET6, AF_UNIX, htons, inet_pton, sa_family_t, sockaddr_in, sockaddr_in6, sockaddr_un, socklen_t,
)

FOUND_FAILING = HealthFlag.FAILED_ACTIVE_HC | HealthFlag.FAILED_OUTLIER_CHECK
MAX_DEPARTURES = 256  # hosts of a cluster that are remembered when they have left
HOST_SETS = count(1)


cdef class Host:
    """One upstream host of a worker, with its pools of idle connections and who waits for one."""

    def __init__(self, model):
        cdef sockaddr_in *v4 = <sockaddr_in *> &self.socket_address
        cdef sockaddr_in6 *v6 = <sockaddr_in6 *> &self.socket_address
        cdef bytes ip = model.address.host.encode()
        self.model = model
        self.address = str(model.address).encode()
        self.digest = <uint32_t> xx_hash_64(self.address, len(self.address), 0)
        memset(&self.socket_address, 0, sizeof(self.socket_address))
        if model.address.path:
            self.set_path(model.address.path.encode())
        elif inet_pton(AF_INET, ip, &v4.sin_addr) == 1:
            v4.sin_family = AF_INET
            v4.sin_port = htons(model.address.port)
            self.socket_address_length = sizeof(sockaddr_in)
        elif inet_pton(AF_INET6, ip, &v6.sin6_addr) == 1:
            v6.sin6_family = AF_INET6
            v6.sin6_port = htons(model.address.port)
            self.socket_address_length = sizeof(sockaddr_in6)
        else:
            raise ValueError(f"not an IP address: {model.address.host}")

    cdef int set_path(self, bytes path) except -1:
        """Connect to a Unix socket; a name that begins with `@` is in the abstract namespace (unix(7))."""
        cdef sockaddr_un *unix = <sockaddr_un *> &self.socket_address
        cdef size_t length = len(path)
        if length >= sizeof(unix.sun_path):
            raise ValueError(f"the path of a Unix socket is too long: {path}")
        unix.sun_family = AF_UNIX
        memcpy(unix.sun_path, <const char *> path, length)
        if path[:1] == b"@":
            unix.sun_path[0] = 0
        else:
            length += 1
        self.socket_address_length = <socklen_t> (sizeof(sa_family_t) + length)
        return 0


cdef class Cluster:
    """A cluster's hosts and their balancer. `set_hosts` replaces both; connections to hosts that stay are kept.

    `rows` are the counters of all workers, `row` those of this one; None: there is no other.
    """

    def __init__(self, model, layout, row, rows=None):
        cdef uint64_t[::1] view = row
        self.rows = [row] if rows is None else rows
        self.model = model
        self.name = model.name.encode()
        self.layout = layout
        self.row_view = row
        self.row = &view[0]
        self.counters = self.row + <Py_ssize_t> layout.cluster(model.name)
        self.breakers = make_circuit_breakers(model.circuit_breakers, self.rows, row, layout.cluster(model.name))
        self.connect_timeout_ms = max(1, round(model.connect_timeout_s * 1000))
        self.idle_timeout_ms = max(1, round(model.idle_timeout_s * 1000)) if model.idle_timeout_s else 0
        duration_s = model.max_connection_duration_s
        self.max_connection_duration_ms = max(1, round(duration_s * 1000)) if duration_s else 0
        if model.tcp_keepalive is not None:
            self.keepalive = Keepalive(
                True, model.tcp_keepalive.probes, model.tcp_keepalive.time_s, model.tcp_keepalive.interval_s)
        self.max_requests_per_connection = model.max_requests_per_connection
        self.read_limit = read_limit_of(model.per_connection_buffer_limit_bytes)
        self.watch_hosts(model)
        self.closes_on_failure = model.close_connections_on_host_health_failure
        self.failing = set()
        self.hosts = []
        self.departures = deque(maxlen=MAX_DEPARTURES)
        self.set_hosts(known_hosts(model))

    def set_hosts(self, models):
        """Have these hosts (model.Host, IP addresses) from now on; those with an address known before keep their state.

        Returns the hosts that went.
        """
        cdef Host host
        known = {host.address: host for host in self.hosts}
        free_slots = sorted(set(range(self.layout.host_capacity(self.model.name))) - {host.slot for host in self.hosts})
        hosts = []
        for model in models:
            host = known.pop(str(model.address).encode(), None)
            if host is None:
                if model.slot < 0 and not free_slots:
                    break  # more hosts than counters were laid out for: the rest is not used
                host = Host(model)
                host.slot = model.slot if model.slot >= 0 else free_slots.pop(0)
                host.cluster = self
                host.counters = self.row + <Py_ssize_t> self.layout.host(self.model.name, host.slot)
                self.watch(host)
            self.note(host, model)
            hosts.append(host)
        for host in known.values():
            host.removed = True
            self.note_departure(host)
        self.hosts = hosts
        self.active = self.active_requests(hosts)
        slots = [self.layout.host(self.model.name, host.slot) for host in hosts]
        self.placement = make_session_placement(self.rows, slots, [digest_of(host) for host in hosts])
        self.balance()
        return list(known.values())

    def set_health(self, found):
        """Something else is known of hosts: their flags by address. The balancer is made anew only where that matters,
        and it alone: where a thousand hosts come and go this is what stops the traffic."""
        cdef Host host
        known = {host.address: host for host in self.hosts}
        matters = False
        for address, flags in found.items():
            host = known.get(address.encode())
            if host is not None:
                before = health_of(host)
                self.note(host, replace(host.model, found_flags=flags))
                matters |= health_of(host) != before
        if matters:
            self.balance()

    cdef int note(self, Host host, model) except -1:
        """This is what is known of a host now."""
        if begins_to_fail(host.model.found_flags, model.found_flags):
            self.failing.add(host)
        host.model = model
        return 0

    def take_failing(self):
        """The hosts that have begun to fail since the last call: their connections are not to be used again."""
        failing, self.failing = self.failing, set()
        return failing

    def balance(self):
        """Share requests out among the hosts, as they are now."""
        cdef Host host
        self.host_set = next(HOST_SETS)
        self.balancer = balancer_for(self.model, [host.model for host in self.hosts], self.active)
        self.balancer.count_panics(self.counters + <int> cluster_lb_healthy_panic)

    cdef int watch_hosts(self, model) except -1:
        """Take over what is to be known of the hosts' failures."""
        outliers = model.outlier_detection
        self.is_checked = model.health_check is not None
        self.detects_outliers = outliers is not None
        if outliers is not None:
            self.splits_origin_errors = outliers.split_external_local_origin_errors
            self.max_5xx = outliers.consecutive_5xx
            self.max_gateway_failures = outliers.consecutive_gateway_failure
            self.max_local_origin_failures = outliers.consecutive_local_origin_failure
        return 0

    cdef int watch(self, Host host) except -1:
        cdef uint64_t[::1] first_row
        if self.is_checked or self.detects_outliers:
            first_row = self.rows[0]
            host.watched = &first_row[0] + <Py_ssize_t> self.layout.host(self.model.name, host.slot)
        return 0

    def active_requests(self, hosts):
        """Where the requests under way at these hosts are counted."""
        name = self.model.name
        slots = [self.layout.host(name, host.slot) + <int> host_rq_active for host in hosts]
        return ActiveRequests(self.rows, self.layout.cluster(name) + <int> cluster_upstream_rq_active, slots)

    def note_departure(self, Host host):
        """The cluster does not have this host from now on."""
        self.departures.append((host.digest, host.address.decode(), int(monotonic() * 1000)))

    def inherit(self, Cluster previous):
        """This cluster takes the place of another one: hosts of that one may have left with it."""
        cdef Host host
        addresses = {host.address for host in self.hosts}
        self.departures.extend(previous.departures)
        for host in previous.hosts:
            if host.address not in addresses:
                self.note_departure(host)

    def departure_of(self, digest):
        """`(address, when)` of a host that left; the time is in ms of the monotonic clock. None: it is not known of."""
        for known, address, at_ms in reversed(self.departures):
            if known == digest:
                return address, at_ms
        return None

    def can_become(self, model, layout):
        """Whether that cluster differs from this one in its hosts at most."""
        same_slots = self.counters == self.row + <Py_ssize_t> layout.cluster(model.name)
        return same_slots and replace(self.model, hosts=()) == replace(model, hosts=())

    def become(self, model, layout):
        """Be that cluster, which `can_become` allows: balancer, connections and hosts that stay are kept. As
        `set_hosts`, it returns the hosts that went."""
        hosts = known_hosts(model)
        self.model, self.layout = model, layout
        return [] if [host.model for host in self.hosts] == hosts else self.set_hosts(hosts)

    def retire(self):
        """Another cluster takes the place of this one, or none. Hosts of this one that connections still have leave
        its balancer and its other hosts alone, so that these can go as soon as the last exchange has let go of them."""
        cdef Host host
        self.shell = Cluster(replace(self.model, hosts=()), self.layout, self.row_view, self.rows)
        self.shell.layout = None
        for host in self.hosts:
            host.removed = True
            host.cluster = self.shell

    cdef Host host_with_digest(self, uint32_t digest):
        """The host that a session table entry names; None when the cluster does not have it (any more)."""
        cdef Host host
        for host in self.hosts:
            if host.digest == digest:
                return host
        return None


def begins_to_fail(before, after):
    """Whether checks have found a host failing, or outlier detection has, that did not say so before."""
    return bool(after & ~before & FOUND_FAILING)


def health_of(Host host):
    """What a balancer has to know of a host's health."""
    return host.model.health, host.model.is_excluded


def digest_of(Host host):
    """The name of a host in the session table."""
    return host.digest


def known_hosts(model):
    """The hosts of a cluster that can be connected to: names become hosts only once they were resolved."""
    return [host for host in model.hosts if host.address.path or is_ip(host.address.host)]


def is_ip(text):
    """Whether a host is an IP literal; a DNS name becomes hosts only once it was resolved."""
    try:
        sockets.inet_pton(sockets.AF_INET6 if ":" in text else sockets.AF_INET, text)
    except OSError:
        return False
    return True
