"""Members of an object that may not be complete, and the escapes of strings."""

import pytest

from fastproxy.json_members import members, text


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"{}", ([], "all")),
        (b'{"a":1}', ([(b"a", b"1", False)], "all")),
        (b' {"a":1}', ([], "none")),
        (
            b'{ "a" : "b\\"}" , "c":{"d":[1,"]}"]},"e":null }',
            ([(b"a", b'b\\"}', True), (b"c", b'{"d":[1,"]}"]}', False), (b"e", b"null", False)], "all"),
        ),
        (b'{"a":"b","c":"d', ([(b"a", b"b", True)], "more")),
        (b'{"a":12', ([], "more")),
        (b'{"a":[{"b":', ([], "more")),
        (b'{"a" 1}', ([], "none")),
        (b'{"a":1 "b":2', ([(b"a", b"1", False), (b"b", b"2", False)][:2], "more")),
        (b"{a:1}", ([], "none")),
        (b"", ([], "more")),
        (b"[1]", ([], "none")),
    ],
)
def test_members(data, expected):
    assert members(data)[1] == expected[1]
    assert members(data)[0] == expected[0][: len(members(data)[0])]
    assert len(members(data)[0]) >= len(expected[0]) - (expected[1] == "more")


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        (b"", b""),
        (b"abc", b"abc"),
        (rb"\"\\\/\'", b"\"\\/'"),
        (rb"\b\f\n\r\t\v\0", b"\b\f\n\r\t\v\0"),
        (rb"\u0041\u00e9\u20ac", "Aé€".encode()),
        (rb"\ud83d\ude00", "😀".encode()),
        (rb"\ud83dx", b"\xed\xa0\xbdx"),
        (rb"\x41\x7B\x7d", b"A{}"),
        (b"\\\xc3\xa9", "é".encode()),
        (b"\xc3\xa9", "é".encode()),
        (b"\\", None),
        (rb"\u12", None),
        (rb"\u12g4", None),
        (rb"\x4", None),
    ],
)
def test_escapes(escaped, plain):
    assert text(escaped) == plain


def test_a_text_is_bounded():
    assert text(b"a" * 10, 10) == b"a" * 10
    assert text(b"a" * 11, 10) is None
    assert text(rb"\u20ac" * 3, 8) is None
