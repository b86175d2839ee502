"""A look at a socket: has its peer taken something since the last one?"""

import socket
from collections.abc import Iterator

import pytest

from fastproxy.slow_readers import looks

PERIOD_MS = 1000  # in which a reader takes 256 bytes at least


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a TCP connection; the first has small buffers to send from, the second to receive in."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        writer = socket.create_connection(listener.getsockname())
        reader = listener.accept()[0]
    writer.setblocking(False)
    yield writer, reader
    writer.close()
    reader.close()


def filled(writer: socket.socket) -> int:
    """Send until the kernel takes no more: how much it took."""
    sent = 0
    try:
        while True:
            sent += writer.send(b"x" * 4096)
    except BlockingIOError:
        return sent


def read(reader: socket.socket, length: int) -> bool:
    while length:
        length -= len(reader.recv(length))
    return True


def test_nothing_waits(pair):
    assert looks(pair[0].fileno(), PERIOD_MS, range(2)) == [(False, 0), (False, 0)]


def test_nobody_reads(pair):
    filled(pair[0])
    (first, waiting), second = looks(pair[0].fileno(), PERIOD_MS, range(2))
    assert waiting > 0
    assert (first, second) == (False, (False, waiting))


def test_somebody_reads_slowly(pair):
    """It counts as long as something is taken, down to the last byte; then nothing waits any more."""
    writer, reader = pair
    left = filled(writer)

    def steps() -> Iterator[None]:
        nonlocal left
        while left:
            piece = min(left, 65536)
            read(reader, piece)
            left -= piece
            yield
        yield

    found = looks(writer.fileno(), PERIOD_MS, steps())
    assert [taking for taking, _ in found] == [True] * (len(found) - 1) + [False]
    assert [waiting for _, waiting in found] == sorted((waiting for _, waiting in found), reverse=True)
    assert found[-1] == (False, 0)


def test_who_takes_next_to_nothing_takes_nothing(pair):
    """The same bytes are enough for a short time, and too little for a long one."""
    writer, reader = pair
    filled(writer)
    for period_ms, taking in ((1000, True), (1_000_000_000, False)):
        assert looks(writer.fileno(), period_ms, (read(reader, 65536) for _ in range(1)))[0][0] is taking


def test_what_is_no_socket_has_nothing_waiting(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        assert looks(file.fileno(), PERIOD_MS, range(1)) == [(False, 0)]
