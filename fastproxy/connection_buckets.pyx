"""Token buckets that a downstream connection has for itself, those of each limit that it has met.

They lie behind one another in `Connection.sent`, which such a connection has no other use for, and are freed with it:
what is limited by no connection costs nothing.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport realloc
from libc.string cimport memset

from fastproxy.connections cimport Buffer, Connection

cdef enum:
    MOST_BYTES = 65536  # of one connection; only many reloads lead there, and all buckets begin anew then

cdef struct Entry:
    uint64_t limit
    uint64_t count  # of words
    uint64_t name  # of the connection, for what is kept elsewhere: a draw


cdef uint64_t *connection_buckets(Connection *c, uint64_t limit, uint32_t count, uint64_t draw) noexcept nogil:
    """`count` words for the limit of that number, and in front of them a name for the connection, which `draw` makes.
    All zero at first; NULL: there is no memory."""
    cdef size_t at = 0
    cdef size_t size = sizeof(Entry) + count * sizeof(uint64_t)
    cdef Buffer *grown
    cdef Entry *entry
    if c.sent != NULL:
        while at < c.sent.end:
            entry = <Entry *> (c.sent.data + at)
            if entry.limit == limit and entry.count == count:
                return &entry.name
            at += sizeof(Entry) + entry.count * sizeof(uint64_t)
        if at + size > MOST_BYTES:
            at = 0
    grown = <Buffer *> realloc(c.sent, sizeof(Buffer) + at + size)
    if grown == NULL:
        return NULL
    c.sent = grown
    grown.start = 0
    grown.end = grown.size = at + size
    memset(grown.data + at, 0, size)
    entry = <Entry *> (grown.data + at)
    entry[0] = Entry(limit, count, draw)
    return &entry.name
