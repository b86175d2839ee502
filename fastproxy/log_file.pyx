"""A file of lines that several processes append to, behind a bounded buffer that never makes anybody wait.

Owns the descriptor and the buffer, and counts what it had to drop. Knows nothing of what the lines say.

Whole lines go out in one write, so the lines of several processes do not mix: on a file through O_APPEND, on a pipe
through writes of at most PIPE_BUF bytes, which are atomic (pipe(7)). A disk that is full and a reader that is slow look
alike: the buffer grows to its bound, then new lines are lost, and every flush tries again.
"""

import os

from libc.errno cimport EAGAIN, ENXIO, errno
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memchr, memmove

from fastproxy.counters cimport filesystem_reopen_failed, filesystem_write_completed, filesystem_write_failed

cdef extern from "<fcntl.h>" nogil:
    int O_WRONLY, O_APPEND, O_CREAT, O_CLOEXEC, O_NONBLOCK, O_NOCTTY, F_DUPFD_CLOEXEC
    int c_open "open"(const char *path, int flags, int mode)
    int fcntl(int fd, int command, int argument)

cdef extern from "<unistd.h>" nogil:
    ssize_t c_write "write"(int fd, const void *data, size_t length)
    int c_close "close"(int fd)

cdef extern from "<sys/socket.h>" nogil:
    int MSG_DONTWAIT, MSG_NOSIGNAL
    ssize_t send(int fd, const void *data, size_t length, int flags)

cdef extern from "<sys/stat.h>" nogil:
    struct stat_t "stat":
        unsigned int st_mode
    int fstat(int fd, stat_t *status)
    bint S_ISREG(unsigned int mode)
    bint S_ISSOCK(unsigned int mode)

cdef extern from "<string.h>" nogil:
    void *memrchr(const void *data, int byte, size_t length)

cdef enum:
    FLUSH_BYTES = 65536
    MAX_BYTES = 1048576
    PIPE_BYTES = 4096  # PIPE_BUF
    MODE = 0o640

cdef enum Kind:
    REGULAR
    STREAM  # pipe, terminal, device
    SOCKET

STANDARD_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}


cdef Kind kind_of(int fd) noexcept nogil:
    cdef stat_t status
    if fstat(fd, &status) != 0:
        return STREAM
    return REGULAR if S_ISREG(status.st_mode) else SOCKET if S_ISSOCK(status.st_mode) else STREAM


cdef class LogFile:
    """Opened at once, for appending, made with mode 0640 when it is not there. Raises OSError."""

    def __cinit__(self, str path):
        self.fd = -1
        self.path = path
        self.counters = self.own_counters
        self.capacity = FLUSH_BYTES
        self.buffer = <char *>malloc(self.capacity)
        if self.buffer == NULL:
            raise MemoryError
        self.fd = self.open()
        self.kind = kind_of(self.fd)

    def __dealloc__(self):
        if self.fd >= 0:
            self.flush_now()
            c_close(self.fd)
        free(self.buffer)

    cdef int open(self) except -1:
        """A new descriptor of the path. A standard stream that is a socket cannot be opened, only duplicated."""
        cdef bytes name = os.fsencode(self.path)
        cdef int standard = STANDARD_STREAMS.get(self.path, -1)
        cdef int fd = c_open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, MODE)
        if fd < 0 and errno == ENXIO and standard >= 0:
            fd = fcntl(standard, F_DUPFD_CLOEXEC, 0)
        if fd < 0:
            raise OSError(errno, os.strerror(errno), self.path)
        return fd

    def count_in(self, row, slot):
        """Count in a worker's row from now on, at the block of FilesystemCounter that begins at `slot`."""
        cdef uint64_t[::1] view = row
        self.row = row
        self.counters = &view[<Py_ssize_t> slot]

    cdef bint has_room(self, size_t length) noexcept nogil:
        return length <= self.capacity - self.used

    cdef char *reserve(self, size_t length) noexcept nogil:
        cdef size_t capacity
        cdef char *grown
        if self.fd < 0:
            self.lines_lost += 1
            return NULL
        if not self.has_room(length) and not self.is_stuck:
            self.flush_now()
        if not self.has_room(length):
            capacity = self.capacity
            while capacity < self.used + length:
                capacity *= 2
            grown = <char *>realloc(self.buffer, capacity) if capacity <= MAX_BYTES else NULL
            if grown == NULL:
                self.lines_lost += 1
                return NULL
            self.buffer = grown
            self.capacity = capacity
        return self.buffer + self.used

    cdef void commit(self, size_t length) noexcept nogil:
        self.used += length
        if self.used >= FLUSH_BYTES and not self.is_stuck:
            self.flush_now()

    cdef ssize_t write_some(self, const char *data, size_t length) noexcept nogil:
        if self.kind == SOCKET:
            return send(self.fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL)
        return c_write(self.fd, data, length)

    cdef size_t chunk(self, const char *data, size_t length) noexcept nogil:
        """How much to write at once: everything to a file, as many whole lines as are atomic to anything else."""
        cdef const char *end
        if data == NULL or self.kind == REGULAR or length <= PIPE_BYTES:
            return length
        end = <const char *>memrchr(data, 10, PIPE_BYTES)
        if end == NULL:
            end = <const char *>memchr(data, 10, length)
        return length if end == NULL else end + 1 - data

    cdef void flush_now(self) noexcept nogil:
        cdef size_t done = 0
        cdef ssize_t written = 1
        while done < self.used and written > 0:
            written = self.write_some(self.buffer + done, self.chunk(self.buffer + done, self.used - done))
            if written > 0:
                done += written
                self.counters[<int> filesystem_write_completed] += 1
            elif errno != EAGAIN:
                self.counters[<int> filesystem_write_failed] += 1
        if done:
            self.is_inside_line = done < self.used and self.buffer[done - 1] != 10
            self.used -= done
            memmove(self.buffer, self.buffer + done, self.used)
        self.is_stuck = self.used > 0

    cdef void drop_unfinished(self) noexcept nogil:
        """Forget the rest of a line whose beginning went to a descriptor that is about to be left."""
        cdef const char *end = NULL
        cdef size_t rest
        if self.used and self.is_inside_line:
            end = <const char *>memchr(self.buffer, 10, self.used)
            rest = self.used if end == NULL else end + 1 - self.buffer
            self.used -= rest
            memmove(self.buffer, self.buffer + rest, self.used)
            self.lines_lost += 1
        self.is_inside_line = False

    def flush(self):
        """Write what is there, as far as it can be written without waiting; never raises."""
        self.flush_now()

    def reopen(self):
        """Open the path anew, for a file that was moved away; lines still held go to the new one, as in Envoy.

        Raises OSError when it cannot be opened; then the old descriptor stays in use.
        """
        cdef int fd
        try:
            fd = self.open()
        except OSError:
            self.counters[<int> filesystem_reopen_failed] += 1
            raise
        if self.fd >= 0:
            if self.is_inside_line:
                self.flush_now()
            c_close(self.fd)
        self.drop_unfinished()
        self.fd = fd
        self.kind = kind_of(fd)
        self.is_stuck = False

    def close(self):
        """Flush, and count as lost what could not be written. Lines written later are lost too."""
        if self.fd >= 0:
            self.flush_now()
            self.lines_lost += self.buffer[:self.used].count(b"\n")
            c_close(self.fd)
        self.fd = -1
        self.used = 0

    def append(self, bytes line):
        """One line, for tests and for callers in Python."""
        cdef size_t length = len(line)
        cdef char *room = self.reserve(length)
        if room != NULL:
            memmove(room, <const char *>line, length)
            self.commit(length)

    @property
    def held_bytes(self):
        """Bytes that wait to be written."""
        return self.used
