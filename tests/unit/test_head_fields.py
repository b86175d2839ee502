"""Fields put into a parsed head and taken out of it, seen through header rules and what is sent on."""

import pytest

from fastproxy.header_rules import HeaderRules
from fastproxy.inspection import changed_heads
from fastproxy.model import AppendAction, HeaderValue
from fastproxy.model import HeaderRules as Model

ANSWER = b"HTTP/1.1 200 OK\r\n\r\n"


def fields(lines: str, rules: Model) -> list[tuple[bytes, bytes]] | None:
    return changed_heads([HeaderRules(rules)], f"GET / HTTP/1.1\r\n{lines}\r\n".encode(), ANSWER)[0]


@pytest.mark.parametrize("name", ["user-agent", "x-envoy-retry-on", "x-other"])
def test_known_and_unknown_names_are_replaced_alike(name):
    rules = Model(request_add=(HeaderValue(name, "2", AppendAction.OVERWRITE_IF_EXISTS),))
    assert fields(f"{name}: 1\r\n{name}: 3\r\n", rules) == [(name.encode(), b"2")]


def test_a_name_of_the_same_kind_is_another_name():
    rules = Model(request_remove=("x-envoy-max-retries",))
    assert fields("x-envoy-retry-on: 5xx\r\nx-envoy-max-retries: 1\r\n", rules) == [(b"x-envoy-retry-on", b"5xx")]


def test_a_name_is_compared_whole():
    assert fields("x-ab: 1\r\nx-a: 2\r\n", Model(request_remove=("x-a",))) == [(b"x-ab", b"1")]
