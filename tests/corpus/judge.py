"""What is wrong with an outcome: for anybody behind or in front of the proxy, and beside what the row asks for."""

import re

from tests.corpus.cases import ABSENT, Answer, Complete, Gateway, RequestCase, ResponseCase, Seen
from tests.corpus.origin import tag_of
from tests.corpus.play import Outcome
from tests.corpus.strict import Read

_HOST = re.compile(rb"(:\d*|\.)$")  # what a host may end in and be the same
GATEWAY_STATUSES = (500, 502, 503, 504)
_ONE_READ = 32768  # bytes that a proxy surely sees together when they are sent together


def matches(seen: Seen, request: Read) -> bool:
    """Whether a request is the one that was meant, in every respect."""
    return (
        request.first == (seen.method, seen.target)
        and request.body == seen.body
        and request.all(b"host") == [seen.host]
        and has_fields(request, seen.fields)
    )


def resembles(seen: Seen, request: Read) -> bool:
    """Whether it is the one that was meant, as far as it matters: a host in another spelling is the same, Connection is
    a proxy's own, and a field may have been left out, but not changed."""
    fields = tuple(
        (name, value) for name, value in seen.fields if name != b"connection" and (value is ABSENT or request.all(name))
    )
    hosts = [_HOST.sub(b"", host.lower()) for host in request.all(b"host")]
    return (
        request.first == (seen.method, seen.target)
        and request.body == seen.body
        and hosts == [_HOST.sub(b"", seen.host.lower())]
        and has_fields(request, fields)
    )


def has_fields(message: Read, fields: tuple[tuple[bytes, bytes | None], ...]) -> bool:
    return all(message.all(name) == ([] if value is ABSENT else [value]) for name, value in fields)


def is_reading(reading: tuple[Seen, ...], requests: list[Read]) -> bool:
    """Whether the requests are that reading, or a beginning of it (the rest was refused)."""
    return len(requests) <= len(reading) and all(map(resembles, reading, requests))


def dangers(case: RequestCase | ResponseCase, outcome: Outcome) -> list[str]:
    """What of this harms somebody: bytes that recipients read differently, answers that are another's or not whole."""
    found = [f"the node was sent {fault}" for fault in outcome.node_faults]
    if outcome.client_fault:
        found.append(f"the client was sent {outcome.client_fault}")
    if outcome.clean_answer != outcome.clean_tag or not outcome.clean_tag:
        found.append(f"the clean client was answered {outcome.clean_answer!r}")
    found += _request_dangers(case, outcome) if isinstance(case, RequestCase) else _response_dangers(case, outcome)
    return found


def _request_dangers(case: RequestCase, outcome: Outcome) -> list[str]:
    found = []
    if not any(is_reading(reading, outcome.seen) for reading in (case.seen, *case.readings)):
        found.append(f"the node has seen {[(each.first, each.all(b'host'), each.body[:99]) for each in outcome.seen]}")
    tags = [tag_of(each) for each in outcome.seen if each.first[0] != b"HEAD"]
    told = [each.body for each in outcome.finals if each.body.startswith(b"this answers")]
    if told != tags[: len(told)]:
        found.append(f"the client was answered {told}")
    if len(outcome.finals) > len(outcome.seen) + 1:
        found.append(f"the client has got {len(outcome.finals)} answers")
    return found


def _response_dangers(case: ResponseCase, outcome: Outcome) -> list[str]:
    found = []
    if len(outcome.finals) > 1:
        found.append(f"the client has got {len(outcome.finals)} answers")
    for each in outcome.finals[:1]:
        if each.status in GATEWAY_STATUSES and case.raw[9:12] != each.first[0]:
            continue
        if not any(_is_answer(allowed, each) for allowed in (case.must, *case.readings)):
            found.append(f"the client has got {each.status} {each.body[:99]!r} {each.fields} as if that were whole")
    return found


def _is_answer(allowed: Answer, got: Read) -> bool:
    if isinstance(allowed, Complete):
        return (got.status, got.body) == (allowed.status, allowed.body) and has_fields(got, allowed.fields)
    return False


def mistakes(case: RequestCase | ResponseCase, outcome: Outcome, how: str = "whole") -> list[str]:
    """In what the outcome is not the one that the row asks for."""
    return _request_mistakes(case, outcome, how) if isinstance(case, RequestCase) else _response_mistakes(case, outcome)


def _statuses(case: RequestCase, how: str) -> list[list[int]]:
    """What the client may be answered. What comes in pieces may be refused before it is known what exactly is wrong."""
    answers = list(case.answers or [200] * len(case.seen))
    if case.status is None:
        return [answers]
    is_whole = how == "whole" and len(case.raw) <= _ONE_READ
    return [[*answers, status] for status in {case.status, case.status if is_whole else 400}]


def _request_mistakes(case: RequestCase, outcome: Outcome, how: str) -> list[str]:
    found = []
    if len(outcome.seen) != len(case.seen) or not all(map(matches, case.seen, outcome.seen)):
        found.append(f"the node has seen {[(each.first, each.fields, each.body[:99]) for each in outcome.seen]}")
    statuses = [each.status for each in outcome.finals]
    if statuses not in _statuses(case, how):
        found.append(f"answered {statuses}, not {_statuses(case, how)}")
    if bool(outcome.ended) != case.closes:
        found.append(f"the client's connection: {outcome.ended or 'open'!r}")
    if outcome.alone and not case.seen and not case.begins and outcome.node_bytes:
        found.append(f"{outcome.node_bytes} bytes have reached the node")
    if outcome.alone and case.seen and case.reuses and outcome.clean_link not in outcome.links:
        found.append("the clean client's request went out on another connection")
    return found


def _response_mistakes(case: ResponseCase, outcome: Outcome) -> list[str]:
    got = outcome.finals[0] if outcome.finals else None
    must = case.must
    if isinstance(must, Complete):
        if got is None or not _is_answer(must, got):
            return [f"the client has got {got}, {outcome.rest!r}"]
    elif isinstance(must, Gateway):
        if got is None or got.status != must.status:
            return [f"the client has got {got}, {outcome.rest!r}, not {must.status}"]
    elif got is not None and got.status == 502:
        return []  # nothing was under way to the client yet
    elif got is not None or not outcome.ended or not outcome.rest.startswith(b"HTTP/1.1 %d " % must.status):
        return [f"the client has got {got}, {outcome.rest!r}, {outcome.ended or 'open'!r}; not a cut {must.status}"]
    return []


def is_served(case: RequestCase | ResponseCase, outcome: Outcome) -> bool:
    """Whether what is good about the row has arrived."""
    if isinstance(case, RequestCase):
        return len(outcome.seen) >= len(case.seen)
    return not isinstance(case.must, Complete) or any(_is_answer(case.must, each) for each in outcome.finals[:1])
