"""What answers the key of a handshake."""

from base64 import b64decode, b64encode
from binascii import Error
from hashlib import sha1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastproxy.websocket_keys import accept_of

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def by_the_book(key: bytes) -> bytes | None:
    """RFC 6455 section 4.2.2, with what Python has for it."""
    try:
        return b64encode(sha1(key + GUID).digest()) if len(key) == 24 and len(b64decode(key)) == 16 else None
    except Error:
        return None


def test_the_handshake_of_the_rfc():
    assert accept_of(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@given(st.binary(min_size=16, max_size=16))
def test_every_key(nonce):
    key = b64encode(nonce)
    assert accept_of(key) == by_the_book(key)


@given(st.text("Ab9+/=-_ ", min_size=24, max_size=24))
def test_malformed_keys(text):
    assert accept_of(text.encode()) == by_the_book(text.encode())


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"dGhlIHNhbXBsZSBub25jZQ=",
        b"dGhlIHNhbXBsZSBub25jZQ===",
        b"dGhlIHNhbXBsZSBub25jZQ=A",
        b"dGhlIHNhbXBsZSBub25jZQA=",
        b"dGhlIHNhbXBsZSBub25jZQAA",
        b"dGhlIHNhbXBsZSBub25jZ-==",
        b"\xffGhlIHNhbXBsZSBub25jZQ==",
    ],
)
def test_keys_that_are_none(key):
    assert accept_of(key) is None
    assert by_the_book(key) is None


def test_bits_that_a_key_does_not_need_are_passed_over():
    assert accept_of(b"dGhlIHNhbXBsZSBub25jZR==") == by_the_book(b"dGhlIHNhbXBsZSBub25jZR==") is not None
