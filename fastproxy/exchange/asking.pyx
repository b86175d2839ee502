"""Whose session is it, when the table does not know? The hosts are asked.

A host that does not know a session says so and does nothing else with the request. So the request is kept whole until
one of them takes it; from there on it goes to nobody else.
"""

import os
from weakref import WeakValueDictionary

from libc.stdint cimport uint32_t, uint64_t

from fastproxy.affinity_policy cimport AFFINITY_ASKED, AFFINITY_HASH, AFFINITY_RANDOM, AffinityPolicy
from fastproxy.connections cimport CONNECTING, HUNG_UP, READABLE, SHUT, Connection
from fastproxy.counters cimport (
    HttpCounter, cluster_upstream_cx_max_duration_reached, cluster_upstream_cx_max_requests, cluster_upstream_rq_1xx,
    cluster_upstream_rq_completed,
    host_rq_success, host_sid_found, http_sid_ask_limited, http_sid_ask_limited_source, http_sid_ask_too_large,
    http_sid_asked, http_sid_asked_rq, http_sid_declined_cached, http_sid_evicted, http_sid_found,
    http_sid_lost_unknown,
)
from fastproxy.exchange.local_replies cimport NO_BODY
from fastproxy.exchange.lost_sessions cimport VERDICT_LOST, VERDICT_LOST_WHOLE, VERDICT_REFUSED, Verdict
from fastproxy.exchange.loss_log import LossLog
from fastproxy.exchange.questions cimport MAX_HELD_BYTES, Held, Question, Search
from fastproxy.exchange.search_limits cimport LIMITED_BY_WORKER, NO_CHARGE, SearchLimits, client_number
from fastproxy.exchange.state cimport SID_GONE, SID_KNOWN, Exchange, count_sid
from fastproxy.exchange.timeouts cimport sooner
from fastproxy.exchange.unknown_ids cimport UnknownIds
from fastproxy.http1 cimport H_EXPECT, TOKEN_CLOSE, TOKEN_KEEP_ALIVE, equals, header
from fastproxy.pools cimport keep_idle
from fastproxy.syscalls cimport iovec
from fastproxy.upstream cimport Cluster, Host

cdef enum:
    # A host that is silent has the session, or is too slow to say that it has not: that is told at once, and only a
    # poll of a living session has something to wait for.
    SETTLED_MS = 250  # the search counts no longer against those that may be in vain
    BELIEVED_MS = 1000  # the host has it, where no other could or too many requests wait
    FOUND_SESSION_S = 120  # a session that was found stays known for this long at least: its open packet was not seen


cdef class Asking(LostSessions):
    """Finds the sessions whose beginning other proxies have seen."""

    cdef int begin_asking(self) except -1:
        self.unknown_ids = UnknownIds()
        self.search_limits = SearchLimits(os.urandom(16))
        self.held = Held()
        self.searches = WeakValueDictionary()
        self.loss_log = LossLog()
        return 0

    cdef bint is_lost(self, Exchange x):
        """Whether a session is lost for certain, and its request answered. An id that is not known is asked for.

        A preflight is sent where its session is known to be, but neither asked for nor answered; nor is HEAD.
        """
        if not x.protocol.can_be_asked or x.is_head or equals(self.head.method, b"options"):
            return False
        if x.sid_state == SID_KNOWN:
            x.is_judged = True
            return False
        if x.sid_state == SID_GONE and not self.is_of_another_cluster(x):
            self.reply_host_gone(x)
            return True
        return x.route.affinity.asks and len(x.cluster.hosts) > 1 and self.is_given_up(x)

    cdef bint is_of_another_cluster(self, Exchange x):
        """Whether a host issued the id that only another cluster has, and had: then this one may have such an id, too.
        Ids of servers that count them from 1 are unique in a cluster at best."""
        cdef Cluster cluster
        if x.cluster.departure_of(x.issuer_digest) is not None:
            return False
        for cluster in self.runtime.clusters.values():
            if cluster.host_with_digest(x.issuer_digest) is not None:
                return True
        return False

    cdef bint is_given_up(self, Exchange x):
        """Begin to ask for an id, where the request can be kept; True when it was answered instead."""
        cdef uint64_t key = x.seal.tag ^ x.cluster.host_set * <uint64_t> 0x9E3779B97F4A7C15
        cdef Search search
        if self.unknown_ids.has(key, self.io.now_ms):
            self.reply_lost(x, http_sid_declined_cached)
            return True
        if self.head.content_length > 0 and <size_t> self.head.content_length > x.route.affinity.max_asked_body_bytes:
            count_sid(x, http_sid_ask_too_large)
            return False
        if x.manager.proxy_100_continue and header(&self.head, H_EXPECT) != NULL:
            return False  # its body comes only when a host has asked for it
        search = self.search_for(x, key)
        if search.charge < NO_CHARGE and not search.is_begun:
            self.reply_limited(x, search)
            return True
        self.ask(x, search)
        return False

    cdef Search search_for(self, Exchange x, uint64_t key):
        """Where the id was asked for until now, else a search that begins: one that may not says so in its charge."""
        cdef Search search = self.searches.get(key)
        if search is None:
            search = Search()
            search.key = key
            search.client = client_number(&x.client)
            search.charge = self.search_limits.take(search.client, self.io.now_ms)
            if search.charge >= 0:
                self.searches[key] = search
        return search

    cdef void give_back(self, Search search) noexcept:
        """It does not look as if it were in vain."""
        if search.charge >= 0:
            self.search_limits.give_back(search.charge)
            search.charge = NO_CHARGE

    cdef int reply_limited(self, Exchange x, Search search) except -1:
        """Too many ids were asked for in vain."""
        self.reply_lost(x, <HttpCounter> (http_sid_ask_limited if search.charge == LIMITED_BY_WORKER
                                          else http_sid_ask_limited_source))

    cdef int ask(self, Exchange x, Search search) except -1:
        """Have the request kept, for the host that others are asking, else for the one that would have it anyway."""
        cdef Cluster cluster = x.cluster
        cdef Question question = Question()
        question.search = search
        question.held = self.held
        question.max_bytes = x.route.affinity.max_asked_body_bytes
        x.question = question
        x.is_judged = True
        x.affinity = AFFINITY_ASKED
        x.host = search.candidate
        if x.host is None:
            x.host = <Host> cluster.hosts[max(0, cluster.balancer.choose(x.hash, x.has_hash))]
            if x.host in search.declined:
                x.host = question.next_host(cluster, x.host, False) or x.host

    cdef int gather(self, Exchange x, iovec *parts, int count) except -1:
        """Keep more of a request; send it when it is complete, or too large to be kept."""
        cdef Question question = x.question
        if question.request == NULL:
            question.max_bytes += parts[0].iov_len  # the head
        if not question.keep(parts, count):
            self.reply(x, 503, NO_BODY)
        elif question.is_too_large():
            count_sid(x, http_sid_ask_too_large)
            if not question.search.is_begun:
                self.give_back(question.search)
            x.is_judged = False
            x.affinity = AFFINITY_HASH if x.has_hash else AFFINITY_RANDOM
            x.question = None
            self.send_held(x, question)
        elif x.request_body.done:
            self.take_host(x, x.host)
            self.send_held(x, question)

    cdef Host other_host(self, Exchange x):
        """The host to be asked next; None when all were."""
        return x.question.next_host(x.cluster, x.host, x.route.auto_host_rewrite)

    cdef int take_host(self, Exchange x, Host host) except -1:
        """Ask this host."""
        cdef Search search = x.question.search
        if not search.is_begun:
            search.is_begun = True
            count_sid(x, http_sid_asked)
        count_sid(x, http_sid_asked_rq)
        x.question.note_asked(host)
        search.candidate = host
        x.host = host

    cdef int send_held(self, Exchange x, Question question) except -1:
        """Send what was kept to the exchange's host."""
        cdef iovec whole
        whole.iov_base = question.request.data + question.request.start
        whole.iov_len = question.request.end - question.request.start
        self.attempt(x, &whole, 1)

    cdef bint next_host(self, Exchange x):
        """Go on to another host, which is asked; a session whose host is known is there or nowhere."""
        cdef Host host
        if x.question is None:
            return not x.is_judged and LostSessions.next_host(self, x)
        if x.question.search.candidate is x.host:
            x.question.search.candidate = None
        host = self.other_host(x)
        if host is None:
            return False
        self.take_host(x, host)
        return True

    cdef int connect_failed(self, Exchange x, bytes reason) except -1:
        if x.question is not None:
            self.nobody_knows(x, reason)
        elif x.is_judged:
            self.reply_connect_failed(x)
        else:
            LostSessions.connect_failed(self, x, reason)

    cdef void request_complete(self, Exchange x) noexcept:
        LostSessions.request_complete(self, x)
        if x.question is not None and x.upstream != NULL and not x.upstream.flags & CONNECTING:
            self.io.set_timer(x.upstream, self.answer_delay_ms(x))

    cdef uint64_t answer_delay_ms(self, Exchange x) noexcept:
        """How long to wait for an answer until something is done: 0, for ever."""
        cdef uint64_t delay_ms = 0
        if x.question.silences == 0:
            delay_ms = SETTLED_MS
        elif x.question.silences == 1:
            delay_ms = BELIEVED_MS - SETTLED_MS
        return sooner(delay_ms, x.response_deadline_ms, self.io.now_ms) if x.response_deadline_ms else delay_ms

    cdef int settle(self, Exchange x) except -1:
        """A host has been silent for long enough."""
        x.question.silences += 1
        self.give_back(x.question.search)
        self.io.set_timer(x.upstream, self.answer_delay_ms(x))
        if x.question.silences == 2:
            self.believe(x)

    cdef int believe(self, Exchange x) except -1:
        """A host has been silent for so long that it has the session, if no other host could have it. So it is taken
        for where so many requests wait that there is no room to keep all of them."""
        cdef Question question = x.question
        if self.is_last(x):
            question.search.is_remembered = True
            self.remember_host(x)
        elif self.held.bytes > MAX_HELD_BYTES // 2:
            x.question = None  # its host is not followed by another now, like that of a known session
            self.found(x, question.search)

    cdef bint is_last(self, Exchange x):
        """Whether all hosts but the exchange's have declined."""
        cdef set declined = x.question.search.declined
        cdef Host host
        for host in x.cluster.hosts:
            if host is not x.host and host not in declined:
                return False
        return True

    cdef int remember_host(self, Exchange x) except -1:
        """The exchange's host has the session that its request names."""
        cdef uint32_t lifetime_s = x.protocol.lifetime_s
        if x.protocol is (<AffinityPolicy> x.route.affinity).engine_io:
            lifetime_s = max(self.longest_lifetime_s, <uint32_t> FOUND_SESSION_S)
        if self.runtime.sessions.learn(&x.seal, x.host.digest, self.io.now_ms // 1000, lifetime_s) == 1:
            count_sid(x, http_sid_evicted)

    cdef bint is_declined(self, Exchange x, Verdict verdict):
        """Draw the consequences of an answer that is judged; True when it does not go to the client."""
        if x.question is not None and verdict >= VERDICT_LOST:
            self.decline(x, verdict == VERDICT_LOST_WHOLE)
            return True
        if verdict == VERDICT_REFUSED and self.other_host(x) is not None:
            self.ask_on(x, False)
            return True
        x.is_judged = False
        if x.question is not None:
            self.accept(x)
        elif verdict >= VERDICT_LOST:
            self.lost_by_host(x)
        return False

    cdef int accept(self, Exchange x) except -1:
        """The host has taken the request. Only where it did what it was asked for does that tell whose session it is:
        a mistake is told by any host."""
        cdef Search search = x.question.search
        cdef bint is_first = len(x.question.asked) == 1
        x.question = None
        if self.head.status < 400 or is_first:
            self.give_back(search)
        if self.head.status < 400:
            self.found(x, search)

    cdef int found(self, Exchange x, Search search) except -1:
        """The exchange's host has the session."""
        search.candidate = x.host
        if not search.is_found:
            search.is_found = True
            count_sid(x, http_sid_found)
            x.host.counters[<int> host_sid_found] += 1
        self.remember_host(x)

    cdef int decline(self, Exchange x, bint is_whole) except -1:
        """The host does not know the id: ask the next one."""
        cdef Search search = x.question.search
        search.declined.add(x.host)
        if search.is_remembered and search.candidate is x.host:
            search.is_remembered = False
            self.runtime.sessions.forget(&x.seal)
        self.ask_on(x, is_whole and not self.head.tokens & TOKEN_CLOSE and (
            self.head.minor_version == 1 or self.head.tokens & TOKEN_KEEP_ALIVE))

    cdef int ask_on(self, Exchange x, bint keeps_alive) except -1:
        """Take leave of a host that has answered, and ask the next one."""
        cdef Search search = x.question.search
        x.upstream.counters[<int> cluster_upstream_rq_1xx + self.head.status // 100 - 1] += 1
        x.host.counters[<int> host_rq_success] += 1
        self.note_reuse(x)
        self.leave_upstream(x, keeps_alive)
        if search.charge < 0 and not search.is_found:  # it was given back too early
            search.charge = self.search_limits.take(search.client, self.io.now_ms)
            if search.charge < 0 and self.other_host(x) is not None:
                self.reply_limited(x, search)
                return 0
        if self.next_host(x):
            self.send_held(x, x.question)
        else:
            self.nobody_knows(x, NO_BODY)

    cdef int nobody_knows(self, Exchange x, bytes reason) except -1:
        """There is no host left to ask. Where not one could be reached, that is what is answered."""
        cdef Search search = x.question.search
        cdef Py_ssize_t others = len(x.cluster.hosts) - len(search.declined)
        if not search.declined:
            x.question = None
            x.is_judged = False
            LostSessions.connect_failed(self, x, reason)
            return 0
        if self.is_last(x) and x.host in search.declined:
            self.unknown_ids.add(search.key, self.io.now_ms)
        self.tell(x, f"is unknown to {len(search.declined)} hosts of cluster {x.cluster.name.decode()}"
                  + (f"; {others} could not be asked" if others > 0 else ""))
        self.reply_lost(x, http_sid_lost_unknown)

    cdef int leave_upstream(self, Exchange x, bint keeps_alive) except -1:
        """The exchange is through with its upstream connection, which is kept for another one if it may be."""
        cdef Connection *u = x.upstream
        cdef Host host = x.host
        cdef bint keep = keeps_alive and u.out == NULL and not u.flags & (HUNG_UP | SHUT | READABLE) \
            and not host.removed
        u.counters[<int> cluster_upstream_rq_completed] += 1
        self.unbind(x)
        if keep and host.cluster.max_requests_per_connection and \
                u.requests >= host.cluster.max_requests_per_connection:
            u.counters[<int> cluster_upstream_cx_max_requests] += 1
            keep = False
        if keep and u.ends_ms and self.io.now_ms >= u.ends_ms:
            u.counters[<int> cluster_upstream_cx_max_duration_reached] += 1
            keep = False
        if keep:
            u.leaves_ms = self.io.now_ms + x.upstream_keeps_ms if x.upstream_keeps_ms else 0
            if u.ends_ms and (u.leaves_ms == 0 or u.ends_ms < u.leaves_ms):
                u.leaves_ms = u.ends_ms
            keep_idle(self.io, u, host)
        else:
            self.close_upstream(u)
