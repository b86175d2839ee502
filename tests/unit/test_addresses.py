"""Addresses of peers as logs and headers write them."""

import socket

import pytest

from fastproxy.inspection import address_text


@pytest.mark.parametrize(
    ("family", "ip", "text", "address"),
    [
        (socket.AF_INET, "1.2.3.4", b"1.2.3.4", b"1.2.3.4:80"),
        (socket.AF_INET, "0.10.99.100", b"0.10.99.100", b"0.10.99.100:80"),
        (socket.AF_INET, "255.199.109.9", b"255.199.109.9", b"255.199.109.9:80"),
        (socket.AF_INET6, "2001:db8::1", b"2001:db8::1", b"[2001:db8::1]:80"),
        (socket.AF_INET6, "::1", b"::1", b"[::1]:80"),
        (socket.AF_INET6, "::ffff:9.8.7.6", b"9.8.7.6", b"9.8.7.6:80"),
    ],
)
def test_addresses(family, ip, text, address):
    assert address_text(family, socket.inet_pton(family, ip), 80) == (text, address)


def test_the_other_end_of_a_unix_socket_has_no_name():
    assert address_text(socket.AF_UNIX, bytes(4), 0) == (b"", b"")
