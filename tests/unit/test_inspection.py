"""What Python is told about given bytes is what the data plane found, and the bytes stay as they were."""

import pytest

from fastproxy import inspection
from fastproxy.routing import RouteTable
from tests.unit.engine_world import configuration, get


def test_the_bytes_stay_as_they_were():
    """The data plane writes lower case names, and moves chunks together, where they lie: here it does so in a copy."""
    head = get("/", "X-Upper: A")
    before = bytes(bytearray(head))
    assert inspection.read_head(head, True)["fields"][1] == (b"x-upper", b"A")
    assert head == before
    chunks = b"1\r\na\r\n1\r\nb\r\n"
    before = bytes(bytearray(chunks))
    assert inspection.BodyReader("chunked").take(chunks) == (12, b"ab")
    assert chunks == before


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n", get() + b"behind"])
def test_a_head_is_whole_and_alone(data):
    with pytest.raises(ValueError, match="bad"):
        inspection.read_head(data, True)


def test_a_framing_that_does_not_exist():
    with pytest.raises(KeyError):
        inspection.BodyReader("other")  # type: ignore[arg-type]


def test_route_and_hash_of_what_has_no_route():
    table = RouteTable(configuration([], domains=()).listeners[0].manager.route_config, {"backend": None})  # type: ignore[dict-item]
    assert inspection.route_and_hash(table, get()) == (None, None)
    with pytest.raises(ValueError, match="bad"):
        inspection.route_and_hash(table, b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n")
