"""The hosts that sessions live on: a number of 12 bits for each, and how many live sessions it has.

Owns the first 256 KiB of the session table's memory: 4096 cache lines, of which the first is the head and each other
may stand for a host. A host is the 32-bit digest that the caller gave it. Any process may write any line at any time.

* `claim` binds digest and number of users in one word, so that whoever adds himself sees whose line it was. A line is
  given to another host, by compare-and-swap, only while nobody uses it.
* A host lies at its home, the line that its digest names, or on a later one; lines between were taken then and stay so,
  if perhaps by another host. So a search ends at a line that never was taken, or beyond the reach, which never shrinks.
* A new host takes the first line that nobody had; among PATIENCE lines without one, the first that has no users.
  Where neither is left, the host gets no number.
* Users are added before the word that names the host is stored, and taken off after it went: a count is never below
  the number of such words. It stays above, by two at most, for each process that was killed just between the two.
* Two processes that find the same new host at the same moment, with all lines taken, may give it two lines. Sessions
  are not confused by that, but one of the two is not counted, until it has no users.
"""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint32_t, uint64_t, uintptr_t

from fastproxy._session_words cimport HANDED, HOST_SHIFT, add, host_of, swap

cdef enum:
    PATIENCE = 64
    ATTEMPTS = 16

cdef uint64_t CLAIMED = 0x80000000ULL
cdef uint64_t USERS = 0x7FFFFFFFULL


cdef inline bint is_of(uint64_t claim, uint32_t digest) noexcept nogil:
    return claim >> 32 == digest and claim & CLAIMED != 0


cdef inline int home_of(uint32_t digest) noexcept nogil:
    return 1 + digest % (HOST_LINES - 1)


cdef inline int after(int host) noexcept nogil:
    return host + 1 if host + 1 < HOST_LINES else 1


cdef class SessionHosts:
    """The registry at the beginning of `buffer`, which is all zeroes at first and is held until the registry goes."""

    def __cinit__(self, buffer):
        PyObject_GetBuffer(buffer, &self.view, PyBUF_WRITABLE)
        self.has_view = True
        if self.view.len < HOSTS_BYTES or <uintptr_t> self.view.buf % sizeof(uint64_t):
            raise ValueError(f"a region of {self.view.len} bytes at this address cannot hold a registry of hosts")
        self.lines = <HostLine *> self.view.buf
        self.head = <HeadLine *> self.view.buf

    def __dealloc__(self):
        if self.has_view:
            PyBuffer_Release(&self.view)

    cdef int find(self, uint32_t digest) noexcept nogil:
        """The number of the host, or -1."""
        cdef uint64_t claim, left = max(load(&self.head.reach), <uint64_t> PATIENCE)
        cdef int host = home_of(digest)
        while left:
            claim = load(&self.lines[host].claim)
            if is_of(claim, digest):
                return host
            if claim == 0:
                return -1
            host = after(host)
            left -= 1
        return -1

    cdef int place_for(self, uint32_t digest) noexcept nogil:
        """The line of the host, or else the one that it should take, or -1."""
        cdef uint64_t claim, reach = max(load(&self.head.reach), <uint64_t> PATIENCE)
        cdef int step, host = home_of(digest), idle = -1
        for step in range(HOST_LINES - 1):
            claim = load(&self.lines[host].claim)
            if is_of(claim, digest):
                return host
            if claim == 0:
                return host if idle < 0 or step < PATIENCE else idle
            if idle < 0 and claim & USERS == 0:
                idle = host
            if idle > 0 and step + 1 >= <int> reach:
                break
            host = after(host)
        return idle

    cdef void reach_for(self, int host, uint32_t digest) noexcept nogil:
        """Have searches for the digest come as far as that line."""
        cdef uint64_t seen, wanted = host - home_of(digest) + 1
        if host < home_of(digest):
            wanted += HOST_LINES - 1
        seen = load(&self.head.reach)
        while seen < wanted and not swap(&self.head.reach, seen, wanted):
            seen = load(&self.head.reach)

    cdef bint enter(self, int host, uint32_t digest) noexcept nogil:
        """Be one more user of the line; false when it is another host's, or nobody's any more."""
        cdef HostLine *line = self.lines + host
        cdef uint64_t claim = load(&line.claim)
        if is_of(claim, digest):
            if is_of(add(&line.claim, 1), digest):
                return True
            add(&line.claim, -<uint64_t> 1)
            return False
        self.reach_for(host, digest)
        return claim & USERS == 0 and swap(&line.claim, claim, (<uint64_t> digest << 32) | CLAIMED | 1)

    cdef int hold(self, uint32_t digest) noexcept nogil:
        """Count a session for the host, whose word is about to be stored: its number, or -1 when it can have none."""
        cdef int host, _attempt
        for _attempt in range(ATTEMPTS):
            host = self.place_for(digest)
            if host < 0:
                return -1
            if self.enter(host, digest):
                add(&self.lines[host].live, 1)
                return host
        return -1

    cdef void hold_again(self, uint64_t value) noexcept nogil:
        """Count a second copy of a word. The caller looks afterwards whether the first is still there, and else
        releases the second: the line may have become another host's before it was held."""
        add(&self.lines[host_of(value)].claim, 1)
        if not value & HANDED:
            add(&self.lines[host_of(value)].live, 1)

    cdef void release(self, uint64_t value) noexcept nogil:
        """Count a word no more, which is gone or was not stored after all."""
        if value == 0:
            return
        if not value & HANDED:
            add(&self.lines[host_of(value)].live, -<uint64_t> 1)
        add(&self.lines[host_of(value)].claim, -<uint64_t> 1)

    cdef void hand_over(self, uint64_t value) noexcept nogil:
        """Count a word as no longer live."""
        add(&self.lines[host_of(value)].live, -<uint64_t> 1)

    cdef const uint64_t *live_counter(self, uint32_t digest) noexcept nogil:
        """Where the live sessions of the host are counted; NULL while it has no line.

        The line stays the host's as long as it has sessions. One that has none may lose it to another host, whose
        sessions are counted there then: ask again now and then, or use `live_at`.
        """
        cdef int host = self.find(digest)
        return NULL if host < 0 else &self.lines[host].live

    cdef uint64_t live_at(self, uint32_t digest) noexcept nogil:
        """Live sessions of the host, those included that have expired and were not swept yet."""
        cdef const uint64_t *counter = self.live_counter(digest)
        return 0 if counter == NULL else load(counter)

    def live(self, uint32_t digest):
        """`live_at` for Python."""
        return self.live_at(digest)

    def take(self, uint32_t digest):
        """`hold` for Python."""
        return self.hold(digest)

    def give_back(self, uint32_t host):
        """`release` for Python, of a word that names the host with this number."""
        if not 0 < host < HOST_LINES:
            raise IndexError(f"there is no host {host}")
        self.release(<uint64_t> host << HOST_SHIFT)

    def counts(self):
        """Live sessions by digest, of the hosts that have sessions."""
        cdef uint64_t claim
        cdef int host
        found = {}
        for host in range(1, HOST_LINES):
            claim = load(&self.lines[host].claim)
            if claim & USERS:
                found[<uint32_t> (claim >> 32)] = found.get(<uint32_t> (claim >> 32), 0) + load(&self.lines[host].live)
        return found
