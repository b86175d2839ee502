"""Who is trusted to have sent a request."""

from typing import Any

import pytest

from fastproxy.client_address import ClientAddresses
from fastproxy.inspection import client_of
from fastproxy.model import HttpConnectionManager, IpDetection, RouteConfiguration

PEER = b"10.9.9.9"
DIRECT = b"10.9.9.9:1234"


def client(lines: list[str], peer: bytes = PEER, **settings: Any) -> tuple[bytes, bool]:
    model = HttpConnectionManager("", RouteConfiguration(()), **settings)
    head = "\r\n".join(["GET / HTTP/1.1", "host: h", *lines, "", ""]).encode()
    return client_of(ClientAddresses(model), head, peer)


@pytest.mark.parametrize(
    ("hops", "lines", "expected"),
    [
        (0, [], DIRECT),
        (0, ["x-forwarded-for: 1.1.1.1"], b"1.1.1.1:0"),
        (0, ["x-forwarded-for: 1.1.1.1, 2.2.2.2 "], b"2.2.2.2:0"),
        (0, ["x-forwarded-for: 1.1.1.1,2001:db8::1"], b"[2001:db8::1]:0"),
        (0, ["x-forwarded-for: 1.1.1.1", "x-forwarded-for: 2.2.2.2"], b"2.2.2.2:0"),
        (0, ["x-forwarded-for: 1.1.1.1", "x-forwarded-for:"], b"1.1.1.1:0"),
        (0, ["x-forwarded-for:"], DIRECT),
        (0, ["x-forwarded-for: 1.1.1.1,"], DIRECT),
        (0, ["x-forwarded-for: 1.1.1.1:80"], DIRECT),
        (0, ["x-forwarded-for: [2001:db8::1]"], DIRECT),
        (0, ["x-forwarded-for: " + "1" * 100], DIRECT),
        (0, ["x-forwarded-for: me"], DIRECT),
        (1, ["x-forwarded-for: 1.1.1.1"], DIRECT),
        (1, ["x-forwarded-for: 1.1.1.1,"], b"1.1.1.1:0"),
        (1, ["x-forwarded-for: 1.1.1.1, 2.2.2.2, 3.3.3.3"], b"2.2.2.2:0"),
        (1, ["x-forwarded-for: 1.1.1.1", "x-forwarded-for: 2.2.2.2"], b"1.1.1.1:0"),
        (2, ["x-forwarded-for: 1.1.1.1, 2.2.2.2", "x-forwarded-for: 3.3.3.3"], b"1.1.1.1:0"),
        (3, ["x-forwarded-for: 1.1.1.1, 2.2.2.2", "x-forwarded-for: 3.3.3.3"], DIRECT),
    ],
)
def test_hops_without_use_remote_address(hops, lines, expected):
    assert client(lines, xff_num_trusted_hops=hops) == (expected, False)


@pytest.mark.parametrize(
    ("hops", "lines", "expected"),
    [
        (0, ["x-forwarded-for: 1.1.1.1"], DIRECT),
        (1, ["x-forwarded-for: 1.1.1.1"], b"1.1.1.1:0"),
        (1, ["x-forwarded-for: 1.1.1.1, 2.2.2.2"], b"2.2.2.2:0"),
        (2, ["x-forwarded-for: 1.1.1.1, 2.2.2.2"], b"1.1.1.1:0"),
        (3, ["x-forwarded-for: 1.1.1.1, 2.2.2.2"], DIRECT),
        (1, ["x-forwarded-for: me"], DIRECT),
        (1, [], DIRECT),
    ],
)
def test_hops_with_use_remote_address(hops, lines, expected):
    assert client(lines, xff_num_trusted_hops=hops, use_remote_address=True) == (expected, False)


RANGES = ("10.0.0.0/8", "172.16.0.0/12", "127.0.0.1/32", "fd00::/8")


@pytest.mark.parametrize(
    ("peer", "is_internal"),
    [
        (b"10.255.0.1", True),
        (b"11.0.0.1", False),
        (b"172.31.255.255", True),
        (b"172.32.0.0", False),
        (b"127.0.0.1", True),
        (b"127.0.0.2", False),
        (b"fdab::1", True),
        (b"fe80::1", False),
        (b"::1", False),
    ],
)
def test_internal_peers(peer, is_internal):
    settings: dict[str, Any] = {"use_remote_address": True, "internal_addresses": RANGES}
    assert client([], peer, **settings)[1] == is_internal
    assert not client(["x-forwarded-for: 10.0.0.1"], peer, **settings)[1]
    assert not client([], peer, use_remote_address=True)[1]


@pytest.mark.parametrize(
    ("hops", "lines", "is_internal"),
    [
        (0, ["x-forwarded-for: 10.0.0.1"], True),
        (0, ["x-forwarded-for: 8.8.8.8"], False),
        (0, ["x-forwarded-for: 10.0.0.2, 10.0.0.1"], False),
        (0, ["x-forwarded-for: 10.0.0.2", "x-forwarded-for: 10.0.0.1"], False),
        (0, [], False),
        (1, ["x-forwarded-for: 10.0.0.2, 10.0.0.1"], False),
    ],
)
def test_internal_by_what_a_trusted_proxy_says(hops, lines, is_internal):
    assert client(lines, xff_num_trusted_hops=hops, internal_addresses=RANGES)[1] == is_internal


def test_detections_are_asked_in_turn():
    trusted = IpDetection("X-Real-IP", is_trusted=True)
    found = (trusted, IpDetection(xff_num_trusted_hops=1))
    settings: dict[str, Any] = {"original_ip_detection": found, "internal_addresses": RANGES}
    forwarded = "x-forwarded-for: 1.1.1.1, 2.2.2.2"
    assert client(["x-real-ip: 10.3.3.3", forwarded], **settings) == (b"10.3.3.3:0", True)
    assert client(["x-real-ip: me", forwarded], **settings) == (b"1.1.1.1:0", False)
    assert client([forwarded], **settings) == (b"1.1.1.1:0", False)
    assert client([], **settings) == (DIRECT, False)
    plain = IpDetection("x-real-ip")
    assert client(["x-real-ip: 10.3.3.3"], original_ip_detection=(plain,), internal_addresses=RANGES)[1] is False


def test_a_range_that_is_none():
    with pytest.raises(ValueError, match="no range of addresses: 10/8"):
        client([], internal_addresses=("10/8",))
