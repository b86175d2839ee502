"""Lines of the access log: each operator, the default format beside a real Envoy's lines, and what text may do."""

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fastproxy.access_log import AccessLog, validate_format
from fastproxy.model import DEFAULT_ACCESS_LOG_FORMAT
from fastproxy.response_flags import NAMES

ROOT = Path(__file__).resolve().parents[2]
ENVOYS = ROOT.parent / "shared" / "golden"
REQUEST = (b"GET", b"/socket.io/", b"example.com")
START_US = 1_795_359_538_819_042  # 2026-11-22T14:58:58.819042Z
FACTS: dict[str, int | bytes] = {
    "start_us": START_US,
    "duration_us": 302_999,
    "request_duration_us": 1_000,
    "response_duration_us": 2_500,
    "bytes_received": 12,
    "bytes_sent": 2**64 - 1,
    "response_code": 101,
    "protocol": 11,
    "flags": 0,
    "upstream_host": b"127.0.0.1:8003",
    "upstream_cluster": b"backend",
    "upstream_local_address": b"127.0.0.1:51000",
    "downstream_remote_address": b"[2001:db8::7]:443",
    "downstream_direct_remote_address": b"10.0.0.1:1234",
    "downstream_local_address": b"10.0.0.2:9002",
    "route_name": b"main",
    "response_code_details": b"via_upstream",
    "fastproxy_affinity": b"least",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def rendered(path: Path, text: str, **facts: int | bytes) -> str:
    """What one line of the format is, with these facts beside or instead of the usual ones."""
    path.unlink(missing_ok=True)
    log = AccessLog(str(path), text)
    log.write_py(REQUEST, (), (), **(FACTS | facts))
    log.close()
    return path.read_text()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%START_TIME%", "2026-11-22T14:58:58.819Z"),
        ("%START_TIME(%Y/%m/%d %H:%M:%S)%", "2026/11/22 14:58:58"),
        ("%START_TIME(%s)%", "1795359538"),
        ("%START_TIME(%s.%3f)%", "1795359538.819"),
        ("%START_TIME(%6f %9f %f %1f)%", "819042 819042000 819042000 8"),
        ("%START_TIME(%b %e)%", "Nov 22"),
        ("%DURATION%", "302"),
        ("%REQUEST_DURATION%", "1"),
        ("%RESPONSE_DURATION%", "2"),
        ("%RESPONSE_TX_DURATION%", "300"),
        ("%BYTES_RECEIVED%", "12"),
        ("%BYTES_SENT%", "18446744073709551615"),
        ("%PROTOCOL%", "HTTP/1.1"),
        ("%RESPONSE_CODE%", "101"),
        ("%UPSTREAM_REQUEST_ATTEMPT_COUNT%", "0"),
        ("%RESPONSE_FLAGS%", "-"),
        ("%RESPONSE_FLAGS_LONG%", "-"),
        ("%RESPONSE_CODE_DETAILS%", "via_upstream"),
        ("%FASTPROXY_AFFINITY%", "least"),
        ("%UPSTREAM_HOST%", "127.0.0.1:8003"),
        ("%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "127.0.0.1"),
        ("%UPSTREAM_REMOTE_PORT%", "8003"),
        ("%UPSTREAM_CLUSTER%", "backend"),
        ("%UPSTREAM_LOCAL_ADDRESS%", "127.0.0.1:51000"),
        ("%DOWNSTREAM_REMOTE_ADDRESS%", "[2001:db8::7]:443"),
        ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "2001:db8::7"),
        ("%DOWNSTREAM_ADDRESS%", "2001:db8::7"),
        ("%DOWNSTREAM_REMOTE_PORT%", "443"),
        ("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%", "10.0.0.1:1234"),
        ("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%", "10.0.0.1"),
        ("%DOWNSTREAM_LOCAL_ADDRESS%", "10.0.0.2:9002"),
        ("%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%", "10.0.0.2"),
        ("%DOWNSTREAM_LOCAL_PORT%", "9002"),
        ("%ROUTE_NAME%", "main"),
        ("%REQ(:METHOD)% %REQ(:PATH)% %REQ(:AUTHORITY)%", "GET /socket.io/ example.com"),
        ("%REQ(USER-AGENT)% %RESP(SERVER)%", "- -"),
        ("%%", "%"),
        ("", ""),
    ],
)
def test_each_operator(path: Path, text: str, expected: str) -> None:
    assert rendered(path, text) == expected


@pytest.mark.parametrize(
    ("facts", "text", "expected"),
    [
        ({"protocol": 10}, "%PROTOCOL%", "HTTP/1.0"),
        ({"protocol": 0}, "%PROTOCOL%", "-"),
        ({"response_code": 0}, "%RESPONSE_CODE%", "0"),
        ({"attempt_count": 3}, "%UPSTREAM_REQUEST_ATTEMPT_COUNT%", "3"),
        ({"duration_us": -1}, "%DURATION% %RESPONSE_TX_DURATION%", "- -"),
        ({"request_duration_us": -1}, "%REQUEST_DURATION%", "-"),
        ({"response_duration_us": -1}, "%RESPONSE_DURATION% %RESPONSE_TX_DURATION%", "- -"),
        ({"duration_us": 0}, "%DURATION%", "0"),
        ({"flags": 1 << 0 | 1 << 6}, "%RESPONSE_FLAGS%", "URX,UF"),
        ({"flags": 1 << 13}, "%RESPONSE_FLAGS_LONG%", "DownstreamConnectionTermination"),
        ({"upstream_host": b""}, "%UPSTREAM_HOST% %UPSTREAM_REMOTE_PORT%", "- -"),
        ({"upstream_host": b"/run/node.sock"}, "%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "/run/node.sock"),
        ({"upstream_host": b"/run/node.sock"}, "%UPSTREAM_REMOTE_PORT%", "-"),
        ({"route_name": b""}, "%ROUTE_NAME%", "-"),
        ({"start_us": 0}, "%START_TIME%", "1970-01-01T00:00:00.000Z"),
    ],
)
def test_what_is_unset(path: Path, facts: dict[str, int | bytes], text: str, expected: str) -> None:
    assert rendered(path, text, **facts) == expected


def test_local_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XYZ-05:30")
    time.tzset()
    try:
        assert rendered(path, "%START_TIME_LOCAL(%H:%M)% %START_TIME(%H:%M)%") == "20:28 14:58"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_each_second_is_formatted_anew(path: Path) -> None:
    log = AccessLog(str(path), "%START_TIME% %START_TIME(%S)%\n")
    starts = [START_US, START_US + 100_000, START_US + 1_000_000, START_US + 61_000_000, START_US]
    for start_us in starts:
        log.write_py(start_us=start_us)
    log.close()
    moments = [datetime.fromtimestamp(start_us // 1000 / 1000, UTC) for start_us in starts]
    assert path.read_text().splitlines() == [
        f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z {moment:%S}" for moment in moments
    ]


def test_the_default_format(path: Path) -> None:
    log = AccessLog(str(path), DEFAULT_ACCESS_LOG_FORMAT)
    fields = [
        (b"user-agent", b"Mozilla/5.0"),
        (b"x-forwarded-for", b"203.0.113.7"),
        (b"x-request-id", b"ac05"),
        (b"x-envoy-original-path", b"/before"),
    ]
    log.write_py(REQUEST, fields, [[(b"x-envoy-upstream-service-time", b"4")]], **(FACTS | {"bytes_sent": 2}))
    log.close()
    assert path.read_text() == (
        '[2026-11-22T14:58:58.819Z] "GET /before HTTP/1.1" 101 - 12 2 302 4 "203.0.113.7" "Mozilla/5.0" "ac05" '
        '"example.com" "127.0.0.1:8003"\n'
    )


# Lines that a real Envoy 1.40 wrote, each with what its JSON log said of the same request.

ENVOY_LINE = re.compile(
    r'\[(?P<start>[^]]+)\] "(?P<method>\S+) (?P<path>.*) (?P<protocol>\S+)" (?P<code>\d+) (?P<flags>\S+) '
    r'(?P<received>\d+) (?P<sent>\d+) (?P<duration>\d+) (?P<service>\S+) "(?P<forwarded>[^"]*)" "(?P<agent>.*)" '
    r'"(?P<id>[^"]*)" "(?P<authority>[^"]*)" "(?P<host>[^"]*)"'
)
SAMPLES = [
    '[2026-11-22T15:58:58.819Z] "GET /ok HTTP/1.1" 200 - 0 2 0 0 "-" "-" "7e01f244-e2dd-4e9c-b64a-26c945f5e3a9" '
    '"example.com" "127.0.0.1:18201"',
    '[2026-11-22T15:59:00.836Z] "GET /nothing HTTP/1.1" 404 NR 0 0 0 - "-" "-" "df4336da-d6f7-4b85-baca-f079dd11ccd2" '
    '"example.com" "-"',
    '[2026-11-22T16:00:37.336Z] "GET / HTTP/1.1" 503 UF 0 91 297 - "-" "-" "21a91c7f-4112-4ece-8a0b-4bac552a3e2b" '
    '"example.com" "127.0.0.1:18197"',
    '[2026-11-22T16:07:44.601Z] "- - HTTP/1.1" 0 DC 0 0 1602 - "-" "-" "-" "-" "-"',
    '[2026-11-22T16:07:53.436Z] "POST /ok HTTP/1.1" 200 - 10 2 151 0 "-" "-" "090a57c1-bfce-4992-b93e-e2665eb60f47" '
    '"example.com" "127.0.0.1:18201"',
]


def recorded_lines() -> list[str]:
    """Every access log line of the whole collection, where it is."""
    vectors = [
        vector for file in sorted(ENVOYS.glob("10-*.json")) for vector in json.loads(file.read_text())["vectors"]
    ]
    return [line for vector in vectors for line in vector.get("access_log", [])]


def told(text: str) -> bytes:
    return b"" if text == "-" else text.encode()


def write_again(log: AccessLog, found: re.Match[str]) -> None:
    """The request behind an Envoy's line, as facts and fields of ours."""
    bits = {letters.decode(): 1 << number for number, (letters, _) in enumerate(NAMES)}
    start = datetime.fromisoformat(found["start"])
    fields = {b"user-agent": "agent", b"x-forwarded-for": "forwarded", b"x-request-id": "id"}
    service = told(found["service"])
    facts: dict[str, Any] = {
        "start_us": round(start.timestamp() * 1000) * 1000,
        "duration_us": int(found["duration"]) * 1000,
        "bytes_received": int(found["received"]),
        "bytes_sent": int(found["sent"]),
        "response_code": int(found["code"]),
        "protocol": {"HTTP/1.1": 11, "HTTP/1.0": 10, "-": 0}[found["protocol"]],
        "flags": sum(bits[letters] for letters in found["flags"].split(",") if letters != "-"),
        "upstream_host": told(found["host"]),
    }
    log.write_py(
        (told(found["method"]), told(found["path"]), told(found["authority"])),
        [(name, told(found[group])) for name, group in fields.items() if found[group] != "-"],
        [[(b"x-envoy-upstream-service-time", service)]] if service else [],
        **facts,
    )


def test_the_same_lines_as_envoy(path: Path) -> None:
    """But for one thing: Envoy writes quotes and backslashes as they are, so that the end of a field cannot be told."""
    lines = SAMPLES + recorded_lines()
    expected = []
    if not ENVOYS.is_dir():
        print(f"no recordings at {ENVOYS}: only {len(SAMPLES)} lines were compared")
    log = AccessLog(str(path), DEFAULT_ACCESS_LOG_FORMAT)
    for written in lines:
        line = written
        found = ENVOY_LINE.fullmatch(line)
        assert found is not None, line
        write_again(log, found)
        for text in (found["path"], found["agent"]):
            line = line.replace(text, text.replace("\\", r"\\").replace('"', r"\""))
        expected.append(line)
    log.close()
    assert path.read_text().split("\n")[:-1] == expected


# Text from the wire.


def test_no_text_can_forge_a_line(path: Path) -> None:
    log = AccessLog(str(path), '"%REQ(:PATH)%" "%REQ(x)%"\n')
    forged = b'/" 200 -\n[2026-11-22T00:00:00.000Z] "GET /admin'
    log.write_py((b"GET", forged, b""), [(b"x", b"\x1b[2J\x7f\x80\xff\x00 \\")])
    log.close()
    assert path.read_bytes() == (
        rb'"/\" 200 -\x0a[2026-11-22T00:00:00.000Z] \"GET /admin" "\x1b[2J\x7f\x80\xff\x00 \\"' + b"\n"
    )


@pytest.mark.parametrize("length", [0, 1, 7, 8, 15, 16, 17, 31, 33, 100])
def test_every_byte_at_every_place(path: Path, length: int) -> None:
    log = AccessLog(str(path), "%REQ(x)%\n")
    values = [b"a" * before + bytes([byte]) + b"b" * (length - before) for byte in range(256) for before in (0, length)]
    for value in values:
        log.write_py(REQUEST, [(b"x", value)])
    log.close()
    lines = path.read_bytes().split(b"\n")[:-1]
    assert [re.sub(rb'\\(x[0-9a-f]{2}|["\\])', unescape, line) for line in lines] == values
    assert all(0x20 <= byte < 0x7F for line in lines for byte in line)


@pytest.mark.parametrize(
    "text",
    ["é", "€uro", "日本語", "\U0001f600!", "\u00a0", "\ud7ff", "\ue000", "\U0010ffff", "mixed é and a"],
)
def test_text_in_utf_8_is_readable(path: Path, text: str) -> None:
    log = AccessLog(str(path), "%REQ(x)%")
    log.write_py(REQUEST, [(b"x", text.encode())])
    log.close()
    assert path.read_text() == text


@pytest.mark.parametrize(
    "value",
    [
        b"\xc2\x85",  # NEL ends a line for some readers, as the next two do
        b"\xe2\x80\xa8",
        b"\xe2\x80\xa9",
        "\u202e".encode(),
        "\u200f".encode(),
        "\u061c".encode(),
        "\u2066".encode(),
        b"\xc2\x9b2J",  # CSI steers a terminal
        b"\xc0\xa2",  # overlong forms of a quote
        b"\xe0\x80\xa2",
        b"\xf0\x80\x80\xa2",
        b"\xed\xa0\x80",  # a surrogate
        b"\xf4\x90\x80\x80",  # above the last character
        b"\xf5\x80\x80\x80",
        b"\xc3",  # cut short
        b"\xe2\x82",
        b"\xf0\x9f\x98",
        b'\xc3"',
        b"\x80",
    ],
)
def test_what_is_no_text_is_not_written_as_it_is(path: Path, value: bytes) -> None:
    log = AccessLog(str(path), "%REQ(x)%")
    log.write_py(REQUEST, [(b"x", value)])
    log.close()
    written = path.read_bytes()
    assert written.isascii()
    assert re.sub(rb'\\(x[0-9a-f]{2}|["\\])', unescape, written) == value


def unescape(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1][1:], 16)]) if len(found[1]) == 3 else found[1]


def test_a_line_of_the_largest_head_with_everything_escaped(path: Path) -> None:
    log = AccessLog(str(path), "%REQ(:PATH)% %REQ(:PATH)% %RESPONSE_FLAGS_LONG%\n")
    log.write_py((b"GET", b"\x00" * 60 * 1024, b""), flags=2**22 - 1)
    log.close()
    lines = path.read_bytes().splitlines()
    assert lines[0].startswith(rb"\x00" * 60 * 1024 + b" " + rb"\x00" * 60 * 1024 + b" Upstream")
    assert log.lines_lost == 0


# File and format.


def test_lines_wait_for_the_flush_and_survive_a_rotation(path: Path) -> None:
    log = AccessLog(str(path), "%REQ(:PATH)%\n")
    log.write_py(REQUEST)
    assert path.read_bytes() == b""
    log.flush()
    moved = path.rename(path.with_suffix(".1"))
    log.write_py(REQUEST)
    log.reopen()
    log.close()
    assert moved.read_bytes() == path.read_bytes() == b"/socket.io/\n"


def test_lines_lost_are_counted() -> None:
    log = AccessLog("/dev/full", "%REQ(:PATH)%\n")
    for _ in range(100_000):
        log.write_py(REQUEST)
    assert log.file.held_bytes <= 1 << 20
    assert log.lines_lost > 0
    log.close()
    assert log.lines_lost == 100_000


def test_a_wrong_format_opens_no_file(path: Path) -> None:
    with pytest.raises(ValueError, match="character 3: %NOTHING%: unknown operator"):
        AccessLog(str(path), "a %NOTHING%")
    assert not path.exists()


def test_validate_format() -> None:
    validate_format(DEFAULT_ACCESS_LOG_FORMAT)
    validate_format("%REQ(a)%" * 64)
    with pytest.raises(ValueError, match="names 65 headers"):
        validate_format("%REQ(a)%" * 40 + "%RESP(a)%" * 25)
    with pytest.raises(ValueError, match="character 1: no operator"):
        validate_format("%x%")
