"""Crowds of sockets: idle ones, halves of heads, pipelines. Each function returns when its crowd stands."""

import contextlib
import multiprocessing
import resource
import socket
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

PATIENCE_S = 60.0
SOURCES = 250  # addresses of 127.0.0.0/8 that a crowd comes from, so that ports do not run out


def connect(port: int, number: int) -> socket.socket:
    """A client from one of many addresses."""
    client = socket.socket()
    client.bind((f"127.0.{number % SOURCES + 1}.1", 0))
    client.settimeout(PATIENCE_S)
    client.connect(("127.0.0.1", port))
    return client


def stand(port: int, count: int, first: bytes, told: Connection) -> None:
    """The work of one process: connect so often, send `first` each time, and hold on until it is told to end."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    clients = []
    for number in range(count):
        client = connect(port, number)
        if first:
            client.sendall(first)
        clients.append(client)
    told.send(len(clients))
    told.recv()
    for client in clients:
        client.close()


@contextlib.contextmanager
def crowd(port: int, count: int, first: bytes = b"", processes: int = 1) -> Iterator[int]:
    """So many clients in processes of their own; how many there are."""
    context = multiprocessing.get_context("fork")  # spawn would leave a resource tracker behind
    ends, members = [], []
    for place in range(processes):
        ours, theirs = context.Pipe()
        share = count // processes + (place < count % processes)
        members.append(context.Process(target=stand, args=(port, share, first, theirs), daemon=True))
        members[-1].start()
        theirs.close()
        ends.append(ours)
    try:
        yield sum(end.recv() for end in ends)
    finally:
        for end in ends:
            with contextlib.suppress(OSError):
                end.send(None)
        for member in members:
            member.join(PATIENCE_S)


def pipeline(client: socket.socket, request: bytes, count: int) -> int:
    """Send so many requests without waiting, read all there is, and return the bytes that came before the end."""
    client.setblocking(False)
    data, received = memoryview(request * count), 0
    shut = False
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if data:
            with contextlib.suppress(BlockingIOError):
                data = data[client.send(data) :]
        elif not shut:
            client.shutdown(socket.SHUT_WR)
            shut = True
        with contextlib.suppress(BlockingIOError):
            got = len(client.recv(1 << 20))
            if got == 0:
                return received
            received += got
    raise AssertionError(f"only {received} bytes of answers came")
