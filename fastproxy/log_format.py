"""Access-log formats as people write them, taken apart into operators that can be rendered one by one.

Owns the grammar and the names of the operators; knows nothing of requests or files. Source: Envoy's access log usage
page. What Envoy prints as `-` wherever there is no TLS, gRPC, trailer or filter state is accepted and always `-`.
"""

import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OPERATOR = re.compile(r"%(?P<name>[A-Z0-9_]+)(?:\((?P<argument>[^)]*)\))?(?::(?P<maximum>[0-9]+))?%")
_SUBSECOND = re.compile(r"(%[1-9]?f|%s)")
TIME_BYTES = 120
"""The most that one piece of a formatted time may take."""

DURATIONS = ("DURATION", "REQUEST_DURATION", "RESPONSE_DURATION", "RESPONSE_TX_DURATION")
NUMBERS = ("BYTES_RECEIVED", "BYTES_SENT", "RESPONSE_CODE", "UPSTREAM_REQUEST_ATTEMPT_COUNT")
FACTS = (
    "UPSTREAM_HOST",
    "UPSTREAM_CLUSTER",
    "UPSTREAM_LOCAL_ADDRESS",
    "DOWNSTREAM_REMOTE_ADDRESS",
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS",
    "DOWNSTREAM_LOCAL_ADDRESS",
    "ROUTE_NAME",
    "RESPONSE_CODE_DETAILS",
    "FASTPROXY_AFFINITY",
)
"""The texts of `LogFacts`, in its order."""

_ADDRESSES = {
    "UPSTREAM_REMOTE": "UPSTREAM_HOST",
    "UPSTREAM_LOCAL": "UPSTREAM_LOCAL_ADDRESS",
    "DOWNSTREAM_REMOTE": "DOWNSTREAM_REMOTE_ADDRESS",
    "DOWNSTREAM_DIRECT_REMOTE": "DOWNSTREAM_DIRECT_REMOTE_ADDRESS",
    "DOWNSTREAM_LOCAL": "DOWNSTREAM_LOCAL_ADDRESS",
}
_ALWAYS_UNSET = _words(
    "CONNECTION_TERMINATION_DETAILS DOWNSTREAM_TRANSPORT_FAILURE_REASON REQUESTED_SERVER_NAME VIRTUAL_CLUSTER_NAME "
    "FILTER_CHAIN_NAME TRAILER METADATA DYNAMIC_METADATA CLUSTER_METADATA UPSTREAM_METADATA FILTER_STATE "
    "GRPC_STATUS GRPC_STATUS_NUMBER TRACE_ID SPAN_ID ROUNDTRIP_DURATION DOWNSTREAM_TLS_VERSION DOWNSTREAM_TLS_CIPHER "
    "DOWNSTREAM_TLS_SESSION_ID DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_PEER_ISSUER DOWNSTREAM_PEER_URI_SAN "
    "DOWNSTREAM_PEER_DNS_SAN DOWNSTREAM_PEER_IP_SAN DOWNSTREAM_PEER_EMAIL_SAN DOWNSTREAM_PEER_SERIAL "
    "DOWNSTREAM_PEER_CERT DOWNSTREAM_PEER_CERT_V_START DOWNSTREAM_PEER_CERT_V_END DOWNSTREAM_PEER_FINGERPRINT_1 "
    "DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_LOCAL_DNS_SAN "
    "DOWNSTREAM_LOCAL_IP_SAN DOWNSTREAM_LOCAL_EMAIL_SAN "
)


@dataclass(frozen=True, slots=True)
class Operator:
    """One piece of a line. `which` is an index into the table of its kind, or digits for `subsecond`."""

    kind: str
    which: int = 0
    text: bytes = b""
    other: bytes = b""
    maximum: int | None = None


def _simple_operators() -> dict[str, Operator]:
    """Operators that take neither argument nor length."""
    found = {name: Operator("duration", i) for i, name in enumerate(DURATIONS)}
    found |= {name: Operator("number", i) for i, name in enumerate(NUMBERS)}
    found |= {name: Operator("fact", i) for i, name in enumerate(FACTS)}
    for prefix, fact in _ADDRESSES.items():
        which = FACTS.index(fact)
        found[f"{prefix}_ADDRESS"] = Operator("fact", which)
        found[f"{prefix}_ADDRESS_WITHOUT_PORT"] = Operator("ip", which)
        found[f"{prefix}_PORT"] = Operator("port", which)
    found["UPSTREAM_HOST_NAME"] = found["UPSTREAM_HOST"]
    found["UPSTREAM_CLUSTER_RAW"] = found["UPSTREAM_CLUSTER"]
    found["DOWNSTREAM_ADDRESS"] = found["DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT"]  # the name up to Envoy 1.5
    found["PROTOCOL"] = Operator("protocol")
    found["RESPONSE_FLAGS"] = Operator("flags", 0)
    found["RESPONSE_FLAGS_LONG"] = Operator("flags", 1)
    found["ACCESS_LOG_TYPE"] = Operator("literal", text=b"DownstreamEnd")
    return found


SIMPLE = _simple_operators()


def compile_format(text: str, unset: str = "-") -> list[Operator]:
    """The operators of a format, literals joined. ValueError names the place (from 1) and what stands there.

    `unset` is written for an operator that never has a value here.
    """
    joined: list[Operator] = []
    for operator in _operators(text, unset):
        if operator.kind == "literal" and joined and joined[-1].kind == "literal":
            joined[-1] = Operator("literal", text=joined[-1].text + operator.text)
        else:
            joined.append(operator)
    return joined


def reads_request(operator: Operator) -> bool:
    """Whether an operator tells what is known of a request before anything is done with it: its headers, its client."""
    if operator.kind in ("fact", "ip", "port"):
        return FACTS[operator.which] == "DOWNSTREAM_REMOTE_ADDRESS"
    return operator.kind in ("literal", "request")


def _operators(text: str, unset: str) -> Iterator[Operator]:
    start = 0
    while (at := text.find("%", start)) >= 0:
        yield from _literal(text[start:at])
        if text.startswith("%%", at):
            yield from _literal("%")
            start = at + 2
            continue
        match = _OPERATOR.match(text, at)
        if match is None:
            raise ValueError(
                f"character {at + 1}: no operator begins with {text[at : at + 20]!r}; write %% for a percent"
            )
        try:
            yield from _operator(match["name"], match["argument"], match["maximum"], unset)
        except ValueError as error:
            raise ValueError(f"character {at + 1}: {match[0]}: {error}") from None
        start = match.end()
    yield from _literal(text[start:])


def _literal(text: str) -> Iterator[Operator]:
    if text:
        yield Operator("literal", text=text.encode())


def _operator(name: str, argument: str | None, maximum: str | None, unset: str) -> Iterator[Operator]:
    length = None if maximum is None else int(maximum)
    is_simple = name in SIMPLE or name == "HOSTNAME"
    if name in ("REQ", "RESP"):
        yield _header(name, argument or "", length)
    elif name == "ENVIRONMENT":
        yield from _environment(argument or "", length, unset)
    elif name in _ALWAYS_UNSET:
        yield from _literal(unset)
    elif not is_simple and name not in ("START_TIME", "START_TIME_LOCAL"):
        raise ValueError("unknown operator")
    elif maximum is not None:
        raise ValueError("this operator takes no length")
    elif not is_simple:
        yield from _time(argument or "", is_local=name == "START_TIME_LOCAL")
    elif argument is not None:
        raise ValueError("this operator takes no argument")
    elif name == "HOSTNAME":
        yield from _literal(socket.gethostname() or unset)
    else:
        yield SIMPLE[name]


def _header(name: str, argument: str, maximum: int | None) -> Operator:
    first, mark, second = argument.lower().partition("?")
    if not first or "?" in second or (mark and not second):
        raise ValueError("expected the name of a header, or two with a question mark between them")
    kind = "request" if name == "REQ" else "response"
    return Operator(kind, text=first.encode(), other=second.encode(), maximum=maximum)


def _environment(argument: str, maximum: int | None, unset: str) -> Iterator[Operator]:
    if not argument:
        raise ValueError("expected the name of an environment variable")
    yield from _literal(os.environ.get(argument, "")[:maximum] or unset)


def _time(argument: str, is_local: bool) -> Iterator[Operator]:
    if not argument:
        argument = "%Y-%m-%dT%H:%M:%S.%3f" + ("%z" if is_local else "Z")
    for piece in filter(None, _SUBSECOND.split(argument)):
        if piece == "%s":
            yield Operator("epoch")
        elif _SUBSECOND.fullmatch(piece):
            yield Operator("subsecond", int(piece[1:-1] or 9))
        elif "%" in piece:
            yield _date(piece, is_local)
        else:
            yield from _literal(piece)


def _date(piece: str, is_local: bool) -> Operator:
    if len(time.strftime(piece, time.gmtime(0)).encode()) > TIME_BYTES - 40:  # names of days and months vary
        raise ValueError("the time is too long")
    return Operator("date", int(is_local), text=piece.encode())
