"""What is stamped on messages: dates, request ids, the machine's own address."""

import uuid
from email.utils import formatdate
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastproxy.stamps import http_date, own_address, request_ids


@pytest.mark.parametrize(
    ("epoch_ms", "text"),
    [
        (784_111_777_000, b"Sun, 06 Nov 1994 08:49:37 GMT"),  # the example of RFC 9110 section 5.6.7
        (784_111_777_999, b"Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400_000, b"Tue, 29 Feb 2000 00:00:00 GMT"),
    ],
)
def test_date(epoch_ms, text):
    assert http_date(epoch_ms) == text


@given(st.integers(0, 4_000_000_000))
def test_date_as_pythons(epoch_s):
    assert http_date(epoch_s * 1000).decode() == formatdate(epoch_s, usegmt=True)


def test_request_ids_are_random_uuids():
    """More than the entropy that is fetched at a time gives."""
    ids = request_ids(1000)
    assert len(set(ids)) == 1000
    for text in ids:
        found = uuid.UUID(text.decode())
        assert (found.version, found.variant) == (4, uuid.RFC_4122)
        assert str(found).encode() == text


def test_own_address():
    address = IPv4Address(own_address().decode())
    assert str(address) == "127.0.0.1" or not address.is_loopback
