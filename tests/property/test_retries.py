"""Whatever a node does to the tries of a request: it sees as many as the policy says, and the client one answer."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fastproxy.model_routes import RetryPolicy
from tests.unit.engine_world import Peer, World, get, ok

BUSY = b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy"
MISSING = b"HTTP/1.1 404 Missing\r\ncontent-length: 0\r\n\r\n"
CLOSE, GARBAGE = b"", b"garbage\r\n\r\n"
RESETS = {"5xx", "gateway-error", "reset"}
WANTED = {
    BUSY: (503, {"5xx", "gateway-error"}),
    MISSING: (404, {"retriable-status-codes"}),
    CLOSE: (503, RESETS),
    GARBAGE: (502, RESETS),
}
"""What the client sees of each in the end, and the words that have it tried again."""

WORDS = sorted({"connect-failure", *RESETS, "retriable-status-codes"})


def outcome(script: list[bytes], words: set[str], retries: int, method: str) -> tuple[int, int]:
    """How often the request is seen, and the status in the end; behind the script the node answers 200."""
    is_kept, seen = False, 0
    for does in script:
        seen += 1
        if does == CLOSE and is_kept and method == "GET":
            is_kept = False  # which costs no retry
            continue
        status, reasons = WANTED[does]
        if not words & reasons or retries == 0:
            return seen, status
        retries -= 1
        is_kept = does in (BUSY, MISSING)
    return seen + 1, 200


def play(world: World, script: list[bytes], method: str) -> tuple[int, int]:
    client = world.client().send(get("/", "content-length: 2", method=method) + b"hi")
    node: Peer | None = None
    for seen, does in enumerate([*script, ok()], 1):
        node = next_try(world, node, client)
        if node is None:
            return seen - 1, client.response()[0]
        assert node.head().startswith(method.encode())
        assert node.take(2) == b"hi"
        if does in (CLOSE, GARBAGE):
            node.send(does).shut()
        else:
            node.send(does)
    return len(script) + 1, client.response()[0]


def next_try(world: World, node: Peer | None, client: Peer) -> Peer | None:
    """The connection on which the request comes next; None when the client has its answer instead."""

    def look() -> bool:
        client.read()
        if node is not None and not node.ended:
            node.read()
        return bool(client.got or world.nodes[0].is_asked() or (node is not None and node.got))

    world.until(look)
    if client.got:
        return None
    return world.nodes[0].accept() if world.nodes[0].is_asked() else node


@settings(deadline=None, max_examples=40)
@given(
    script=st.lists(st.sampled_from(list(WANTED)), max_size=5),
    words=st.sets(st.sampled_from(WORDS)),
    retries=st.integers(0, 4),
    method=st.sampled_from(["GET", "POST"]),
)
def test_tries(script: list[bytes], words: set[str], retries: int, method: str) -> None:
    policy = RetryPolicy(
        tuple(sorted(words)), retries, retriable_status_codes=(404,), back_off_base_s=0.001, back_off_max_s=0.001
    )
    world = World(route={"retry_policy": policy})
    try:
        assert play(world, script, method) == outcome(script, words, retries, method)
    finally:
        world.close()
        vars(world).clear()  # at once: a collector may take its counters before who reads them
