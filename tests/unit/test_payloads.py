"""Packets in the bodies of Engine.IO polls: whole, cut, and broken."""

import pytest

from fastproxy.payloads import packets

SEPARATED = [
    (b"", 0),
    (b"2", 1),
    (b'40{"sid":"abc"}', 1),
    (b'42["a"]\x1e2', 2),
    (b"bAQID\x1e42\x1e6\x1e1", 4),
    ("4é\x1e4😀".encode(), 2),
]
WITH_LENGTHS = [
    (b"", 0),
    (b"1:3", 1),
    (b'97:0{"sid":"5YPgo_oM372jSg7vAAAA","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}2:40', 2),
    (b"6:b4AQID2:40", 2),
    ("2:4é1:2".encode(), 2),
    ("3:4😀3:4€€2:40".encode(), 3),  # one code unit, and two
    ("4:4😀a1:23:4😀".encode(), 3),
    (("201:4" + "😀" * 100 + "149:4" + "é€" * 74 + "2:40").encode(), 3),
    (b"\x00\x02\xff40", 1),
    (b"\x01\x01\x00\xff\x04\x00\x01\xff\x1e:\x00\x01\x00\xff\x00\x02\xff40", 2),
    (b'\x00\x06\x01\xff0{"sid":"2s","upgrades":[],"pingInterval":1,"pingTimeout":6}\n\x00\x02\xff40', 2),
]  # fmt: skip
ALL = [(body, number, False) for body, number in SEPARATED] + [(body, number, True) for body, number in WITH_LENGTHS]


@pytest.mark.parametrize(("body", "number", "has_lengths"), ALL)
def test_packets_of_a_body(body, number, has_lengths):
    assert packets([body], has_lengths) == (number, False)
    assert packets([body[at : at + 1] for at in range(len(body))], has_lengths) == (number, False)
    for cut in range(len(body)):
        assert packets([body[:cut], b"", body[cut:]], has_lengths) == (number, False)


@pytest.mark.parametrize(
    ("body", "has_lengths"),
    [
        (b'___eio[0]("2");', False),
        (b'___eio[0]("1:2");', True),
        (b"d=2", False),
        (b"d=1%3A2", True),
        (b"7", False),
        (b"<html>", False),
        (b"ok", True),
        (b"0:", True),
        (b":2", True),
        (b"\x801:2", True),
        (b"1234567890123:", True),
        ("1:😀".encode(), True),
        (b"\x00\xff", True),
        (b"\x00\x0a\xff", True),
    ],
)
def test_what_is_no_payload(body, has_lengths):
    assert packets([body], has_lengths) == (0, True)
    assert packets([body, b"1:2\x1e"], has_lengths) == (0, True)


@pytest.mark.parametrize("rest", [b"x", b"\x001:2", b"1x"])
def test_packets_before_a_break_count(rest):
    assert packets([b"1:22:40" + rest], True) == (2, True)


def test_a_binary_body_stays_binary():
    assert packets([b"\x00\x01\xff21:2"], True) == (1, True)


def test_what_is_no_utf8_counts_the_same_wherever_it_was_cut():
    body = b"6:\xff\xff\xff0{\x8b2:20"
    assert packets([body], True) == packets([bytes([byte]) for byte in body], True)
