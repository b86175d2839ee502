"""Open packets of every version and transport, as real servers write them and as others might."""

import pytest

from fastproxy.open_packets import open_packet

OPEN = b'{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}'
SID = b"lv_VI97HAXpY6yYWAAAC"
# What servers answered to a handshake; go-socket.io says the same to EIO 4 as to EIO 3.
RECORDED = {
    "socket.io 2.5, EIO 3": (
        b'97:0{"sid":"5YPgo_oM372jSg7vAAAA","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}2:40',
        (b"5YPgo_oM372jSg7vAAAA", 45),
    ),
    "socket.io 2.5, EIO 3, JSONP": (
        b'___eio[0]("97:0{\\"sid\\":\\"YnvhBQh5C0OCmkc5AAAB\\",\\"upgrades\\":[\\"websocket\\"],'
        b'\\"pingInterval\\":25000,\\"pingTimeout\\":20000}2:40");',
        (b"YnvhBQh5C0OCmkc5AAAB", 45),
    ),
    "socket.io 3.1, EIO 4": (
        b'0{"sid":"OEeNbfc3R8lwwJ1hAAAG","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":5000}',
        (b"OEeNbfc3R8lwwJ1hAAAG", 30),
    ),
    "socket.io 3.1, EIO 3": (
        b'96:0{"sid":"xCJyKfVQp--vDlB2AAAA","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":5000}',
        (b"xCJyKfVQp--vDlB2AAAA", 30),
    ),
    "socket.io 4.8, EIO 4": (
        b'0{"sid":"nqb4uiOAYsfa0NtYAAAG","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,'
        b'"maxPayload":1000000}',
        (b"nqb4uiOAYsfa0NtYAAAG", 45),
    ),
    "socket.io 4.8, EIO 3": (
        b'118:0{"sid":"cDv7VnETqYlFTT6zAAAA","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,'
        b'"maxPayload":1000000}',
        (b"cDv7VnETqYlFTT6zAAAA", 45),
    ),
    "socket.io 4.8, EIO 4, JSONP": (
        b'___eio[0]("0{\\"sid\\":\\"vnygGISExvECPGqqAAAH\\",\\"upgrades\\":[\\"websocket\\"],'
        b'\\"pingInterval\\":25000,\\"pingTimeout\\":20000,\\"maxPayload\\":1000000}");',
        (b"vnygGISExvECPGqqAAAH", 45),
    ),
    "python-engineio 4.15": (
        b'0{"sid":"btrLlV8lwNVZi74wAAAA","upgrades":["websocket"],"pingTimeout":20000,"pingInterval":25000,'
        b'"maxPayload":1000000}',
        (b"btrLlV8lwNVZi74wAAAA", 45),
    ),
    "python-engineio 4.15, JSONP": (
        b'___eio[0]("0{\\"sid\\":\\"EpHRSG89Sn2NiT6cAAAB\\",\\"upgrades\\":[\\"websocket\\"],'
        b'\\"pingTimeout\\":20000,\\"pingInterval\\":25000,\\"maxPayload\\":1000000}");',
        (b"EpHRSG89Sn2NiT6cAAAB", 45),
    ),
    "go-socket.io 1.7": (
        b'\x00\x07\x09\xff0{"sid":"1","upgrades":["websocket"],"pingInterval":20000,"pingTimeout":60000}\n',
        (b"1", 80),
    ),
    "go-socket.io 1.7, base64": (
        b'79:0{"sid":"2","upgrades":["websocket"],"pingInterval":20000,"pingTimeout":60000}\n',
        (b"2", 80),
    ),
    "go-socket.io 1.7, JSONP": (
        b'___eio[0]("79:0{\\"sid\\":\\"3\\",\\"upgrades\\":[\\"websocket\\"],\\"pingInterval\\":20000,'
        b'\\"pingTimeout\\":60000}\\u000A");',
        (b"3", 80),
    ),
    "go-socket.io 1.7, WebSocket": (
        b'0{"sid":"5","upgrades":[],"pingInterval":20000,"pingTimeout":60000}\n',
        (b"5", 80),
    ),
}


@pytest.mark.parametrize(("answer", "expected"), RECORDED.values(), ids=RECORDED)
def test_what_servers_answer(answer, expected):
    assert open_packet(answer) == expected
    found = [open_packet(answer[:cut]) for cut in range(len(answer))]
    assert set(found) <= {"incomplete", expected}
    assert found == sorted(found, key=lambda each: each != "incomplete")  # nothing is taken back


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


@pytest.mark.parametrize(
    "answer",
    [
        b'___eio[0]("0{\\"sid\\":\\"a b\\"}");',
        b'___eio[0]("0{\\"sid\\":\\"a\\"");',
        b'___eio[0]("");',
        b'___eio[0]("6");',
        b'___eio[0]("0{\\"sid\\":\\"\\uZZZZ\\"}");',
        b'___eio[x]("0',
        b"___eio[0]('0",
        b"___aio[",
        b'___eio[123456789012345678901]("',
        b"/**/___eio",
        b'___eio[0]("' + b"a" * 3000 + b'");',
    ],
)
def test_no_open_packet_in_a_script(answer):
    assert open_packet(answer) is None


def test_a_script_may_escape_what_it_likes():
    assert open_packet(b'___eio[]("\\x30\\u007b\\"\\u0073id\\":\\"\\u0061\\x62\\"}\\n");') == (b"ab", 45)


def test_a_sid_may_be_escaped():
    assert open_packet(b'0{"sid":"a\\u002db"}') == (b"a-b", 45)
    assert open_packet(b'0{"sid":"a\\u002"}') is None


def test_a_packet_in_base64_opens_nothing():
    assert open_packet(b"b4eyJzaWQiOiJhIn0=") is None
    assert open_packet(b"18:b0eyJzaWQiOiJhIn0=") is None


def test_of_two_sids_the_last_counts():
    assert open_packet(b'0{"sid":"a","sid":"b"}') == (b"b", 45)
    assert open_packet(b'0{"sid":"a","sid":7}') is None
