"""What a client asks of a node: everything about the answer, its faults included, stands in the request's target.

So the driver knows what may come back, and both ends can compute every byte of both bodies.
"""

import hashlib
import random
import urllib.parse
from dataclasses import asdict, dataclass

MOST_BYTES = 1 << 20
CRASHES = ("reset", "close")  # amid the answer
FAULTS = (*CRASHES, "stall", "early", "leave")
# no body, whatever the head says
BODILESS = (204, 304)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request.

    `body` and `size` are the bytes of both bodies, `framing` is the answer's, `at` in percent is where in the answer
    the fault comes. A node that is to be `early` answers before it reads the body; one that is to `leave` closes the
    connection after the answer without having said so.
    """

    id: str
    method: str = "GET"
    body: int = 0
    is_chunked: bool = False
    size: int = 0
    framing: str = "length"  # chunked, close
    status: int = 200
    delay_ms: int = 0
    interim: int = 0
    fault: str = ""
    at: int = 0

    @property
    def target(self) -> str:
        return urllib.parse.urlencode(asdict(self))

    @property
    def has_answer_body(self) -> bool:
        return self.method != "HEAD" and self.status not in BODILESS

    def request_body(self) -> bytes:
        return marked(f"request {self.id}", self.body)

    def answer_body(self, node: str) -> bytes:
        return marked(f"answer {node} {self.id}", self.size)


def marked(text: str, size: int) -> bytes:
    """So many bytes that nobody else has: the text, then what no other text leads to."""
    start = text.encode() + b"\n"
    return (start + hashlib.shake_128(start).digest(max(0, size - len(start))))[:size]


def parsed(target: str) -> tuple[Ask, dict[str, str]]:
    """The node's side of `target`; the second part is what else stands in the query."""
    pairs = dict(urllib.parse.parse_qsl(target.partition("?")[2], keep_blank_values=True))
    number = {name: int(pairs.pop(name, "0")) for name in ("body", "size", "status", "delay_ms", "interim", "at")}
    text = {name: pairs.pop(name, "") for name in ("id", "method", "framing", "fault")}
    is_chunked = pairs.pop("is_chunked", "") == "True"
    return Ask(**text, **number, is_chunked=is_chunked), pairs  # type: ignore[arg-type]


def drawn(chance: random.Random, id: str, most_bytes: int = MOST_BYTES) -> Ask:
    """Any request that has a right answer."""
    method = chance.choice(("GET", "GET", "POST", "POST", "PUT", "HEAD", "DELETE"))
    has_body = method in ("POST", "PUT")
    return Ask(
        id,
        method,
        body=size(chance, most_bytes) if has_body else 0,
        is_chunked=has_body and chance.random() < 0.4,
        size=size(chance, most_bytes),
        framing=chance.choice(("length", "length", "chunked", "close")),
        status=chance.choice((200, 200, 200, 200, 404, 500, *BODILESS)),
        delay_ms=chance.choice((0, 0, 0, 5, 40)),
        interim=chance.choice((0, 0, 0, 1)),
    )


def size(chance: random.Random, most_bytes: int) -> int:
    """0 to `most_bytes`; small ones are as frequent as large ones."""
    return min(int(2 ** chance.uniform(-1, 21)), most_bytes)
