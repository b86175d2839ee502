"""Local replies as a connection manager wants them."""

import json

import pytest

from fastproxy.model import (
    HeaderValue,
    LocalReplies,
    LogCondition,
    LogFilter,
    LogOperator,
    ReplyBody,
    ReplyMapper,
)
from fastproxy.reply_mapping import ReplyMapping
from tests.unit.engine_world import field, get


def status(value):
    return LogFilter(LogCondition.STATUS, LogOperator.EQ, value)


TEMPLATE = {
    "message": "%LOCAL_REPLY_BODY%",
    "code": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "path": "%REQ(:path)%",
}
JSON = ReplyBody(json.dumps(TEMPLATE), True, "application/json")


def replied(world, request):
    client = world.client().send(request)
    head = client.head()
    return head, client.take(int(field(head, b"content-length") or 0))


def no_route(worlds, mapper=None, body_format=None):
    replies = LocalReplies((mapper,) if mapper else (), body_format)
    return worlds(domains=("known.example",), manager={"local_replies": replies})


def test_status_body_and_headers_of_the_first_mapper_that_fits(worlds):
    """What the real Envoy 1.40 said to the same configuration."""
    mapper = ReplyMapper(status(404), 499, b"mapped\n", headers=(HeaderValue("x-mapped", "yes"),))
    world = no_route(worlds, mapper, JSON)
    head, body = replied(world, get("/none"))
    assert head.split(b"\r\n")[:4] == [
        b"HTTP/1.1 499 Unknown", b"x-mapped: yes", b"content-length: 62", b"content-type: application/json",
    ]  # fmt: skip
    assert body == b'{"code":499,"flags":"NR","message":"mapped\\n","path":"/none"}\n'
    assert world.count("downstream_rq_4xx") == 1


def test_the_reply_to_what_is_no_request(worlds):
    text = ReplyBody("<p>%LOCAL_REPLY_BODY% %RESPONSE_CODE%</p>", content_type="text/html")
    head, body = replied(no_route(worlds, ReplyMapper(status(400), format=text), JSON), b"BAD\r\n\r\n")
    assert (field(head, b"content-type"), body) == (b"text/html", b"<p>Bad Request 400</p>")


def test_what_no_mapper_fits_has_the_format_of_all(worlds):
    world = worlds(0, manager={"local_replies": LocalReplies((ReplyMapper(status(404), 499),), JSON)})
    _, body = replied(world, get("/a?b"))
    assert json.loads(body) == {"message": "no healthy upstream", "code": 503, "flags": "UH", "path": "/a?b"}


def test_the_answer_to_head_has_the_length_and_no_body(worlds):
    world = worlds(0, manager={"local_replies": LocalReplies((), JSON)})
    client = world.client().send(get(method="HEAD") + get("/second"))
    assert int(field(client.head(), b"content-length") or 0) > 0
    assert json.loads(client.response()[1])["path"] == "/second"


def test_without_a_mapper_that_fits_nothing_changes(worlds):
    head, body = replied(no_route(worlds, ReplyMapper(status(503), 500, b"x")), get())
    assert (head.split(b"\r\n")[0], body) == (b"HTTP/1.1 404 Not Found", b"")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ({"a": "%REQ(x-none)%"}, b'{"a":null}\n'),
        ({"a": "<%REQ(x-none)%>"}, b'{"a":"<->"}\n'),
        ({"b": [1.5, True, None, {}], "a": {"d": "", "c": '"'}}, b'{"a":{"c":"\\"","d":""},"b":[1.5,true,null,{}]}\n'),
        ({"a": "%REQ(x-odd)% %RESPONSE_CODE%"}, b'{"a":"q\\"\\\\xff 404"}\n'),
    ],
)
def test_json(worlds, template, expected):
    world = no_route(worlds, None, ReplyBody(json.dumps(template), True, "application/json"))
    client = world.client().send(get("/", 'x-odd: q"?').replace(b"?", b"\xff"))
    head = client.head()
    assert client.take(int(field(head, b"content-length") or 0)) == expected


def test_an_upstream_s_answer_is_left_alone(worlds):
    world = worlds(manager={"local_replies": LocalReplies((ReplyMapper(status(404), 499),), JSON)})
    client, node = world.ask(get())
    node.head()
    node.send(b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\ngone")
    assert client.response() == (404, b"gone")


def test_formats_that_name_too_many_headers():
    template = "".join(f"%REQ(x-{number})%" for number in range(65))
    with pytest.raises(ValueError, match="more than 64 header values"):
        ReplyMapping(LocalReplies((), ReplyBody(template)))
