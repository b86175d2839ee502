"""Earliest deadline first: the order in which weighted things take their turns.

Each has a deadline; the earliest is next, and comes again after 1 / weight. So each gets its share, evenly spread, and
a weight may change from turn to turn. A heap: a turn costs the logarithm of the number. Source: Envoy's EdfScheduler.
"""

from libc.stdlib cimport calloc, free


cdef inline bint is_earlier(const Turn *one, const Turn *other) noexcept nogil:
    """Of equal deadlines the one that was set first comes first."""
    return one.deadline < other.deadline or (one.deadline == other.deadline and one.order < other.order)


cdef class Edf:
    """Things 0, 1, ... with positive weights."""

    def __init__(self, weights):
        cdef Py_ssize_t i
        self.turns = <Turn *> calloc(len(weights) + 1, sizeof(Turn))
        if self.turns == NULL:
            raise MemoryError
        self.size = len(weights)
        for i in range(self.size):
            self.turns[i].deadline = 1.0 / <double> weights[i]
            self.turns[i].order = self.added
            self.turns[i].index = <uint32_t> i
            self.added += 1
        for i in range(self.size // 2 - 1, -1, -1):
            self.sink(i)

    def __dealloc__(self):
        free(self.turns)

    # hot

    cdef Py_ssize_t next(self) noexcept nogil:
        """Whose turn it is; -1 when there is nobody. Follow it by `put_back`."""
        return self.turns[0].index if self.size else -1

    cdef void put_back(self, double weight) noexcept nogil:
        """Whoever `next` named comes again after 1 / `weight`."""
        self.turns[0].deadline += 1.0 / weight
        self.turns[0].order = self.added
        self.added += 1
        self.sink(0)

    cdef void sink(self, Py_ssize_t hole) noexcept nogil:
        """Make a heap of what is below `hole`, where only the thing at `hole` may stand too high."""
        cdef Turn moved = self.turns[hole]
        cdef Py_ssize_t child = 2 * hole + 1
        while child < self.size:
            if child + 1 < self.size and is_earlier(&self.turns[child + 1], &self.turns[child]):
                child += 1
            if not is_earlier(&self.turns[child], &moved):
                break
            self.turns[hole] = self.turns[child]
            hole = child
            child = 2 * hole + 1
        self.turns[hole] = moved

    # end hot

    def take(self, weights):
        """Whose turn it is; it comes again after 1 / weight. -1: nobody's."""
        cdef Py_ssize_t index = self.next()
        if index >= 0:
            self.put_back(weights[index])
        return index
