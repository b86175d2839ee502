"""Whose session is it, when the table does not know? The hosts are asked.

A host that does not know a session says so and does nothing else with the request. So the request is kept whole until
one of them takes it; from there on it goes to nobody else.
"""

import os
from weakref import WeakValueDictionary

from libc.stdint cimport uint64_t

from fastproxy.affinity_policy cimport AFFINITY_ASKED, AFFINITY_HASH, AFFINITY_RANDOM
from fastproxy.connections cimport CONNECTING
from fastproxy.counters cimport (
    HttpCounter, http_sid_ask_limited, http_sid_ask_limited_source, http_sid_ask_too_large, http_sid_asked,
    http_sid_asked_rq, http_sid_declined_cached,
)
from fastproxy.exchange.local_replies cimport NO_BODY
from fastproxy.exchange.loss_log import LossLog
from fastproxy.exchange.questions cimport Held, Question, Search
from fastproxy.exchange.search_limits cimport LIMITED_BY_WORKER, NO_CHARGE, SearchLimits, client_number
from fastproxy.exchange.state cimport SID_GONE, SID_KNOWN, Exchange, count_sid
from fastproxy.exchange.timeouts cimport sooner
from fastproxy.exchange.unknown_ids cimport UnknownIds
from fastproxy.http1 cimport H_EXPECT, equals, header
from fastproxy.syscalls cimport iovec
from fastproxy.upstream cimport Cluster, Host

cdef enum:
    # A host that is silent has the session, or is too slow to say that it has not: that is told at once, and only a
    # poll of a living session has something to wait for.
    SETTLED_MS = 250  # the search counts no longer against those that may be in vain
    BELIEVED_MS = 1000  # the host has it, where no other could or too many requests wait


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
