"""Balancers put together: by priority and health, and by locality.

Needed only where a cluster has more than one priority, hosts that are not healthy, or weighted localities: any other
cluster has the balancer of its policy alone.
"""

from libc.stdint cimport uint32_t
from libc.stdlib cimport calloc, free


cdef class Composite(Balancer):
    """Hands requests on to other balancers of the same cluster."""

    def __init__(self, children):
        Balancer.__init__(self, sorted({place for child in children for place in child.places}))
        self.children = tuple(children)

    cdef Py_ssize_t choose_other(self, uint64_t hash, bint has_hash, Py_ssize_t first, set tried):
        """First those of the balancer that `first` belongs to, then those of the others in their order."""
        cdef Balancer child
        own = tuple([child for child in self.children if child.position_of(first) >= 0])
        cdef Py_ssize_t place = self.first_in(own, hash, has_hash, first, tried)
        return place if place >= 0 else self.first_in(self.children, hash, has_hash, first, tried)

    cdef Py_ssize_t first_in(self, tuple children, uint64_t hash, bint has_hash, Py_ssize_t first, set tried):
        cdef Balancer child
        cdef Py_ssize_t place
        for child in children:
            place = child.choose_other(hash, has_hash, first, tried)
            if place >= 0:
                return place
        return -1

    cdef void count_panics(self, uint64_t *counter) noexcept:
        cdef Balancer child
        for child in self.children:
            child.count_panics(counter)


cdef class Priorities(Composite):
    """Shares requests out by a draw from 1 to 100: the request's hash where the policy hashes, else a lot.

    `parts` are `(share, index of the child that gets it)` in the order of the draw; `children` are in the order of
    priorities, those of degraded hosts behind those of healthy ones. `available` is what healthy and degraded hosts of
    each priority can take (host_sets.Load), None where shares are always these.
    """

    def __init__(self, children, parts, *, hashes, available=None, in_panic=()):
        cdef Py_ssize_t i
        cdef int limit = 0
        Composite.__init__(self, children)
        self.shares = tuple([share for share, _ in parts])
        self.hashes = hashes
        self.available = available
        self.in_panic = in_panic
        self.panic_counter = &self.unread_panics
        self.part_count = len(parts)
        self.parts = <Part *> calloc(self.part_count + 1, sizeof(Part))
        if self.parts == NULL:
            raise MemoryError
        for i, (share, child) in enumerate(parts):
            limit += share.percent
            self.parts[i] = Part(limit, share.in_panic, child)

    def __dealloc__(self):
        free(self.parts)

    cdef Py_ssize_t choose(self, uint64_t hash, bint has_hash) noexcept:
        return self.choose_again(hash, has_hash, 0)

    cdef Py_ssize_t choose_again(self, uint64_t hash, bint has_hash, uint32_t attempt) noexcept:
        cdef uint64_t draw
        cdef Part *part
        if self.hashes and not has_hash:
            hash, has_hash = self.random(), True
        draw = hash if self.hashes else self.random()
        part = self.part_of(draw)
        if part == NULL:
            return -1
        if part.in_panic:
            self.panic_counter[0] += 1
        return (<Balancer> self.children[part.child]).choose_again(hash, has_hash, attempt)

    cdef Balancer next_group(self):
        cdef Part *part = self.part_of(self.random())
        if part == NULL:
            return None
        if part.in_panic:
            self.panic_counter[0] += 1
        return (<Balancer> self.children[part.child]).next_group()

    cdef Balancer group_by(self, tuple loads):
        """The balancer of the group that a lot draws by other shares: per cent by priority, for healthy and for
        degraded hosts."""
        cdef int percent = <int> (self.random() % 100) + 1
        cdef Py_ssize_t child = 0
        for priority, share in enumerate([*loads[0], *loads[1]]):
            percent -= <int> share
            if percent <= 0:
                child = priority
                break
        if self.in_panic[child % len(self.in_panic)]:
            self.panic_counter[0] += 1
        return <Balancer> self.children[child]

    cdef Part *part_of(self, uint64_t draw) noexcept nogil:
        cdef int percent = <int> (draw % 100) + 1
        cdef Py_ssize_t i
        for i in range(self.part_count):
            if percent <= self.parts[i].limit:
                return &self.parts[i]
        return NULL

    cdef void count_panics(self, uint64_t *counter) noexcept:
        self.panic_counter = counter

    def pick_by(self, loads):
        """The place of a host for a request without a hash, by other shares."""
        return self.group_by(loads).pick()

    @property
    def panics(self):
        """How often a request was sent to any host because too few were healthy."""
        return self.panic_counter[0]

    def explain(self, hash):
        loads = [(share.priority, share.health.value, share.percent) for share in self.shares]
        if not self.hashes or hash is None:
            return {"loads": loads, "policy": type(self.children[0]).__name__, "first": -1}
        part = self.part_of(hash)
        share = self.shares[part - self.parts]
        why = {
            "loads": loads, "draw": hash % 100 + 1, "priority": share.priority, "health": share.health.value,
            "in_panic": share.in_panic,
        }
        return why | (<Balancer> self.children[part.child]).explain(hash)


cdef class Localities(Composite):
    """Localities in turn, in proportion to their weights; inside one of them its own balancer chooses."""

    def __init__(self, children, localities, weights):
        cdef Py_ssize_t i
        Composite.__init__(self, children)
        self.localities = tuple(localities)
        self.edf = Edf(weights)
        self.locality_weights = <double *> calloc(len(weights) + 1, sizeof(double))
        if self.locality_weights == NULL:
            raise MemoryError
        for i in range(len(weights)):
            self.locality_weights[i] = weights[i]

    def __dealloc__(self):
        free(self.locality_weights)

    cdef Py_ssize_t choose(self, uint64_t hash, bint has_hash) noexcept:
        cdef Balancer child = self.next_child()
        return -1 if child is None else child.choose(hash, has_hash)

    cdef Py_ssize_t choose_again(self, uint64_t hash, bint has_hash, uint32_t attempt) noexcept:
        cdef Balancer child = self.next_child()
        return -1 if child is None else child.choose_again(hash, has_hash, attempt)

    cdef Balancer next_group(self):
        cdef Balancer child = self.next_child()
        return None if child is None else child.next_group()

    cdef Balancer next_child(self):
        """The balancer of the locality whose turn it is."""
        cdef Py_ssize_t index = self.edf.next()
        if index < 0:
            return None
        self.edf.put_back(self.locality_weights[index])
        return <Balancer> self.children[index]

    def explain(self, hash):
        shares = [[locality, self.locality_weights[i]] for i, locality in enumerate(self.localities)]
        return {"localities": shares, "policy": type(self.children[0]).__name__, "first": -1}
