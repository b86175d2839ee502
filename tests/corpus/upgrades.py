"""Upgrades: what is a handshake goes on as one, what is none stays HTTP; nothing behind it is believed before the 101.

The bytes behind a handshake that a node refuses are the next request: POISON would be refused as that, and could only
reach a node through a tunnel that nobody has agreed to (RFC 6455 section 4, RFC 9110 section 7.8).
"""

from tests.corpus.cases import ABSENT, RequestCase, Seen, head, refused

KEY = b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="
VERSION = b"sec-websocket-version: 13"
CONNECTION = b"connection: upgrade"
UPGRADE = b"upgrade: websocket"
POISON = b"??? poison\r\n\r\n"
HANDSHAKE = Seen(fields=((b"connection", b"upgrade"), (b"upgrade", b"websocket")))
PLAIN = Seen(fields=((b"connection", ABSENT), (b"upgrade", ABSENT)))


def switched(name: str, *lines: bytes, connection: bytes = b"upgrade", upgrade: bytes = b"websocket") -> RequestCase:
    """A tunnel begins."""
    seen = Seen(fields=((b"connection", connection), (b"upgrade", upgrade)))
    return RequestCase(name, head(*lines), seen=(seen,), answers=(101,), reuses=False)


def turned_down(name: str, *lines: bytes) -> RequestCase:
    """It is a handshake, and the node does not want it: what follows is a request, and refused for what it is."""
    seen = Seen(fields=((b"upgrade", b"websocket"),))
    case = RequestCase(name, head(*lines) + POISON, seen=(seen,), status=400, closes=True, answers=(426,))
    return case.or_read(Seen())


def plain(name: str, *lines: bytes) -> RequestCase:
    """No upgrade is asked for: an ordinary request without hop-by-hop fields, and what follows is the next one."""
    return RequestCase(name, head(*lines) + POISON, seen=(PLAIN,), status=400, closes=True)


def denied(name: str, *lines: bytes, status: int = 403) -> RequestCase:
    return refused(name, head(*lines) + POISON, status).or_read(PLAIN)


GOOD = [
    switched("a handshake", CONNECTION, UPGRADE, KEY, VERSION),
    switched("capitals", b"CONNECTION: UPGRADE", b"UPGRADE: websocket", KEY, VERSION, connection=b"UPGRADE"),
    switched(
        "as Firefox asks", b"connection: keep-alive, Upgrade", UPGRADE, KEY, VERSION, connection=b"keep-alive, Upgrade"
    ),
    switched("a protocol", CONNECTION, UPGRADE, KEY, VERSION, b"sec-websocket-protocol: a, b"),
    switched("an extension", CONNECTION, UPGRADE, KEY, VERSION, b"sec-websocket-extensions: permessage-deflate"),
    switched("spaces around the tokens", b"connection:  upgrade\t", b"upgrade: \twebsocket ", KEY, VERSION),
]

NOT_ASKED = [
    plain("Upgrade without Connection", UPGRADE, KEY, VERSION),
    plain("Connection without Upgrade", CONNECTION, KEY, VERSION),
    plain("Connection that does not say it", b"connection: keep-alive", UPGRADE, KEY, VERSION),
    plain("Connection that nearly says it", b"connection: upgrade-insecure-requests", UPGRADE, KEY, VERSION),
    plain("Connection that says it in one word with another", b"connection: keep-alive-upgrade", UPGRADE, KEY, VERSION),
    plain("Connection with a space in the word", b"connection: up grade", UPGRADE, KEY, VERSION),
    plain("Connection with quotes", b'connection: "upgrade"', UPGRADE, KEY, VERSION),
    plain("Connection with a semicolon", b"connection: upgrade;x", UPGRADE, KEY, VERSION),
    plain("Proxy-Connection in its place", b"proxy-connection: keep-alive", UPGRADE, KEY, VERSION),
    plain("a key and nothing else", KEY, VERSION),
    plain("h2c", b"connection: upgrade, http2-settings", b"upgrade: h2c", b"http2-settings: AAMAAABkAAQAoAAAAAIAAAAA"),
    plain("h2c without its settings", CONNECTION, b"upgrade: h2c"),
]

OTHER = [
    denied("another protocol", CONNECTION, b"upgrade: foo"),
    denied("TLS", CONNECTION, b"upgrade: TLS/1.0"),
    denied("HTTP/2 by its number", CONNECTION, b"upgrade: HTTP/2.0"),
    denied("h2", CONNECTION, b"upgrade: h2"),
    denied("a list that begins with websocket", CONNECTION, b"upgrade: websocket, foo", KEY, VERSION),
    denied("a list that ends with websocket", CONNECTION, b"upgrade: foo, websocket", KEY, VERSION),
    denied("websocket with a version", CONNECTION, b"upgrade: websocket/13", KEY, VERSION),
    denied("a word that begins as websocket", CONNECTION, b"upgrade: websockets", KEY, VERSION),
    denied("two Upgrade fields", CONNECTION, UPGRADE, b"upgrade: foo", KEY, VERSION),
    denied("two equal Upgrade fields", CONNECTION, UPGRADE, UPGRADE, KEY, VERSION),
    denied("an empty Upgrade", CONNECTION, b"upgrade:", KEY, VERSION),
    denied("h2c and websocket", CONNECTION, b"upgrade: h2c, websocket", KEY, VERSION),
]

TURNED_DOWN = [
    turned_down("version 8", CONNECTION, UPGRADE, KEY, b"sec-websocket-version: 8"),
    turned_down("version 14", CONNECTION, UPGRADE, KEY, b"sec-websocket-version: 14"),
    turned_down("a version that is none", CONNECTION, UPGRADE, KEY, b"sec-websocket-version: x"),
    turned_down("no version", CONNECTION, UPGRADE, KEY),
    denied("no key", CONNECTION, UPGRADE, VERSION, status=400).or_read(HANDSHAKE),
]

BAD = [
    refused(
        "a handshake with both framings",
        head(CONNECTION, UPGRADE, KEY, VERSION, b"content-length: 5", b"transfer-encoding: chunked") + b"0\r\n\r\n",
    ),
    refused(
        "a handshake with two lengths",
        head(CONNECTION, UPGRADE, KEY, VERSION, b"content-length: 5", b"content-length: 6") + b"hello",
    ),
    refused("a handshake of HTTP/1.0", head(CONNECTION, UPGRADE, KEY, VERSION, first=b"GET / HTTP/1.0"), 426).or_read(
        PLAIN
    ),
    refused("a handshake without a Host", head(CONNECTION, UPGRADE, KEY, VERSION, host=b"")),
    refused("a space before Upgrade's colon", head(CONNECTION, b"upgrade : websocket", KEY, VERSION)),
    refused("a folded Upgrade", head(CONNECTION, b"upgrade:", b" websocket", KEY, VERSION)).or_read(HANDSHAKE),
    refused("NUL in Upgrade", head(CONNECTION, b"upgrade: websocket\0", KEY, VERSION)),
    refused("a bare CR in Connection", head(b"connection: upgrade\r", UPGRADE, KEY, VERSION)).or_read(HANDSHAKE),
]

CASES: tuple[RequestCase, ...] = (*GOOD, *NOT_ASKED, *OTHER, *TURNED_DOWN, *BAD)
