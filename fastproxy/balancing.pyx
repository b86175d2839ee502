"""Which host of a cluster takes a request: Envoy's load balancing policies.

A balancer knows places in the cluster's list of hosts, their weights, and nothing else. A cluster's balancer is
replaced as a whole when its hosts change. Here are the policies that do not hash; `hash_balancing` has the others,
`priorities` puts several balancers together, and `balancers` makes what a cluster needs.
"""

from libc.math cimport pow
from libc.stdlib cimport calloc, free

import os
from typing import NamedTuple

from fastproxy.draws cimport draw


class Trace(NamedTuple):
    """How a balancer comes to a host; hosts are places in the cluster.

    `host` is where the request ends: the first of `order` that is not down, -1 when there is none. `order` is the
    choice and whom the request goes on to when connects fail. `first` is the choice, -1 where lots are drawn or turns
    are taken: any of `order` can be it. `why` says what the choice was made by.
    """

    host: int
    order: tuple
    first: int
    why: dict


cdef class Balancer:
    """Chooses one of the `size` hosts at `places`; -1 when there are none. Without `weights` all weigh the same."""

    def __cinit__(self, *args, **kwargs):
        self.random_state = int.from_bytes(os.urandom(8), "little") | 1

    def __init__(self, places=(), weights=None):
        cdef Py_ssize_t i
        self.size = len(places)
        self.members = <uint32_t *> calloc(self.size + 1, sizeof(uint32_t))
        self.weights = <double *> calloc(self.size + 1, sizeof(double))
        if self.members == NULL or self.weights == NULL:
            raise MemoryError
        for i in range(self.size):
            self.members[i] = places[i]
            self.weights[i] = 1.0 if weights is None else weights[i]

    def __dealloc__(self):
        free(self.members)
        free(self.weights)

    cdef uint64_t random(self) noexcept nogil:
        """64 bits good enough to spread load (xorshift64*, Vigna 2016); never used for secrets."""
        return draw(&self.random_state)

    cdef Py_ssize_t choose(self, uint64_t hash, bint has_hash) noexcept:
        return -1

    cdef Py_ssize_t choose_again(self, uint64_t hash, bint has_hash, uint32_t attempt) noexcept:
        """The host for a retry; equal hashes give others for other attempts (Envoy: of choosing a host), from 0 on."""
        return self.choose(hash, has_hash)

    cdef Balancer next_group(self):
        """The balancer among whose hosts a request without a hash has its choice; None: among none."""
        return self

    cdef Py_ssize_t choose_other(self, uint64_t hash, bint has_hash, Py_ssize_t first, set tried):
        """The next host after `first` that is not in `tried`, in the order of the configuration; -1: none is left."""
        cdef Py_ssize_t i, start = self.position_of(first)
        for i in range(1, self.size + 1):
            if self.members[(start + i) % self.size] not in tried:
                return self.members[(start + i) % self.size]
        return -1

    cdef Py_ssize_t position_of(self, Py_ssize_t place) noexcept nogil:
        """Where that host stands among those of this balancer; -1 when it is none of them."""
        cdef Py_ssize_t i
        for i in range(self.size):
            if self.members[i] == <uint32_t> place:
                return i
        return -1

    cdef void count_panics(self, uint64_t *counter) noexcept:
        """Count there whenever a request goes to any host because too few are healthy."""

    @property
    def places(self):
        """The hosts among which it chooses, as places in the cluster."""
        return [self.members[i] for i in range(self.size)]

    def pick(self, hash=None):
        """The place of the host for a request hash, or for no hash at all."""
        return self.choose(0 if hash is None else hash, hash is not None)

    def pick_again(self, hash, attempt):
        """The place of the host for a retry at that attempt of choosing one."""
        return self.choose_again(0 if hash is None else hash, hash is not None, attempt)

    def pick_other(self, hash, first, tried):
        """The place of the host to go on to when those in `tried`, `first` before all, could not be reached."""
        return self.choose_other(0 if hash is None else hash, hash is not None, first, set(tried))

    def explain(self, hash):
        """What decides about a request, without a request; `first` is the choice where the hash alone decides."""
        return {"policy": type(self).__name__, "first": -1}

    def trace(self, hash=None, excluding=()):
        """The way of a request with that hash, or with none, while the hosts in `excluding` are down: a Trace."""
        why = self.explain(hash)
        first = why.pop("first")
        order = [first] if first >= 0 else []
        while (other := self.pick_other(hash, first, order)) >= 0:
            order.append(other)
        host = next((place for place in order if place not in excluding), -1)
        return Trace(host, tuple(order), first, why)


def differ(weights):
    """Whether turns have to be weighed."""
    return len(set(weights)) > 1


cdef class RoundRobin(Balancer):
    """Each host in turn, in proportion to its weight, evenly spread; the first host comes first."""

    def __init__(self, places, weights):
        Balancer.__init__(self, places, weights)
        if differ(weights):
            self.edf = Edf(weights)

    cdef Py_ssize_t choose(self, uint64_t hash, bint has_hash) noexcept:
        cdef Py_ssize_t index
        if self.size == 0:
            return -1
        if self.edf is None:
            index = self.turn
            self.turn = index + 1 if index + 1 < self.size else 0
        else:
            index = self.edf.next()
            self.edf.put_back(self.weights[index])
        return self.members[index]


cdef class Random(Balancer):
    """Any host, each as likely as the other: weights do not count."""

    cdef Py_ssize_t choose(self, uint64_t hash, bint has_hash) noexcept:
        return self.members[self.random() % <uint64_t> self.size] if self.size else -1


cdef class LeastRequest(Balancer):
    """Hosts of one weight: of some drawn by lot the one with the fewest requests under way, or the best of all.

    Else in turn, where a host's weight is divided by its requests under way (Envoy: active_request_bias).
    """

    def __init__(self, places, weights, active, config):
        Balancer.__init__(self, places, weights)
        self.active = active
        self.choice_count = config.choice_count
        self.bias = config.active_request_bias
        self.full_scan = config.full_scan
        if differ(weights):
            self.edf = Edf(weights)

    cdef Py_ssize_t choose(self, uint64_t hash, bint has_hash) noexcept:
        cdef Py_ssize_t index
        if self.size == 0:
            return -1
        if self.edf is not None:
            index = self.edf.next()
            self.edf.put_back(self.weight(index))
        else:
            index = self.best_of_all() if self.full_scan else self.best_of_some()
        return self.members[index]

    # hot

    cdef double weight(self, Py_ssize_t index) noexcept nogil:
        cdef double requests = <double> self.active.at_host(self.members[index]) + 1.0
        if self.bias == 1.0:
            return self.weights[index] / requests
        return self.weights[index] / pow(requests, self.bias)

    cdef Py_ssize_t best_of_some(self) noexcept nogil:
        cdef Py_ssize_t other, best = self.random() % <uint64_t> self.size
        cdef uint64_t requests, fewest = self.active.at_host(self.members[best])
        cdef uint32_t _i
        for _i in range(1, self.choice_count):
            other = self.random() % <uint64_t> self.size
            requests = self.active.at_host(self.members[other])
            if requests < fewest:
                best, fewest = other, requests
        return best

    cdef Py_ssize_t best_of_all(self) noexcept nogil:
        """Of several that are best any, each as likely as the other."""
        cdef Py_ssize_t i, best = 0
        cdef uint64_t requests, fewest = self.active.at_host(self.members[0]), equals = 1
        for i in range(1, self.size):
            requests = self.active.at_host(self.members[i])
            if requests < fewest:
                best, fewest, equals = i, requests, 1
            elif requests == fewest:
                equals += 1
                if self.random() % equals == 0:
                    best = i
        return best

    # end hot
