"""Which header values a log keeps, and for how long: seen through the lines that show them."""

from pathlib import Path

import pytest

from fastproxy.access_log import AccessLog

Fields = list[tuple[bytes, bytes]]
REQUEST = (b"GET", b"/path?q=1", b"example.com")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def shown(path: Path, text: str, fields: Fields, responses: list[Fields] | None = None) -> bytes:
    log = AccessLog(str(path), text)
    log.write_py(REQUEST, fields, responses or [])
    log.close()
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (":METHOD", b"GET"),
        (":path", b"/path?q=1"),
        (":AUTHORITY", b"example.com"),
        ("HOST", b"example.com"),
        (":SCHEME", b"http"),
        (":PATH):5", b"/path"),
    ],
)
def test_pseudo_headers(path: Path, name: str, value: bytes) -> None:
    text = f"%REQ({name}%" if ")" in name else f"%REQ({name})%"
    assert shown(path, text, [(b"host", b"not this one")]) == value


def test_a_pseudo_header_that_is_empty(path: Path) -> None:
    log = AccessLog(str(path), "%REQ(:METHOD)% %REQ(:PATH?X)% %REQ(:AUTHORITY?Y)%")
    log.write_py((b"", b"", b""), [(b"x", b"1")])
    log.close()
    assert path.read_bytes() == b"- 1 -"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("%REQ(X-ONE)%", b"first"),
        ("%REQ(x-one?x-two)%", b"first"),
        ("%REQ(x-none?x-two)%", b"second"),
        ("%REQ(x-none?:path)%", b"/path?q=1"),
        ("%REQ(x-none?x-none-either)%", b"-"),
        ("%REQ(x-on)% %REQ(x-onee)%", b"- -"),
        ("%REQ(x-one):3%", b"fir"),
        ("%REQ(x-one):0%", b""),
        ("%REQ(x-one):5% %REQ(x-one):500%", b"first first"),
        ("%REQ(x-empty)%", b""),
        ("%REQ(x-empty?x-one)%", b""),
        ("%RESP(x-one)%", b"-"),
    ],
)
def test_request_headers(path: Path, text: str, value: bytes) -> None:
    assert shown(path, text, [(b"x-one", b"first"), (b"x-two", b"second"), (b"x-empty", b"")]) == value


def test_of_several_lines_the_first_is_shown(path: Path) -> None:
    assert shown(path, "%REQ(x-user)%", [(b"x-user", b"1"), (b"x-user", b"2")]) == b"1"


@pytest.mark.parametrize(
    "name",
    (
        b"accept accept-encoding authorization cache-control content-type origin referer user-agent via "
        b"x-client-trace-id x-forwarded-for x-forwarded-proto x-request-id"
    ).split(),
)
def test_lines_that_envoy_joins(path: Path, name: bytes) -> None:
    fields = [(name, b"1"), (b"between", b"x"), (name, b""), (name, b"22"), (name, b"333")]
    assert shown(path, f"%REQ({name.decode()})%|%REQ({name.decode()}):3%", fields) == b"1,22,333|1,2"


def test_response_headers_stand_beside_those_of_the_request(path: Path) -> None:
    text = "%RESP(a)% %REQ(a)% %RESP(b)% %REQ(:METHOD)% %RESP(a?c):2%"
    assert shown(path, text, [(b"a", b"asked")], [[(b"a", b"answer"), (b"b", b"also")]]) == b"answer asked also GET an"


def test_the_latest_response_counts(path: Path) -> None:
    responses = [[(b"a", b"a long early value"), (b"b", b"early")], [(b"a", b"late")]]
    assert shown(path, "%REQ(:PATH)% %RESP(a)% %RESP(b)%", [], responses) == b"/path?q=1 late -"
    path.unlink()
    responses.reverse()
    assert shown(path, "%RESP(a)% %RESP(b)%", [], responses) == b"a long early value early"


def test_without_a_request_nothing_is_known(path: Path) -> None:
    log = AccessLog(str(path), "%REQ(:METHOD)% %REQ(x)% %RESP(x)%")
    log.write_py()
    log.close()
    assert path.read_bytes() == b"- - -"


def test_records_do_not_mix(path: Path) -> None:
    log = AccessLog(str(path), "%REQ(x)%\n")
    for number in range(1000):
        log.write_py(REQUEST, [(b"x", b"%d" % number * (number % 7))])
    log.close()
    assert path.read_bytes().splitlines() == [b"%d" % number * (number % 7) for number in range(1000)]
