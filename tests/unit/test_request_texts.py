"""Texts of requests, as the value of an entry that any address gets."""

import pytest

from fastproxy.descriptors import DescriptorRule
from fastproxy.model_descriptors import ActionKind, DescriptorAction
from fastproxy.model_descriptors import DescriptorRule as Rule
from fastproxy.request_texts import RequestText
from tests.unit.routes import head


@pytest.mark.parametrize(
    ("format", "source", "expected"),
    [
        ("plain", "10.1.2.3", b"plain"),
        ("50%% of %REQ(x-k)%", "10.1.2.3", b"50% of v"),
        ("%REQ(x-absent?X-K)%", "10.1.2.3", b"v"),
        ("%REQ(x-long):3%", "10.1.2.3", b"abc"),
        ("<%REQ(x-absent)%>", "10.1.2.3", b"<>"),
        ("%REQ(:path)% %REQ(:authority)%", "10.1.2.3", b"/p?q h"),
        ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "10.1.2.3", b"10.1.2.3"),
        ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "2001:db8::1", b"2001:db8::1"),
        ("%DOWNSTREAM_REMOTE_ADDRESS%", "10.1.2.3", b"10.1.2.3:0"),
        ("%TRACE_ID%-", "10.1.2.3", b"-"),
    ],
)
def test_texts(format, source, expected):
    action = DescriptorAction(ActionKind.REMOTE_ADDRESS_MATCH, "k", format, ranges=("0.0.0.0/0", "::/0"))
    request = head("/p?q", headers=(("x-k", "v"), ("x-long", "abcdef")))
    assert DescriptorRule(Rule((action,))).descriptor_of(request, source) == ((b"k", expected),)


@pytest.mark.parametrize("format", ["%RESPONSE_CODE%", "%REQ(a)% %UPSTREAM_HOST%", "%START_TIME%", "%RESP(a)%"])
def test_what_is_not_known_yet(format):
    with pytest.raises(ValueError, match="more than a request"):
        RequestText(format)
