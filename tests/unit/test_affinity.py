"""Engine.IO on the wire: parameters of a query, open packets of every version and transport."""

import pytest

from fastproxy.affinity import open_packet, query

OPEN = b'{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}'
SID = b"lv_VI97HAXpY6yYWAAAC"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/socket.io/?EIO=4&transport=polling", (True, True, b"")),
        (b"/socket.io/?EIO=4&transport=polling&t=abc&sid=" + SID, (True, True, SID)),
        (b"/socket.io/?sid=" + SID + b"&transport=websocket&EIO=3", (True, False, SID)),
        (b"/socket.io/", (False, False, b"")),
        (b"/socket.io/?", (False, False, b"")),
        (b"/?EIO=", (False, False, b"")),
        (b"/?xEIO=4&xsid=a&transport=pollings", (False, False, b"")),
        (b"/?EIO=4&sid=a&sid=b", (True, False, b"")),
        (b"/?EIO=4&sid=", (True, False, b"")),
        (b"/?EIO=4&sid=a%20b", (True, False, b"")),
        (b"/?EIO=4&sid=" + b"a" * 128, (True, False, b"a" * 128)),
        (b"/?EIO=4&sid=" + b"a" * 129, (True, False, b"")),
        (b"/EIO=4&sid=a", (False, False, b"")),
        (b"/?a?EIO=4&sid=a", (False, False, b"a")),
    ],
)
def test_query(target, expected):
    assert query(target) == expected


@pytest.mark.parametrize(
    "packet",
    [
        b"0" + OPEN,
        b"0" + OPEN + b"\x1e40",
        b"%d:0" % (len(OPEN) + 1) + OPEN + b"2:40",
        b"\x00\x09\x07\xff0" + OPEN,
        b'0{ "pingTimeout" : 20000 ,\n"pingInterval": 25000, "sid" : "' + SID + b'" }',
        b'0{"a":{"sid":"inner","b":[{"sid":"x"}]},"c":["sid","y"],"sid":"' + SID + b'"}',
        b'0{"a\\"":"}{\\\\","sid":"' + SID + b'","z":null}',
    ],
)
def test_open_packet(packet):
    found = open_packet(packet)
    assert isinstance(found, tuple)
    assert found == (SID, 45)
    # the last byte of the JSON object is what completes it
    end = packet.rindex(b"}") + 1
    assert open_packet(packet[:end]) == (SID, 45)
    assert {open_packet(packet[:cut]) for cut in range(end)} == {"incomplete"}


@pytest.mark.parametrize(
    "answer",
    [
        b'{"code":1,"message":"Session ID unknown"}',
        b'"Invalid session x"',
        b"40{}",
        b"4:6abc",
        b"ok",
        b"0{}",
        b'0{"SID":"a"}',
        b'0{"sid":7}',
        b'0{"sid":""}',
        b'0{"sid":"a b"}',
        b'0{"sid":"' + b"a" * 129 + b'"}',
        b'0{"a":{"sid":"b"}}',
        b"0[",
        b"9999999999999:0{",
        b"\x00\x01x",
        b"<html>",
    ],
)
def test_no_open_packet(answer):
    assert open_packet(answer) is None


@pytest.mark.parametrize(
    ("members", "lifetime_s"),
    [
        (b"", 45),
        (b',"pingInterval":1000,"pingTimeout":500', 2),
        (b',"pingInterval":300000,"pingTimeout":5000', 305),
        (b',"pingInterval":99999999999,"pingTimeout":99999999999', 86400),
        (b',"maxPayload":1000000', 45),
    ],
)
def test_lifetime(members, lifetime_s):
    assert open_packet(b'0{"sid":"a"' + members + b"}") == (b"a", lifetime_s)


def test_nothing_yet():
    assert open_packet(b"") == "incomplete"
    assert open_packet(b"0") == "incomplete"
    assert open_packet(b"6") == "incomplete"  # a packet of its own in EIO 4, the beginning of a length in EIO 3
