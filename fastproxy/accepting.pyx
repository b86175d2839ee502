"""Accepting: who is taken out of a listener's queue, who is turned away, and when a listener rests."""

import select

from fastproxy.addresses cimport read_address
from fastproxy.connections cimport DOWNSTREAM, Connection
from fastproxy.counters cimport (
    listener_downstream_cx_destroy, listener_downstream_cx_overflow, listener_downstream_cx_overload_reject,
    listener_downstream_cx_total, listener_downstream_global_cx_overflow, listener_no_filter_chain_match,
)
from fastproxy.overload cimport REJECT_INCOMING_CONNECTIONS, SHED_ACCEPT, STOP_ACCEPTING_CONNECTIONS, is_calm
from fastproxy.runtime cimport Chain, Listener
from fastproxy.syscalls cimport (
    EAGAIN, ECONNABORTED, EINTR, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLLET, EPOLLIN, EPOLLOUT, EPOLLRDHUP, SOCK_CLOEXEC,
    SOCK_NONBLOCK, accept4, epoll_ctl, epoll_event, errno, sockaddr, sockaddr_storage, socklen_t,
)

cdef enum:
    MAX_WAITING = 65536  # in an accept queue; the kernel cuts it at net.core.somaxconn
    ACCEPT_PAUSE_MS = 100  # without a free descriptor, how long nothing is accepted
    SHED_AT_ONCE = 32  # idle connections that are closed for a new one when descriptors are scarce

cdef int WATCHED = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET


cdef class Accepting:
    """Takes clients in for an engine."""

    def accept_waiting(self, int fd, size_t pointer) -> None:
        """Take what stands in the accept queue of a socket that is about to be closed."""
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        for _ in range(MAX_WAITING):
            if not poll.poll(0) or not self.accept(<Connection *> pointer):
                break

    cdef bint accepts(self, Connection *listener):
        """Whether there is room for one more client; when not, the listener rests for a while."""
        if self.io.open_count >= self.overload.scarce_at:
            self.exchanges_.shed(SHED_AT_ONCE)
            if self.io.open_count >= self.overload.full_at:
                self.pause_accepting(listener)
                return False
        if self.overload.is_complete(STOP_ACCEPTING_CONNECTIONS):
            self.rest(listener)
            return False
        return True

    cdef bint accept(self, Connection *listener):
        """Take one connection out of the accept queue; the kernel tells again while there are more. False when no more
        are taken at present."""
        cdef sockaddr_storage address
        cdef socklen_t length
        cdef Connection *connection
        cdef int fd
        if not self.accepts(listener):
            return False
        length = sizeof(address)
        fd = accept4(listener.fd, <sockaddr *> &address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC)
        if fd < 0:
            if errno != EAGAIN and errno != EINTR and errno != ECONNABORTED:
                self.pause_accepting(listener)
                return False
            return True
        connection = self.io.adopt(fd, DOWNSTREAM, WATCHED)
        if connection == NULL:
            self.pause_accepting(listener)
            return False
        read_address(&connection.address, &address)
        connection.read_limit = (<Listener> listener.owner).read_limit
        if self.is_turned_away(<Listener> listener.owner):
            self.io.close(connection)
        else:
            self.serve(connection, <Listener> listener.owner)
        return True

    cdef bint is_turned_away(self, Listener listener) noexcept:
        """Whether the overload manager wants the client that was just accepted to be closed, and nothing more."""
        if not is_calm(self.overload) and (
                self.overload.sheds(SHED_ACCEPT, self.exchanges_.stamps.random())
                or self.overload.acts(REJECT_INCOMING_CONNECTIONS, self.exchanges_.stamps.random())):
            listener.counters[<int> listener_downstream_cx_overload_reject] += 1
            return True
        if self.overload.has_all_connections():
            listener.counters[<int> listener_downstream_global_cx_overflow] += 1
            return True
        return False

    cdef int serve(self, Connection *connection, Listener listener) except -1:
        """Hand an accepted connection to the filter chain that takes it."""
        cdef Chain chain = listener.default
        if listener.matching is not None:
            chain = listener.find(connection)
        if chain is not None and chain.manager is not None:
            self.exchanges_.accepted(connection, chain.manager)
        elif chain is not None and chain.tcp_proxy is not None:
            self.exchanges_.relay_accepted(connection, chain.tcp_proxy)
        else:
            if chain is None:
                listener.counters[<int> listener_no_filter_chain_match] += 1
            listener.counters[<int> listener_downstream_cx_total] += 1
            listener.counters[<int> listener_downstream_cx_destroy] += 1
            self.io.close(connection)

    cdef int pause_accepting(self, Connection *listener) except -1:
        """Out of descriptors or memory: leave the queue alone for a while, or its event would spin."""
        (<Listener> listener.owner).counters[<int> listener_downstream_cx_overflow] += 1
        self.pauses += 1
        self.rest(listener)

    cdef int rest(self, Connection *listener) except -1:
        epoll_ctl(self.io.epoll_fd, EPOLL_CTL_DEL, listener.fd, NULL)
        self.io.set_timer(listener, ACCEPT_PAUSE_MS)

    cdef int resume_accepting(self, Connection *listener) except -1:
        cdef epoll_event event
        event.events = EPOLLIN
        event.data.ptr = listener
        epoll_ctl(self.io.epoll_fd, EPOLL_CTL_ADD, listener.fd, &event)
