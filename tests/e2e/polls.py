"""Engine.IO sessions by polling that send every request themselves, so that a test sees each answer.

They can be had in all the shapes that open packets come in: Engine.IO 3 and 4, as text or binary, as JSONP, compressed.
"""

import gzip
import http.client
import json
import re
import urllib.parse
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

TIMEOUT_S = 40.0
DECODERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "deflate": zlib.decompress, "identity": bytes}
# JSONP quotes the packets once more
SID = re.compile(rb'\\?"sid\\?":\\?"([\w-]+)')
NODE = re.compile(rb"node#\d+")


@dataclass(frozen=True)
class Shape:
    """How the packets of a session come and go."""

    name: str
    eio: int = 4
    parameters: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_jsonp(self) -> bool:
        return "&j=" in self.parameters

    def encoded(self, packet: str) -> str:
        """The body of a POST with this packet."""
        framed = packet if self.eio == 4 else f"{len(packet)}:{packet}"
        return "d=" + urllib.parse.quote(framed) if self.is_jsonp else framed


PLAIN = Shape("eio4")
EIO_3 = Shape("eio3", 3, "&b64=1")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def ask(port: int, target: str, method: str = "GET", body: str | None = None, **headers: str) -> Answer:
    """One request on a connection of its own; the answer's body is decompressed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request(method, target, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        decode = DECODERS[answer.getheader("content-encoding", "identity")]
        return Answer(answer.status, answer.headers, decode(answer.read()))
    finally:
        connection.close()


class PollingSession:
    """A session of the namespace /, open when this is made; `opening` is the answer with the open packet."""

    def __init__(self, port: int, shape: Shape = PLAIN) -> None:
        self.port = port
        self.shape = shape
        self.opening = self.ask()
        found = SID.search(self.opening.body)
        assert found, self.opening
        self.sid = found[1].decode()
        if shape.eio == 4:
            assert self.post("40").status == 200

    @property
    def target(self) -> str:
        sid = f"&sid={self.sid}" if hasattr(self, "sid") else ""
        return f"/socket.io/?EIO={self.shape.eio}&transport=polling{self.shape.parameters}{sid}"

    def ask(self, method: str = "GET", body: str | None = None, **headers: str) -> Answer:
        return ask(self.port, self.target, method, body, **self.shape.headers, **headers)

    def post(self, packet: str) -> Answer:
        kind = "application/x-www-form-urlencoded" if self.shape.is_jsonp else "text/plain;charset=UTF-8"
        return self.ask("POST", self.shape.encoded(packet), content_type=kind)

    def say(self, text: str) -> Answer:
        """A message that the node is to echo."""
        return self.post("42" + json.dumps(["message", text], separators=(",", ":")))

    def hear(self, text: str) -> str:
        """Poll until its echo is there; the node that sent it."""
        while True:
            answer = self.ask()
            assert answer.status == 200, answer
            if text.encode() in answer.body:
                return NODE.findall(answer.body)[-1].decode()
