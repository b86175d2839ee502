"""Where bodies end, and what of them is payload."""

import pytest

from fastproxy.inspection import BodyReader


def test_a_body_with_a_length():
    body = BodyReader("length", 5)
    assert not body.done
    assert body.take(b"abc") == (3, b"abc")
    assert body.take(b"") == (0, b"")
    assert body.take(b"deGET") == (2, b"de")
    assert body.done


def test_a_body_until_the_end():
    body = BodyReader("until close")
    assert body.take(b"abc") == (3, b"abc")
    assert not body.done


def test_no_body():
    assert BodyReader("none").done
    assert BodyReader("none").take(b"GET") == (0, b"")
    assert BodyReader("length", 0).done


@pytest.mark.parametrize(
    ("data", "payload"),
    [
        (b"0\r\n\r\n", b""),
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"0005;a=b;c\r\nhello\r\nA\r\n0123456789\r\n00\r\n\r\n", b"hello0123456789"),
        (b"1\r\na\r\n0\r\nx-trailer: b\r\ny:\r\n\r\n", b"a"),
        (b'1 \t;a="\xff"\r\na\r\n0\r\nx: \t\xff\r\n\r\n', b"a"),
    ],
)
def test_a_chunked_body(data, payload):
    body = BodyReader("chunked")
    assert body.take(data + b"GET / HTTP/1.1") == (len(data), payload)
    assert body.done


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"g\r\n",
        b"-1\r\n",
        b"0x1\r\n",
        b" 1\r\na\r\n",
        b"1\na\r\n",
        b"1\r\nab\r\n",
        b"1\r\na\n",
        b"1\r\r",
        b"1;a\nb\r\n",
        b"0\r\n:\r\n",
        b"0\r\n a\r\n",
        b"0\r\na\r\n",
        b"0\r\na b: c\r\n",
        b"0\r\na : c\r\n",
        b"0\r\na: \x01\r\n",
        b"0\r\na: \x7f\r\n",
        b"1;\x01\r\n",
        b"1;\0\r\n",
        b"1 \r\n",
        b"1\t\r\n",
        b"1 2\r\n",
        b"0" * 65_537,
        b"1" + b" " * 65_537,
        b"0\r\n\r\r",
        b"fffffffffffffffff\r\n",
        b"1;" + b"x" * 70_000,
        b"0\r\nx:" + b"x" * 70_000,
    ],
)
def test_bad_chunks(data):
    with pytest.raises(ValueError, match="bad body"):
        BodyReader("chunked").take(data)


def test_extensions_of_many_chunks_are_bounded_together():
    body = BodyReader("chunked")
    chunk = b"1;" + b"x" * 1000 + b"\r\na\r\n"
    for _ in range(64):
        assert body.take(chunk) == (len(chunk), b"a")
    with pytest.raises(ValueError, match="bad body"):
        body.take(chunk * 2)
