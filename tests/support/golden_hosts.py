"""Recordings that say which host answered (families 01 to 08): hash vectors, cookies, bounded load, routes."""

import base64
import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from fastproxy._ring import xx_hash
from tests.support.adversary import Node, Peer
from tests.support.golden import Outcome, Outcomes, Serve, Stage, spread, stage_of
from tests.support.messages import Head, Message, mask
from tests.support.proxies import Json, Worlds
from tests.support.websocket import KEY, accept_of, upgrade_seen

MADE = re.compile(r'="[0-9a-f]{16}"')  # the value of a cookie that the proxy made
REWRITTEN = ("x-envoy-original-path", "x-envoy-original-host", "x-forwarded-host")
UPGRADE = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13",
           "sec-websocket-key": KEY.decode()}  # fmt: skip


def request_bytes(request: Json, default_host: str) -> bytes:
    """The head that was sent: a header's value may be a list of lines, and raw bytes in base64."""
    lines = [(name, each) for name, value in request.get("headers", {}).items()
             for each in (value if isinstance(value, list) else [value])]  # fmt: skip
    if not any(name.lower() == "host" for name, _ in lines):
        lines.insert(0, ("host", default_host))
    start = f"{request.get('method', 'GET')} {request.get('path', '/')} HTTP/1.1\r\n".encode()
    return start + b"".join(b"%s: %s\r\n" % (name.encode(), _raw(value)) for name, value in lines) + b"\r\n"


def _raw(value: str | Json) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value["b64"])


class Answered:
    """An answer, and the request as the node received it; `upstream` is the node's recorded address, None: none."""

    def __init__(self, response: Message, seen: list[tuple[str, Head]]) -> None:
        self.status, self.body = response.status, response.body.decode("latin-1")
        self.head = response.head
        self.upstream = seen[-1][0] if seen else None
        self.request = seen[-1][1] if seen else None

    def headers(self, name: str) -> list[str]:
        return [value.decode("latin-1") for value in self.head.all(name.encode())]

    def upstream_saw(self, name: str) -> list[str]:
        values = self.request.all(name.encode()) if self.request else []
        return [value.decode("latin-1") for value in values]


class Asker:
    """Asks the proxy, on one connection as long as it lives."""

    def __init__(self, stage: Stage, seen: list[tuple[str, Head]], default_host: str) -> None:
        self._stage, self._seen, self._default_host = stage, seen, default_host
        self._kept: Peer | None = None

    def ask(self, request: Json, client: Peer | None = None) -> Answered:
        """On the kept connection, or on `client`; from an address of its own on a new one."""
        if client is None and "source_ip" in request:
            client = self._stage.connect(request["source_ip"])
        peer = client or self._kept or self._stage.connect()
        self._seen.clear()
        peer << request_bytes(request, self._default_host)
        response = peer.read_response(to=request.get("method", "GET"))
        if client is None:
            self._kept = peer if response.head.get(b"connection") is None else None
        return Answered(response, list(self._seen))


def answering(seen: list[tuple[str, Head]], status: int = 200, cookies: tuple[str, ...] = ()) -> Callable[
    [str], Serve
]:  # fmt: skip
    """Nodes that tell their recorded address and remember what they were asked."""
    ours = "".join(f"set-cookie: {cookie}\r\n" for cookie in cookies)

    def at(address: str) -> Serve:
        ok = f"HTTP/1.1 {status} Whatever\r\nx-upstream: {address}\r\n{ours}content-length: 2\r\n\r\n".encode()
        switching = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        switching += f"x-upstream: {address}\r\n".encode() + b"sec-websocket-accept: "

        def serve(node: Node, peer: Peer) -> None:
            while True:
                head = peer.read_request().head
                seen.append((address, head))
                if upgrade_seen(head):
                    peer << switching + accept_of(head.get(b"sec-websocket-key") or b"") + b"\r\n\r\n"
                    peer.read_to_end()
                    return
                peer << ok + (b"" if head.method == b"HEAD" else b"ok")

        return serve

    return at


def play_hashes(recorded: Json, vectors: list[Json], worlds: Worlds, folder: Path) -> Outcomes:
    """`upstream` is the host that answered, or `random`; `upstream_saw_<header>` the lines that reached it."""
    seen: list[tuple[str, Head]] = []
    stage = stage_of(recorded["envoy_config"], answering(seen), worlds, folder)
    asker = Asker(stage, seen, "localhost:9002")
    for vector in vectors:
        request = vector["request"]
        answered = asker.ask(request)
        wanted = {key: vector[key] for key in vector if key in ("upstream", "status", "body") or "_saw_" in key}
        now = {key: _part(answered, key) for key in wanted}
        if vector.get("random"):
            wanted["upstream"] = "random"
            now["upstream"] = spread(lambda: asker.ask(request).upstream)  # noqa: B023
        yield Outcome(name_of(request), wanted, now)
    stage.world.settle()


def _part(answered: Answered, key: str) -> object:
    if "_saw_" in key:
        return answered.upstream_saw(key.partition("_saw_")[2].replace("_", "-"))
    return getattr(answered, key)


def name_of(request: Json) -> str:
    """What a table may call this vector: the request in one line."""
    headers = " ".join(f"{name}={value}" for name, value in request.get("headers", {}).items())
    source = f" from {request['source_ip']}" if "source_ip" in request else ""
    return f"{request.get('method', 'GET')} {request.get('path', '/')} {headers}{source}".strip()


def play_kinds(recorded: Json, vectors: list[Json], worlds: Worlds, folder: Path) -> Outcomes:
    """The same key on a poll, a post and an upgrade, each on a connection of its own."""
    seen: list[tuple[str, Head]] = []
    stage = stage_of(recorded["envoy_config"], answering(seen), worlds, folder)
    asker = Asker(stage, seen, "localhost:9002")
    for vector in vectors:
        now = {}
        for kind in vector["by_kind"]:
            answered = asker.ask(_of_kind(kind, vector["request"]), stage.connect())
            now[kind] = {"status": answered.status, "upstream": answered.upstream}
        yield Outcome(name_of(vector["request"]), vector["by_kind"], now)
        stage.world.settle()


def _of_kind(kind: str, request: Json) -> Json:
    transport = "websocket" if kind == "websocket" else "polling"
    more = UPGRADE if kind == "websocket" else {"content-length": "0"} if kind == "post" else {}
    path = f"/socket.io/?EIO=4&transport={transport}"
    return {"method": "POST" if kind == "post" else "GET", "path": path, "headers": {**request["headers"], **more}}


def play_cookies(recorded: Json, vectors: list[Json], worlds: Worlds, folder: Path) -> Outcomes:
    """The cookie that the proxy makes: the recorded lines, but for its value, which tells the two ends of a connection.

    The recorded value, sent again from other addresses, leads to the recorded host; our own sticks to ours.
    """
    seen: list[tuple[str, Head]] = []
    replay = [each for vector in vectors for each in vector.get("replay", [])]
    theirs = tuple(replay[0]["set_cookie"]) if replay else ()
    status = vectors[0]["status"] if vectors[0]["status"] != 101 else 200
    stage = stage_of(recorded["envoy_config"], answering(seen, status, theirs), worlds, folder)
    asker = Asker(stage, seen, "localhost:9002")
    for vector in vectors:
        yield _play_cookie(stage, asker, vector)
        stage.world.settle()


def _play_cookie(stage: Stage, asker: Asker, vector: Json) -> Outcome:
    request = {key: value for key, value in vector["request"].items() if key != "source_ip"}
    client = stage.connect(vector["client"].rpartition(":")[0])
    first = asker.ask(request, client)
    made = _value_made(stage, client)
    wanted: Json = {"status": vector["status"], "set_cookie": [MADE.sub(made, each) for each in vector["set_cookie"]]}
    now: Json = {"status": first.status, "set_cookie": first.headers("set-cookie")}
    if "response_headers" in vector:
        wanted["response_headers"] = _sorted(each for each in vector["response_headers"] if each[0] not in _ELSEWHERE)
        now["response_headers"] = [each for each in _lines(first) if each[0] not in _ELSEWHERE]
    if vector.get("random"):
        wanted["upstream"], now["upstream"] = "random", spread(lambda: asker.ask(request, client).upstream)
    if "set_cookie_same_on_4_requests_of_one_connection" in vector:
        again = [asker.ask(request, client).headers("set-cookie") for _ in range(3)]
        wanted["same_again"] = vector["set_cookie_same_on_4_requests_of_one_connection"]
        now["same_again"] = again == 3 * [now["set_cookie"]]
    if "replay" in vector:
        pairs = [_replayed(stage, asker, vector, _pairs(vector["set_cookie"]), each) for each in vector["replay"]]
        wanted["replay"], now["replay"] = [each[0] for each in pairs], [each[1] for each in pairs]
        recorded, ours = _replayed(stage, asker, vector, _pairs(now["set_cookie"]), vector["replay"][0])
        wanted["sticks"] = vector["sticks"]
        sticks = ours["upstream"] == first.upstream and ours["set_cookie"] == recorded["set_cookie"]
        now["sticks"] = sticks and vector["sticks"]  # what does not stick may reach the same host by chance
    return Outcome(f"{name_of(request)} client {vector['client']}", wanted, now)


_ELSEWHERE = ("set-cookie", "x-upstream")  # compared as `set_cookie`; another host for another pair of ends


def _value_made(stage: Stage, client: Peer) -> str:
    """The value of a cookie that is made on this connection, as Envoy makes it."""
    ends = f"{client.address[0]}:{client.address[1]}{stage.host}:{stage.port}"
    return f'="{xx_hash(ends.encode(), 0):016x}"'


def _pairs(set_cookies: list[str]) -> list[str]:
    """What a browser sends back of the cookies that the proxy made."""
    return [each.partition(";")[0] for each in set_cookies if MADE.search(each)]


def _replayed(stage: Stage, asker: Asker, vector: Json, cookies: list[str], recorded: Json) -> tuple[Json, Json]:
    """What is wanted and what is seen when cookies come back behind those that the request had."""
    request = vector["request"]
    had = [request["headers"]["cookie"]] if "cookie" in request["headers"] else []
    headers = {**request["headers"], "cookie": "; ".join(had + cookies)}
    client = stage.connect(recorded["client_ip"])
    answered = asker.ask({**request, "headers": headers}, client)
    wanted = {key: value for key, value in recorded.items() if key != "client_ip"}
    wanted["set_cookie"] = [MADE.sub(_value_made(stage, client), each) for each in recorded["set_cookie"]]
    now = {"status": answered.status, "upstream": answered.upstream, "set_cookie": answered.headers("set-cookie")}
    if not vector["sticks"]:  # made anew on each connection, so the host is another one
        wanted["upstream"] = now["upstream"]
    return wanted, {key: now[key] for key in wanted}


def _lines(answered: Answered) -> list[list[str]]:
    return _sorted([name.decode(), value.decode("latin-1")] for name, value in answered.head.lines)


def _sorted(lines: Iterable[list[str]]) -> list[list[str]]:
    return sorted([name, mask(name.encode(), value.encode("latin-1")).decode("latin-1")] for name, value in lines)


class Held:
    """Requests that nodes have begun to answer: `finish[n]` lets the n-th go on."""

    def __init__(self) -> None:
        self.finish: list[threading.Event] = []
        self.hosts: list[str] = []

    def at(self, address: str) -> Serve:
        def serve(node: Node, peer: Peer) -> None:
            while True:
                peer.read_request()
                finish = threading.Event()
                self.hosts.append(address)
                self.finish.append(finish)
                peer << b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no"
                finish.wait(30)
                peer << b"k"

        return serve


def play_sequences(recorded: Json, vectors: list[Json], worlds: Worlds, folder: Path) -> Outcomes:
    """Requests that stay open, and the host of each under the load of the others."""
    held = Held()
    stage = stage_of(recorded["envoy_config"], held.at, worlds, folder)
    for number, vector in enumerate(vectors):
        opened: dict[int, tuple[Peer, int]] = {}
        chosen = []
        for index, step in enumerate(vector["steps"]):
            if step["op"] == "open":
                headers = {key: value for key, value in step.items() if key.startswith("x-")}
                opened[index] = _open(stage, held, headers)
                chosen.append(held.hosts[-1])
            else:
                _close(held, *opened.pop(step["closes_step"]))
        for each in opened.values():
            _close(held, *each)
        wanted = [step["upstream"] for step in vector["steps"] if step["op"] == "open"]
        yield Outcome(f"{number}: {vector['note']}", {"upstreams": wanted}, {"upstreams": chosen})
        stage.world.settle()


def _open(stage: Stage, held: Held, headers: Json) -> tuple[Peer, int]:
    client = stage.connect()
    client << request_bytes({"headers": headers}, "localhost:9002")
    assert client.read_head().status == 200
    assert client.read_exactly(1) == b"o"
    return client, len(held.finish) - 1


def _close(held: Held, client: Peer, number: int) -> None:
    held.finish[number].set()
    assert client.read_exactly(1) == b"k"


def play_routes(recorded: Json, vectors: list[Json], worlds: Worlds, folder: Path) -> Outcomes:
    """Which cluster, and how the request looked there; or what the proxy answered by itself."""
    seen: list[tuple[str, Head]] = []
    stage = stage_of(recorded["envoy_config"], answering(seen), worlds, folder)
    asker = Asker(stage, seen, "localhost")
    clusters = {address: name for name, address in recorded["clusters"].items()}
    for vector in vectors:
        request = vector["request"]
        if vector.get("random"):
            drawn = spread(lambda: clusters[str(asker.ask(request).upstream)])  # noqa: B023
            yield Outcome(name_of(request), {"cluster": "random"}, {"cluster": drawn})
            continue
        answered = asker.ask(request)
        wanted = {key: value for key, value in vector.items() if key != "request"}
        wanted["location"] = vector.get("location")
        now: Json = {"status": answered.status, "body": answered.body}
        now["cluster"] = clusters.get(answered.upstream) if answered.upstream else None
        now["location"] = next(iter(answered.headers("location")), None)
        if "response_headers" in wanted:
            wanted["response_headers"] = _sorted(vector["response_headers"])
            now["response_headers"] = [line for line in _lines(answered) if line[0] != "date"]
        if "upstream_saw" in wanted:
            now["upstream_saw"] = _saw(answered, [*vector["upstream_saw"], *REWRITTEN])
        yield Outcome(name_of(request), wanted, now)
    stage.world.settle()


def _saw(answered: Answered, names: list[str]) -> Json:
    found = {name: ", ".join(answered.upstream_saw(name)) for name in names if answered.upstream_saw(name)}
    start = answered.request.start.decode("latin-1") if answered.request else None
    return {"request_line": start, **found}
