"""Access log lines of exchanges and tunnels."""

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memset

from fastproxy.access_log cimport AccessLog, LogFacts
from fastproxy.addresses cimport PeerAddress, format_address, read_local_address
from fastproxy.connections cimport Connection
from fastproxy.counters cimport http_access_log_lines_lost
from fastproxy.exchange.state cimport MAX_LOGS, Exchange
from fastproxy.heads cimport RequestHead
from fastproxy.log_record cimport AUTHORITY, METHOD, PATH, PSEUDOS, SCHEME, LogRecord
from fastproxy.runtime cimport Manager
from fastproxy.slices cimport Slice
from fastproxy.upstream cimport Host

cdef Slice AFFINITIES[6]  # by Affinity; the log shows nothing as a dash
AFFINITIES[:] = [
    Slice(NULL, 0), Slice(b"sid", 3), Slice(b"asked", 5), Slice(b"hash", 4), Slice(b"least", 5), Slice(b"random", 6),
]


cdef class ExchangeLog:
    """Writes what an exchange or a tunnel was. The lowest layer of `Exchanges`: it changes nothing else."""

    cdef void begin_records(self, Exchange x, RequestHead *plan) noexcept:
        """Have the access logs keep what they will need of the request's head."""
        cdef Slice pseudo[PSEUDOS]
        cdef AccessLog log
        cdef int i = 0
        if x.manager.replies is not None:
            pseudo[METHOD] = self.head.method
            pseudo[PATH] = plan.path
            pseudo[AUTHORITY] = plan.authority
            pseudo[SCHEME] = Slice(b"http", 4)
            x.reply_record = x.manager.replies.capture(pseudo, &self.head)
        for log in x.manager.access_logs:
            if i < MAX_LOGS:
                x.records[i] = log.capture_request(
                    &self.head.method, &plan.path, &plan.authority, self.head.fields, self.head.count)
            i += 1

    cdef void keep_response_fields(self, Exchange x) noexcept:
        cdef AccessLog log
        cdef int i = 0
        for log in x.manager.access_logs:
            if i < MAX_LOGS and x.records[i] != NULL:
                x.records[i] = log.capture_response(<LogRecord *> x.records[i], self.head.fields, self.head.count)
            i += 1

    cdef void log(self, Manager manager, void **records, Exchange x, Connection *c) noexcept:
        """Write a line to every access log: for an exchange, or for a tunnel at its end."""
        cdef AccessLog log
        cdef LogFacts facts
        cdef AddressTexts texts
        cdef uint64_t lost
        cdef int i = 0
        if not manager.access_logs:
            return
        self.describe(&facts, x, c, &texts, manager.logs_local_address)
        for log in manager.access_logs:
            if i < MAX_LOGS:
                lost = log.file.lines_lost
                log.write(<LogRecord *> records[i], &facts)
                manager.counters[<int> http_access_log_lines_lost] += log.file.lines_lost - lost
                records[i] = NULL
            i += 1

    cdef void describe(
        self, LogFacts *facts, Exchange x, Connection *c, AddressTexts *texts, bint with_local_address
    ) noexcept:
        """All that can be said of an exchange now; the facts borrow from `texts`."""
        memset(facts, 0, sizeof(facts[0]))
        fill_addresses(facts, texts, x, c, with_local_address)
        self.fill_facts(facts, x)

    cdef void fill_facts(self, LogFacts *facts, Exchange x) noexcept:
        """What the log can say of an exchange; the slices borrow from its route and host."""
        cdef uint64_t elapsed_ms = self.io.now_ms - x.start_ms
        facts.start_us = self.stamps.epoch_us(self.io.now_ms) - <int64_t> elapsed_ms * 1000
        facts.duration_us = elapsed_ms * 1000
        facts.request_duration_us = (x.sent_ms - x.start_ms) * 1000 if x.sent_ms else -1
        facts.response_duration_us = (x.answered_ms - x.start_ms) * 1000 if x.answered_ms else -1
        facts.bytes_received = x.bytes_received
        facts.bytes_sent = x.bytes_sent
        facts.response_code = x.status
        facts.attempt_count = 0 if x.host is None else x.retried + 1
        facts.protocol = 10 + x.minor_version
        facts.flags = x.response_flags
        facts.fastproxy_affinity = AFFINITIES[<int> x.affinity]
        if x.host is not None:
            set_host(facts, x.host)
        elif x.cluster is not None:
            facts.upstream_cluster = Slice(x.cluster.name, len(x.cluster.name))
        if x.route is not None:
            facts.route_name.data = x.route.name
            facts.route_name.length = len(x.route.name)


cdef int set_host(LogFacts *facts, Host host) except -1:
    """Name the host and its cluster; the slices borrow from both."""
    facts.upstream_host.data = host.address
    facts.upstream_host.length = len(host.address)
    facts.upstream_cluster.data = host.cluster.name
    facts.upstream_cluster.length = len(host.cluster.name)


cdef void fill_addresses(
    LogFacts *facts, AddressTexts *texts, Exchange x, Connection *c, bint with_local
) noexcept:
    """The addresses downstream; the slices borrow from `texts`. Our own is asked of the kernel."""
    cdef PeerAddress local
    facts.downstream_remote_address = Slice(
        <const char *> texts.client, format_address(&x.client, texts.client, sizeof(texts.client)))
    facts.downstream_direct_remote_address = Slice(
        <const char *> texts.peer, format_address(&c.address, texts.peer, sizeof(texts.peer)))
    if with_local:
        read_local_address(&local, c.fd)
        facts.downstream_local_address = Slice(
            <const char *> texts.local, format_address(&local, texts.local, sizeof(texts.local)))
