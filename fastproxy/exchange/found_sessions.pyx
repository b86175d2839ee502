"""What the hosts that were asked for a session say, or do not say: one has it, or none.

A host that declines is followed by the next one; one that takes the request, or is silent for long enough, has the
session.
"""

from libc.stdint cimport uint32_t

from fastproxy.affinity_policy cimport AffinityPolicy
from fastproxy.counters cimport (
    cluster_upstream_rq_1xx, host_rq_success, host_sid_found, http_sid_evicted, http_sid_found, http_sid_lost_unknown,
)
from fastproxy.exchange.local_replies cimport NO_BODY
from fastproxy.exchange.lost_sessions cimport VERDICT_LOST, VERDICT_LOST_WHOLE, VERDICT_REFUSED
from fastproxy.exchange.questions cimport MAX_HELD_BYTES, Question
from fastproxy.exchange.state cimport count_sid
from fastproxy.http1 cimport TOKEN_CLOSE, TOKEN_KEEP_ALIVE
from fastproxy.upstream cimport Host

cdef enum:
    FOUND_SESSION_S = 120  # a session that was found stays known for this long at least: its open packet was not seen


cdef class FoundSessions(Asking):
    """Draws the consequences of answers to questions."""

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

    cdef int connect_failed(self, Exchange x, bytes reason) except -1:
        if x.question is not None:
            self.nobody_knows(x, reason)
        elif x.is_judged:
            self.reply_connect_failed(x)
        else:
            Asking.connect_failed(self, x, reason)

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
            Asking.connect_failed(self, x, reason)
            return 0
        if self.is_last(x) and x.host in search.declined:
            self.unknown_ids.add(search.key, self.io.now_ms)
        self.tell(x, f"is unknown to {len(search.declined)} hosts of cluster {x.cluster.name.decode()}"
                  + (f"; {others} could not be asked" if others > 0 else ""))
        self.reply_lost(x, http_sid_lost_unknown)
