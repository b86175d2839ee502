"""What is the same about all probes."""

import pytest

from fastproxy.health.probes import are_in_order, host_name, with_headers
from fastproxy.model import Address, AppendAction, Host, HostCheck
from fastproxy.model_heads import HeaderValue

HOST = Host(Address("127.0.0.1", 1), check=HostCheck(hostname="endpoint"))


def test_host_names():
    assert host_name(HOST, "check", "cluster") == "endpoint"
    assert host_name(Host(HOST.address), "check", "cluster") == "check"
    assert host_name(Host(HOST.address), "", "cluster") == "cluster"


@pytest.mark.parametrize(
    ("pieces", "fit"),
    [
        ([], True),
        ([b"abc"], True),
        ([b"a", b"c"], True),
        ([b"c", b"a"], False),
        ([b"ab", b"b"], False),
        ([b"x"], False),
    ],
)
def test_pieces_in_order(pieces, fit):
    assert are_in_order(b"-abc", pieces) is fit


def headers(*values, removed=()):
    return with_headers([("host", "h"), ("user-agent", "Envoy/HC")], values, removed)


def test_headers():
    assert headers(HeaderValue("a", "100%%"))[-1] == ("a", "100%")
    replaced = HeaderValue("user-agent", "x", AppendAction.OVERWRITE_IF_EXISTS_OR_ADD)
    assert headers(replaced) == [("host", "h"), ("user-agent", "x")]
    assert headers(HeaderValue("user-agent", "x", AppendAction.ADD_IF_ABSENT)) == headers()
    assert headers(HeaderValue("a", "x", AppendAction.OVERWRITE_IF_EXISTS)) == headers()
    assert headers(HeaderValue("a", "")) == headers()
    assert headers(HeaderValue("a", "", keep_empty_value=True))[-1] == ("a", "")
    assert headers(removed=("user-agent",)) == [("host", "h")]
    assert headers(HeaderValue("user-agent", "x"), removed=("user-agent",)) == [("host", "h"), ("user-agent", "x")]
