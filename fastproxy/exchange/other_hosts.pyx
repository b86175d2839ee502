"""Which host the next try of a request goes to: a session's own, else as the policy says of hosts and priorities.

The predicates and the priorities of a policy are for retries only; a first try takes what the balancer names (as in
Envoy). What they reject is taken all the same when nothing else was found.
"""

from libc.stdint cimport uint32_t

from fastproxy.affinity_policy cimport AFFINITY_LEAST
from fastproxy.exchange.state cimport SID_KNOWN
from fastproxy.priorities cimport Priorities
from fastproxy.retry_policies cimport RetryPolicy
from fastproxy.upstream cimport Cluster, Host


cdef class OtherHosts(Repeating):
    """Chooses hosts again."""

    cdef bint choose_again(self, Exchange x):
        """Choose a host for the next try; False when there is none."""
        cdef Py_ssize_t place
        if x.sid_state == SID_KNOWN:
            self.stay(x)
            return True
        if not self.follow_cluster(x):
            return False
        place = self.place_with_fewest(x) if x.affinity == AFFINITY_LEAST else self.other_place(x)
        if place < 0:
            return False
        x.host = <Host> x.cluster.hosts[place]
        x.tried = None
        return True

    cdef int stay(self, Exchange x) except -1:
        """A session is tried at its own host. If that has left its cluster meanwhile, and has come back, it is another
        object."""
        cdef Cluster cluster
        cdef Host host
        if not x.host.removed:
            return 0
        cluster = self.runtime.clusters.get(x.cluster.model.name)
        host = None if cluster is None else cluster.host_with_digest(x.host.digest)
        if host is not None:
            x.host = host
        return 0

    cdef bint follow_cluster(self, Exchange x):
        """Have the exchange go on in the cluster that has the name of its own by now; False when there is none."""
        cdef Cluster cluster = self.runtime.clusters.get(x.cluster.model.name)
        if cluster is x.cluster or cluster is None:
            return cluster is not None
        if x.retries is not None and x.retries.is_counted:
            x.cluster.breakers.retry_ends(x.route.priority)
            cluster.breakers.retry_begins(x.route.priority)
        x.cluster = cluster
        x.tried = None  # places in the other one
        return True

    cdef Py_ssize_t other_place(self, Exchange x):
        """The place of the first host that is not rejected, of so many as the policy allows to be looked at."""
        cdef RetryPolicy policy = x.retries.policy
        cdef Py_ssize_t place = -1
        cdef uint32_t attempt
        for attempt in range(policy.host_attempts + 1):
            place = self.group_of_try(x).choose_again(x.hash, x.has_hash, attempt)
            if place < 0 or policy.predicates is None or not self.is_rejected(x, place):
                break
        return place

    cdef Py_ssize_t place_with_fewest(self, Exchange x):
        """The place for a new session: where the fewest live, of the hosts that are not rejected if there are any."""
        cdef Balancer group = self.group_of_try(x).next_group()
        cdef Balancer others = group
        cdef Py_ssize_t i
        if group is None:
            return -1
        if x.retries.policy.predicates is not None:
            kept = [i for i in range(group.size) if not self.is_rejected(x, group.members[i])]
            if kept:
                others = Balancer([group.members[i] for i in kept], [group.weights[i] for i in kept])
        return x.cluster.placement.fewest(others, self.runtime.sessions)

    cdef Balancer group_of_try(self, Exchange x):
        """Among whose hosts to choose: all, or one of the priorities that the policy has not left out. The same hash
        means the same priority, so that what hashes leaves out none (as in Envoy)."""
        cdef Balancer balancer = x.cluster.balancer
        cdef tuple loads
        if x.retries.priorities is None or not isinstance(balancer, Priorities) or \
                (<Priorities> balancer).available is None:
            return balancer
        loads = x.retries.priorities.loads((<Priorities> balancer).available)
        return balancer if loads is None else (<Priorities> balancer).group_by(loads)

    cdef bint is_rejected(self, Exchange x, Py_ssize_t place) except -1:
        cdef Host host = <Host> x.cluster.hosts[place]
        return x.retries.policy.predicates.reject(host.model, host in x.retries.tried)

    cdef bytes name_of_try(self, Exchange x):
        """What the request has to call the host of its next try by; None: as it was called before."""
        cdef bytes name
        if not x.route.auto_host_rewrite:
            return None
        name = x.host.model.hostname.encode()
        return name if name or x.hosts is None else x.hosts[1]

    cdef Py_ssize_t place_behind(self, Exchange x):
        """As without a policy, but hosts that it rejects come last."""
        cdef Py_ssize_t place
        if x.retries is None or x.retries.policy.predicates is None:
            return Repeating.place_behind(self, x)
        rejected = {place for place in range(len(x.cluster.hosts)) if self.is_rejected(x, place)}
        place = x.cluster.balancer.choose_other(x.hash, x.has_hash, x.first_choice, x.tried | rejected)
        return place if place >= 0 else Repeating.place_behind(self, x)

    cdef bint next_host(self, Exchange x):
        cdef Host before = x.host
        if not Repeating.next_host(self, x):
            return False
        if x.retries is not None:
            x.retries.note_tried(before)
        return True
