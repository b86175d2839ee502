"""Which Referer values are kept: every value that Envoy was asked about, and the rule in small."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastproxy.referer import keeps
from tests.unit.recordings import WHOLE, lines, load

URL_PIECES = st.sampled_from(
    [b"http://", b"://", b":", b"/", b"//", b"?", b"#", b"@", b"[", b"]", b"::1", b"h", b"a.b", b"80", b"65536", b"%"]
)


@pytest.mark.parametrize("name", ["01b-ring-hash-referer-special", "01c-ring-hash-referer-validity"])
def test_envoys_answers(name):
    """Where the recordings are; `test_kept` and `test_removed` hold one of each kind."""
    if not WHOLE.is_dir():
        print(f"no recordings at {WHOLE}")
        return
    vectors = load(WHOLE / f"{name}.json")["vectors"]
    for vector in vectors:
        sent = list(lines(vector["request"], "referer"))
        value = b",".join(filter(None, sent))
        assert not sent or keeps(value) == bool(vector["upstream_saw_referer"]), value
    assert len(vectors) > 80


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"http://localhost:9002/index2.html?client_id=1",
        b"HTTP://H",
        b"a+b-c.1://h?x",
        b"http://h:0/",
        b"http://h:000065535/",
        b"http://@h/",
        b"http://.h-/",
        b"http://[::1]:80/",
        b"http://[1.2.3.4]/",
        b'http://h/"<>{}|^`\\%zz',
        b"http://h/a:b@c?d:e@f?g",
        b"http://h/#",
        b"http://h/?x##",
        b"/relative",
        b"//user@h:80/x",
        b"a/b:c",
        b"?x=1",
        b"*",
        b"null",
        b"-._~!$&'()*+,;=@%",
    ],
)
def test_kept(value):
    assert keeps(value)


@pytest.mark.parametrize(
    "value",
    [
        b"about:blank",
        b"localhost:9002/x",
        b"http:",
        b"http:/h",
        b"http://",
        b"http:///x",
        b"http://?x",
        b"1a://h",
        b"a_b://h",
        b"http://u@h/",
        b"http://u:p@h/",
        b"http://h:/",
        b"http://h:65536/",
        b"http://h:18446744073709551696/",
        b"http://h:8a/",
        b"http://h_x/",
        b"http://a,b/",
        b"http://h#",
        b"http://h/#f",
        b"http://h/#?",
        b"http://h/a b",
        b"http://h/\xc3\xa9",
        b"http://[::1/",
        b"http://[]/",
        b"http://[::1%25eth0]/",
        b"http://[" + b"1" * 100 + b"]/",
        b"/a#b",
        b"?a#",
        b"a?b:c",
        b"[",
        b'"',
        b"/\xe9",
        b"a\tb",
    ],
)
def test_removed(value):
    assert not keeps(value)


@given(st.binary(max_size=80) | st.lists(URL_PIECES, max_size=8).map(b"".join))
def test_what_is_kept_is_visible_ascii(value):
    """Whatever comes, there is an answer; and nothing is kept that no URL may hold."""
    if keeps(value):
        assert all(0x21 <= byte < 0x7F for byte in value)
        assert b"#" not in value.rstrip(b"#")
