"""Plays rows of the corpus through a proxy, and behind them clean clients whose requests must get their own answers.

Rows are played one after the other, or many at once, piece by piece in turn: then they are told apart by a header
MARK in which the proxy says from which port the client has come.
"""

import contextlib
import itertools
import random
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.corpus.cases import Case, RequestCase, ResponseCase
from tests.corpus.origin import Link, Origin, tag_of
from tests.corpus.strict import Read, Stream, read_response

MARK = b"x-client-port"
MAX_PIECES = 150
READ_BYTES = 262144


def cut(data: bytes, how: str) -> list[bytes]:
    """The data in pieces: "whole", "byte by byte" (both ends of a long one so, its middle in larger pieces), or
    "random:<seed>"."""
    if how == "whole":
        return [data]
    if how == "byte by byte":
        points = list(range(1, len(data)))
        if len(points) > MAX_PIECES:
            half = MAX_PIECES // 2
            step = (len(data) - 2 * half) // 16 + 1
            points = points[:half] + points[half:-half:step] + points[-half:]
    else:
        chance = random.Random(how + str(len(data)))
        points = sorted(chance.sample(range(1, len(data)), min(len(data) - 1, chance.randint(1, 6))))
    return [data[start:end] for start, end in zip([0, *points], [*points, len(data)], strict=True)]


@dataclass
class Outcome:
    """What came of a row: at the node, at the client, and for the clean client behind it."""

    alone: bool = True  # no other row was played at the same time
    seen: list[Read] = field(default_factory=list)  # requests that the node has read, without the clean client's
    links: list[Link] = field(default_factory=list)  # on which they came
    node_bytes: int = 0  # of all rows that were played at the same time
    node_faults: list[str] = field(default_factory=list)  # why a strict node would have refused something; also of all
    answers: list[Read] = field(default_factory=list)
    rest: bytes = b""  # behind the last complete answer
    client_fault: str = ""
    ended: str = ""  # "fin", "reset", or "": the client's connection is open
    clean_answer: bytes = b""
    clean_tag: bytes = b""  # what it should have been
    clean_link: Link | None = None

    @property
    def finals(self) -> list[Read]:
        return [each for each in self.answers if not each.is_interim]


class Client:
    """A client's connection, the row that it plays, and what has come of it."""

    def __init__(self, port: int, origin: Origin, case: Case | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.mark = b"%d" % self.socket.getsockname()[1]
        self.fd = self.socket.fileno()
        self.origin = origin
        self.case = case
        self.ended = ""
        self.answers: list[Read] = []
        self.is_tunnel = False
        self.seen: list[tuple[Link, Read]] = []
        self.link: Link | None = None  # on which a ResponseCase is answered
        self.stream = Stream(self._read)
        origin.watch(self.socket)

    def _read(self, data: bytes) -> tuple[Read, int]:
        method = b"GET"
        if self.finals == 0 and self.case is not None:
            request = self.case.raw if isinstance(self.case, RequestCase) else self.case.request
            method = request.split(b" ")[0]
        return read_response(data, method, self.ended == "fin")

    @property
    def finals(self) -> int:
        return sum(not each.is_interim for each in self.answers)

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.socket.sendall(data)

    def receive(self) -> None:
        try:
            data = self.socket.recv(READ_BYTES)
            self.ended = "" if data else "fin"
        except OSError:
            data = b""
            self.ended = "reset"
        if self.ended:
            self.origin.poll.unregister(self.socket)
        if self.is_tunnel:
            return
        self.answers += self.stream.feed(data)
        self.is_tunnel = any(each.first == (b"101",) for each in self.answers)

    def is_done(self) -> bool:
        """Whether all has come that the row asks for."""
        if self.ended or self.stream.fault:
            return True
        if isinstance(self.case, RequestCase):
            expected = len(self.case.answers or self.case.seen) + (self.case.status is not None)
            return self.finals >= expected and not self.case.closes
        return self.finals > 0

    def close(self) -> None:
        if not self.ended:
            self.origin.poll.unregister(self.socket)
        self.socket.close()


class Range:
    """A proxy with a node behind it, and clients in front."""

    def __init__(self, port: int, origin: Origin, patience_s: float = 20.0) -> None:
        self.port = port
        self.origin = origin
        self.patience_s = patience_s  # without anything that happens
        self._clients: dict[int, Client] = {}
        self._numbers = itertools.count(1)

    def _connect(self, case: Case | None = None) -> Client:
        client = Client(self.port, self.origin, case)
        self._clients[client.fd] = client
        return client

    def _turn(self, timeout_s: float = 0.0) -> bool:
        """Whether anything happened."""
        events = self.origin.turn(timeout_s)
        for fd in events:
            if fd in self._clients and not self._clients[fd].ended:
                self._clients[fd].receive()
        return bool(events)

    def _settle(self, how: str = "whole") -> None:
        """Let the proxy read a piece before the next one comes, mostly: any cut is one of the cuts."""
        if how != "whole":
            time.sleep(0.0001)
        while self._turn():
            pass

    def _wait(self, clients: Sequence[Client]) -> None:
        """Until every row has what it asks for, or nothing happens any more."""
        while not all(client.is_done() for client in clients) and self._turn(self.patience_s):
            pass
        self._settle()

    def play(self, case: Case, how: str = "whole") -> Outcome:
        (outcome,) = self.play_all([case], how)
        return outcome

    def play_all(self, cases: Sequence[Case], how: str = "whole") -> list[Outcome]:
        """Play rows of one kind at the same time."""
        clients = [self._connect(case) for case in cases]
        if isinstance(cases[0], RequestCase):
            self._send_requests(clients, how)
        else:
            self._send_answers(clients, how)
        outcomes = [self._outcome(client, len(clients) == 1) for client in clients]
        for client in clients:
            self._clients.pop(client.fd)
            client.close()
        for outcome in outcomes:
            self._follow(outcome)
        return outcomes

    def _owner(self, clients: Sequence[Client], head: bytes) -> Client:
        """Whose request a head at the node is."""
        if len(clients) == 1:
            return clients[0]
        return next(client for client in clients if MARK + b": " + client.mark + b"\r\n" in head)

    def _attribute(self, clients: Sequence[Client], link: Link, request: Read) -> Client:
        owner = self._owner(clients, b"".join(b"%b: %b\r\n" % each for each in request.fields))
        owner.seen.append((link, request))
        return owner

    def _send_requests(self, clients: Sequence[Client], how: str) -> None:
        def respond(link: Link, request: Read) -> None:
            self._attribute(clients, link, request)
            self.origin.answer(link, request)

        self.origin.begin(respond)
        for pieces in itertools.zip_longest(*(cut(client.case.raw, how) for client in clients if client.case)):
            for client, piece in zip(clients, pieces, strict=True):
                if piece and not client.ended:
                    client.send(piece)
            self._settle(how)
        self._wait(clients)

    def _send_answers(self, clients: Sequence[Client], how: str) -> None:
        def respond(link: Link, request: Read) -> None:
            self._attribute(clients, link, request).link = link

        self.origin.begin(respond)
        for client in clients:
            if isinstance(client.case, ResponseCase):
                client.send(client.case.request)
        while not all(client.link or client.ended for client in clients) and self._turn(self.patience_s):
            for link in self.origin.links.values():
                if b"\r\n\r\n" in link.stream.data:  # its request has not ended, and does not
                    self._owner(clients, link.stream.data).link = link
        answered = [(client.link, client.case) for client in clients if client.link]
        for pieces in itertools.zip_longest(*(cut(case.raw, how) for _, case in answered if case)):
            for (link, _), piece in zip(answered, pieces, strict=True):
                if piece and link.is_open:
                    self.origin.send(link, piece)
            self._settle(how)
        for link, case in answered:
            if isinstance(case, ResponseCase) and case.end != "open":
                self._end(link, case.end)
        self._wait(clients)
        for link, case in answered:
            if isinstance(case, ResponseCase) and case.behind and link.is_open:
                self.origin.send(link, case.behind)
                self._let_proxy_read(link)

    def _end(self, link: Link, end: str) -> None:
        if end == "reset":
            self._let_proxy_read(link)
        if end == "reset" and link.is_open:
            link.reset()
        if link.is_open:
            self.origin.drop(link)

    def _let_proxy_read(self, link: Link) -> None:
        """Wait until the proxy has taken what was sent, or its end of the connection is gone."""
        deadline = time.monotonic() + self.patience_s
        while link.is_open and link.unread_by_proxy() and time.monotonic() < deadline:
            self._settle("in pieces")
        self._settle()

    def _outcome(self, client: Client, alone: bool) -> Outcome:
        outcome = Outcome(alone)
        outcome.answers, outcome.rest, outcome.ended = client.answers, client.stream.data, client.ended
        outcome.client_fault = client.stream.fault
        outcome.links = [link for link, _ in client.seen]
        outcome.seen = [request for _, request in client.seen]
        outcome.node_faults = list(self.origin.faults)
        outcome.node_bytes = self.origin.received
        return outcome

    def _follow(self, outcome: Outcome) -> None:
        """A request as it should be, on a connection of its own."""
        target = b"/clean/%d" % next(self._numbers)
        self.origin.begin()
        client = self._connect()
        client.send(b"GET " + target + b" HTTP/1.1\r\nhost: clean\r\n\r\n")
        self._wait([client])
        outcome.clean_answer = b"".join(each.body for each in client.answers) + client.stream.data
        for link, request in self.origin.requests:
            if request.first == (b"GET", target):
                outcome.clean_link = link
                outcome.clean_tag = tag_of(request)
            else:
                outcome.seen.append(request)
                outcome.links.append(link)
        outcome.node_faults += self.origin.faults
        self._clients.pop(client.fd)
        client.close()
