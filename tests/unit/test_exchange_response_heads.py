"""Heads of answers that the proxy writes by itself."""

from tests.unit.engine_world import field, get


def test_a_reply_without_a_body_says_so(worlds):
    client = worlds(domains=("known.example",)).client().send(get())
    head = client.head()
    assert head.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert (field(head, b"content-length"), field(head, b"content-type")) == (b"0", None)


def test_a_reply_with_a_body_is_text(worlds):
    client = worlds(0).client().send(get())
    head = client.head()
    assert field(head, b"content-type") == b"text/plain"
    assert client.take(int(field(head, b"content-length") or 0)) == b"no healthy upstream"


def test_a_reply_to_head_is_framed_as_envoy_frames_it(worlds):
    client = worlds(domains=("known.example",)).client().send(get(method="HEAD"))
    head = client.head()
    assert (field(head, b"content-length"), field(head, b"transfer-encoding")) == (None, b"chunked")
