"""The descriptors of a worker: one C struct each, the epoll that watches them, their clock and timers.

Return convention of everything that does input or output: > 0 bytes, 0 no progress, END_OF_STREAM, else -errno.
"""

from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from fastproxy.addresses cimport PeerAddress
from fastproxy.syscalls cimport iovec
from fastproxy.timers cimport Timer, Wheel

cdef enum:
    END_OF_STREAM = -100000
    SLAB = 256  # structs allocated at a time
    READ_BYTES = 131072  # the shared read buffer: the most that one recv takes
    MIN_READ_BYTES = 4096  # a smaller limit would cost more system calls than it saves memory
    GATHER_BYTES = 4096  # pieces up to this together are cheaper copied than gathered by the kernel

cdef enum Kind:
    CLOSED
    LISTENER
    DOWNSTREAM
    UPSTREAM
    TCP_DOWNSTREAM  # of a TCP proxy
    TCP_UPSTREAM  # of a TCP proxy that connects; UPSTREAM once there is a tunnel
    CLOCK
    CALLER  # a descriptor of who calls the engine

cdef enum Flag:
    READABLE = 1  # the kernel has told of bytes or of the end, and they were not all read
    PAUSED = 2  # the other side does not take bytes: do not read
    ENDED = 4  # the peer has ended its direction
    SHUT = 8  # we have ended ours
    SHUT_WHEN_FLUSHED = 16
    CLOSE_WHEN_FLUSHED = 32
    LINGERING = 64  # a client's: the answer is out; what still comes is read and thrown away
    DRAINING = 64  # an upstream connection that is not used again
    CONNECTING = 128
    QUEUED = 256  # stands in the list of connections to be read again
    HUNG_UP = 512  # the kernel has told of a FIN or RST: read until it shows
    REUSED = 1024  # an upstream connection that has carried an exchange before
    IDLE = 2048  # an upstream connection in its host's pool
    PARTIAL_HEAD = 4096  # `exchange` holds the parser of a head that is not complete
    MIRROR = 16384  # an upstream connection that carries a copy of a request, and no exchange
    AWAITS_OPEN_PACKET = 32768  # an upstream connection in a tunnel whose first message may open a session
    CARRIES_SESSION = 32768  # a downstream connection: the client of a session counts on it
    HIGH_PRIORITY = 8192  # an upstream connection for requests of the high priority
    LEAVING = 8192  # a downstream connection of which the next response is the last, or that closes without one


cdef struct Buffer:
    size_t start
    size_t end
    size_t size
    char data[1]


cdef struct Connection:
    Timer timer  # first, so that a timer is its connection
    Connection *peer  # the other side of the exchange or tunnel
    Connection *next  # of the list it stands in: free, closed, idle or waiting
    Connection *previous  # of an idle one, or one whose request waits for a connection
    Connection *queued_behind  # the next one in the queue
    Buffer *out  # what the peer did not take yet; NULL when there is nothing
    Buffer *held  # what was read and not consumed yet; NULL when there is nothing
    Buffer *sent  # upstream: the request at hand, once it is used again (sent_requests); downstream: connection_buckets
    PyObject *exchange  # owned
    PyObject *owner  # owned: the Manager or TcpProxy of a downstream connection, the Host of an upstream one
    void *tunnel  # owned: tunnel.pxd; NULL before the 101 or the connect
    uint64_t *counters  # the block of its manager or TCP proxy (downstream) or cluster (upstream)
    int fd
    uint16_t flags
    uint8_t kind
    uint8_t is_gated  # counts in the connection_limit of its filter chain
    uint32_t untaken_bytes  # slow_readers.pxd: what waited for the peer at the last look; 0: nothing, or more was sent
    PeerAddress address
    uint32_t requests
    uint32_t hold  # where it is counted among those of its address, and 1; 0: nowhere
    uint32_t read_limit  # the most that one recv takes: per_connection_buffer_limit_bytes
    uint64_t leaves_ms  # when a downstream connection has lasted, or an upstream one was idle, long enough; 0: never
    uint64_t ends_ms  # when an upstream connection has lasted long enough; 0: never. downstream: see silent_since


cdef class Connections:
    cdef int epoll_fd
    cdef int timer_fd
    cdef Wheel wheel
    cdef uint64_t timer_armed_ms
    cdef Connection clock
    cdef Connection caller
    cdef char *read_buffer
    cdef char gathered[4096]  # GATHER_BYTES
    cdef readonly uint64_t now_ms
    cdef readonly size_t open_count
    cdef Connection *free_list
    cdef Connection *closed_list
    cdef Connection *queue
    cdef Connection *queue_tail
    cdef void **slabs
    cdef size_t slab_count

    cdef void grow(self) noexcept nogil
    cdef Connection *adopt(self, int fd, Kind kind, uint32_t events) noexcept nogil
    cdef void close(self, Connection *connection) noexcept
    cdef void recycle(self) noexcept nogil
    cdef void enqueue(self, Connection *connection) noexcept nogil
    cdef Connection *dequeue(self) noexcept nogil
    cdef ssize_t receive(self, Connection *connection) noexcept nogil
    cdef int transmit(self, Connection *connection, iovec *parts, int count) noexcept nogil
    cdef bint gather(self, iovec *parts, int count, iovec *whole) noexcept nogil
    cdef int flush(self, Connection *connection) noexcept nogil
    cdef int hold(self, Connection *connection, const char *data, size_t length) noexcept nogil
    cdef void set_timer(self, Connection *connection, uint64_t delay_ms) noexcept nogil
    cdef int heed(self, int fd) noexcept nogil
    cdef void update_clock(self) noexcept nogil
    cdef void arm_timer_fd(self) noexcept nogil


cdef inline uint64_t silent_since_ms(const Connection *downstream) noexcept nogil:
    """Since when nothing has moved on a client's connection."""
    return downstream.ends_ms


cdef inline void begin_silence(Connection *downstream, uint64_t now_ms) noexcept nogil:
    downstream.ends_ms = now_ms


cdef Buffer *buffer_append(Buffer *buffer, const char *data, size_t length) noexcept nogil
cdef void shut(Connection *connection) noexcept nogil
cdef void reset_on_close(Connection *connection) noexcept nogil
