"""The descriptors of a worker: one C struct each, the epoll that watches them, their clock and timers.

A descriptor belongs to its struct from accept or connect to close. A closed struct is not used again before
`recycle`, at the end of a batch of events, so that an event of the same batch that came too late finds it CLOSED.
There is one read buffer: whoever has received must be done with the bytes, or hold them, before the next receive.
"""

from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memmove, memset

from fastproxy.syscalls cimport (
    CLOCK_MONOTONIC, EAGAIN, EINTR, ENOMEM, EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLLET, EPOLLIN, MSG_DONTWAIT,
    MSG_NOSIGNAL, SHUT_WR, SO_LINGER, SOL_SOCKET, TFD_CLOEXEC, TFD_NONBLOCK, TFD_TIMER_ABSTIME, clock_gettime,
    epoll_create1, epoll_ctl, epoll_event, errno, itimerspec, msghdr, recv, send, sendmsg, setsockopt, shutdown,
    timerfd_create, timerfd_settime, timespec,
)
from fastproxy.syscalls cimport close as close_fd
from fastproxy.timers cimport timer_remove, timer_set, wheel_init


cdef class Connections:
    """All connections of one worker."""

    def __cinit__(self):
        self.epoll_fd = self.timer_fd = -1
        self.read_buffer = <char *> malloc(READ_BYTES + 16)
        if self.read_buffer == NULL:
            raise MemoryError
        self.epoll_fd = epoll_create1(EPOLL_CLOEXEC)
        self.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)
        if self.epoll_fd < 0 or self.timer_fd < 0:
            raise OSError(errno, "no descriptor for the event loop")
        self.update_clock()
        wheel_init(&self.wheel, self.now_ms)
        self.clock.fd = self.timer_fd
        self.clock.kind = CLOCK
        if watch(self.epoll_fd, &self.clock, EPOLLIN) < 0:
            raise OSError(errno, "cannot watch the timer")

    def __dealloc__(self):
        cdef size_t i
        if self.timer_fd >= 0:
            close_fd(self.timer_fd)
        if self.epoll_fd >= 0:
            close_fd(self.epoll_fd)
        for i in range(self.slab_count):
            free(self.slabs[i])
        free(self.slabs)
        free(self.read_buffer)

    cdef Connection *adopt(self, int fd, Kind kind, uint32_t events) noexcept nogil:
        """Own `fd` from now on and watch it for `events`; NULL (and `fd` closed) when memory is short."""
        cdef Connection *connection
        if self.free_list == NULL:
            self.grow()
        connection = self.free_list
        if connection == NULL:
            close_fd(fd)
            return NULL
        self.free_list = connection.next
        memset(connection, 0, sizeof(Connection))
        connection.fd = fd
        connection.kind = kind
        connection.read_limit = READ_BYTES
        if watch(self.epoll_fd, connection, events) < 0:
            close_fd(fd)
            connection.kind = CLOSED
            connection.next = self.free_list
            self.free_list = connection
            return NULL
        self.open_count += 1
        return connection

    cdef void grow(self) noexcept nogil:
        cdef Connection *slab
        cdef void **slabs
        cdef int i
        slabs = <void **> realloc(self.slabs, (self.slab_count + 1) * sizeof(void *))
        if slabs == NULL:
            return
        self.slabs = slabs
        slab = <Connection *> calloc(SLAB, sizeof(Connection))
        if slab == NULL:
            return
        self.slabs[self.slab_count] = slab
        self.slab_count += 1
        for i in range(SLAB):
            slab[i].next = self.free_list
            self.free_list = &slab[i]

    cdef void close(self, Connection *connection) noexcept:
        """Close the descriptor and give back everything the struct owns; its struct is reused after `recycle`."""
        cdef PyObject *exchange = connection.exchange
        cdef PyObject *owner = connection.owner
        if connection.kind == CLOSED:
            return
        close_fd(connection.fd)
        timer_remove(&connection.timer)
        free(connection.out)
        free(connection.held)
        free(connection.sent)
        connection.out = connection.held = connection.sent = NULL
        connection.exchange = connection.owner = NULL
        connection.peer = NULL
        connection.kind = CLOSED
        self.open_count -= 1
        if not connection.flags & QUEUED:
            connection.next = self.closed_list
            self.closed_list = connection
        Py_XDECREF(exchange)
        Py_XDECREF(owner)

    # hot

    cdef void recycle(self) noexcept nogil:
        """Let the structs closed since the last call be used again: no event of the past can name them any more."""
        cdef Connection *connection
        while self.closed_list != NULL:
            connection = self.closed_list
            self.closed_list = connection.next
            connection.next = self.free_list
            self.free_list = connection

    cdef void enqueue(self, Connection *connection) noexcept nogil:
        """Have the connection read once more after the events at hand, without a new event from the kernel."""
        if connection.flags & QUEUED:
            return
        connection.flags |= QUEUED
        connection.queued_behind = NULL
        if self.queue == NULL:
            self.queue = connection
        else:
            self.queue_tail.queued_behind = connection
        self.queue_tail = connection

    cdef Connection *dequeue(self) noexcept nogil:
        cdef Connection *connection = self.queue
        if connection == NULL:
            return NULL
        self.queue = connection.queued_behind
        connection.flags &= ~QUEUED
        if connection.kind == CLOSED:
            connection.next = self.closed_list
            self.closed_list = connection
        return connection

    cdef ssize_t receive(self, Connection *connection) noexcept nogil:
        """Read into the shared buffer; READABLE is cleared when the kernel has no more for now."""
        cdef ssize_t got
        while True:
            got = recv(connection.fd, self.read_buffer, connection.read_limit, MSG_DONTWAIT)
            if got > 0:
                if got < <ssize_t> connection.read_limit and not connection.flags & HUNG_UP:
                    connection.flags &= ~READABLE
                return got
            if got == 0:
                connection.flags = (connection.flags | ENDED) & ~READABLE
                return END_OF_STREAM
            if errno == EAGAIN:
                connection.flags &= ~READABLE
                return 0
            if errno != EINTR:
                connection.flags &= ~READABLE
                return -errno

    cdef int transmit(self, Connection *connection, iovec *parts, int count) noexcept nogil:
        """Send the parts in order; what the kernel does not take is kept in `out`. 0, or -errno: then it is lost.

        The caller stops reading from the other side while `out` is not NULL: that is what bounds it.
        """
        cdef msghdr message
        cdef iovec whole
        cdef ssize_t sent = 0
        cdef size_t skip
        cdef int i
        connection.untaken_bytes = 0
        if count > 1 and self.gather(parts, count, &whole):
            parts = &whole
            count = 1
        if connection.out == NULL:
            while True:
                if count == 1:
                    sent = send(connection.fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT)
                else:
                    memset(&message, 0, sizeof(message))
                    message.msg_iov = parts
                    message.msg_iovlen = count
                    sent = sendmsg(connection.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT)
                if sent >= 0:
                    break
                if errno == EAGAIN:
                    sent = 0
                    break
                if errno != EINTR:
                    return -errno
        skip = sent
        for i in range(count):
            if skip >= parts[i].iov_len:
                skip -= parts[i].iov_len
                continue
            connection.out = buffer_append(
                connection.out, <const char *> parts[i].iov_base + skip, parts[i].iov_len - skip)
            if connection.out == NULL:
                return -ENOMEM
            skip = 0
        return 0

    cdef bint gather(self, iovec *parts, int count, iovec *whole) noexcept nogil:
        """Copy small pieces into one; False when they are too large together. The pieces stay as they are."""
        cdef size_t total = 0
        cdef int i
        for i in range(count):
            total += parts[i].iov_len
        if total > GATHER_BYTES:
            return False
        total = 0
        for i in range(count):
            memcpy(self.gathered + total, parts[i].iov_base, parts[i].iov_len)
            total += parts[i].iov_len
        whole.iov_base = self.gathered
        whole.iov_len = total
        return True

    cdef int flush(self, Connection *connection) noexcept nogil:
        """Send what `out` holds: 0 when all of it is gone or the kernel takes no more (`out` tells), else -errno."""
        cdef Buffer *out = connection.out
        cdef ssize_t sent
        while out != NULL and out.start < out.end:
            sent = send(connection.fd, out.data + out.start, out.end - out.start, MSG_NOSIGNAL | MSG_DONTWAIT)
            if sent < 0:
                if errno == EINTR:
                    continue
                return 0 if errno == EAGAIN else -errno
            out.start += sent
        free(out)
        connection.out = NULL
        return 0

    cdef int hold(self, Connection *connection, const char *data, size_t length) noexcept nogil:
        """Keep bytes that cannot be used yet; 0, or -ENOMEM."""
        connection.held = buffer_append(connection.held, data, length)
        return 0 if connection.held != NULL else -ENOMEM

    cdef void set_timer(self, Connection *connection, uint64_t delay_ms) noexcept nogil:
        """Have the connection's timer fire `delay_ms` from now; 0 disarms it."""
        timer_set(&self.wheel, &connection.timer, self.now_ms + delay_ms if delay_ms else 0)

    cdef int heed(self, int fd) noexcept nogil:
        """Watch a descriptor of who calls the engine; -1 with errno when that cannot be."""
        self.caller.fd = fd
        self.caller.kind = CALLER
        return watch(self.epoll_fd, &self.caller, EPOLLIN | EPOLLET)

    cdef void update_clock(self) noexcept nogil:
        cdef timespec now
        clock_gettime(CLOCK_MONOTONIC, &now)
        self.now_ms = <uint64_t> now.tv_sec * 1000 + now.tv_nsec // 1000000

    cdef void arm_timer_fd(self) noexcept nogil:
        """Have the kernel wake us when the wheel must be turned next."""
        cdef itimerspec when
        if self.wheel.wake_ms == self.timer_armed_ms:
            return
        self.timer_armed_ms = self.wheel.wake_ms
        memset(&when, 0, sizeof(when))
        when.it_value.tv_sec = self.wheel.wake_ms // 1000
        when.it_value.tv_nsec = (self.wheel.wake_ms % 1000) * 1000000
        timerfd_settime(self.timer_fd, TFD_TIMER_ABSTIME, &when, NULL)


cdef inline int watch(int epoll_fd, Connection *connection, uint32_t events) noexcept nogil:
    cdef epoll_event event
    event.events = events
    event.data.ptr = connection
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection.fd, &event)


cdef Buffer *buffer_append(Buffer *buffer, const char *data, size_t length) noexcept nogil:
    """The buffer (NULL for none) with `data` behind it, grown or moved as needed; NULL, all freed, without memory."""
    cdef size_t used = 0 if buffer == NULL else buffer.end - buffer.start
    cdef size_t size
    cdef Buffer *larger
    if buffer == NULL or buffer.size - buffer.end < length:
        if buffer != NULL and buffer.size - used >= length:
            memmove(buffer.data, buffer.data + buffer.start, used)
        else:
            size = used + length
            if buffer != NULL:
                size += used  # at least doubled, so that small pieces cost no copy each
            larger = <Buffer *> malloc(sizeof(Buffer) + size)
            if larger == NULL:
                free(buffer)
                return NULL
            larger.size = size
            if buffer != NULL:
                memcpy(larger.data, buffer.data + buffer.start, used)
                free(buffer)
            buffer = larger
        buffer.start = 0
        buffer.end = used
    memcpy(buffer.data + buffer.end, data, length)
    buffer.end += length
    return buffer


cdef void shut(Connection *connection) noexcept nogil:
    """End our direction: the peer reads an end of stream behind what was sent."""
    if not connection.flags & SHUT:
        connection.flags |= SHUT
        shutdown(connection.fd, SHUT_WR)

# end hot


cdef void reset_on_close(Connection *connection) noexcept nogil:
    """Have `close` send a RST: the peer must not take what it got for complete."""
    cdef int linger[2]
    linger[0] = 1
    linger[1] = 0
    setsockopt(connection.fd, SOL_SOCKET, SO_LINGER, linger, sizeof(linger))


def read_limit_of(buffer_limit_bytes: int) -> int:
    """What one recv takes at most, so that no more than `per_connection_buffer_limit_bytes` waits for a slow reader."""
    return min(max(buffer_limit_bytes, MIN_READ_BYTES), READ_BYTES) if buffer_limit_bytes else READ_BYTES
