"""HTTP/1.1, cut anywhere: the same slices and the same bytes; and garbage is an error or nothing."""

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from fastproxy.inspection import BodyReader, head_end, is_head, read_head

if TYPE_CHECKING:
    from fastproxy.inspection import Head

NAMES = st.text("abcXYZ-_.019!", min_size=1, max_size=12).map(str.encode)
VALUES = st.binary(max_size=20).map(lambda data: bytes(byte for byte in data if byte >= 0x20 and byte != 0x7F))
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=8)
TARGETS = st.text("/abc?=&%019.", min_size=1, max_size=20).map(lambda text: ("/" + text).encode())
METHODS = st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"HEAD"])
ERRORS = {"bad", "too many fields", "unknown coding", "version"}
CHUNK_PIECES = st.sampled_from([b"5", b"\r", b"\n", b";", b"a", b"0", b":", b"f"])
CHUNKS = st.lists(st.binary(min_size=1, max_size=300), max_size=6)


def head_or_error(data: bytes, is_request: bool, max_fields: int = 100) -> "Head | str":
    try:
        return read_head(data, is_request, max_fields)
    except ValueError as error:
        return str(error)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted(place % (len(data) + 1) for place in places)
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


def request_head(method: bytes, target: bytes, fields: list[tuple[bytes, bytes]]) -> bytes:
    lines = b"".join(name + b":" + value + b"\r\n" for name, value in fields)
    return method + b" " + target + b" HTTP/1.1\r\n" + lines + b"\r\n"


def chunked(chunks: list[bytes], extension: bytes = b"", trailer: bytes = b"") -> bytes:
    sized = b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
    return sized + b"0\r\n" + trailer + b"\r\n"


def read_all(body: BodyReader, parts: list[bytes]) -> tuple[bytes, bytes]:
    """The payload of the parts, and what of them does not belong to the body."""
    payload = rest = b""
    for part in parts:
        used, got = body.take(part) if not body.done else (0, b"")
        assert used == len(part) or body.done
        payload += got
        rest += part[used:]
    return payload, rest


@given(METHODS, TARGETS, FIELDS)
def test_a_head_is_read_as_it_was_written(method, target, fields):
    head = read_head(request_head(method, target, fields), True)
    assert head["first"] == (method, target)
    assert head["fields"] == [(name.lower(), value.strip(b" \t")) for name, value in fields]


@given(METHODS, TARGETS, FIELDS, st.binary(max_size=20), st.data())
def test_the_end_of_a_head_is_found_from_anywhere_before_it(method, target, fields, behind, data):
    head = request_head(method, target, fields)
    searched = data.draw(st.integers(0, len(head) - 1))
    assert head_end(head + behind, searched) == len(head)
    assert head_end(head[:-1], min(searched, len(head) - 1)) == -1


@given(METHODS, TARGETS, FIELDS, st.data())
def test_httptools_takes_a_head_whole_or_cut(method, target, fields, data):
    head = request_head(method, target, fields)
    cuts = sorted(data.draw(st.lists(st.integers(1, len(head) - 1), max_size=4)))
    assert is_head(head, True) == is_head(head, True, cuts)
    assert is_head(head, True) == is_head(head, True, range(1, len(head)))


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_as_a_head(data, is_request):
    """A head or one of the errors; what is found stands in the data."""
    found = head_or_error(data, is_request)
    if isinstance(found, str):
        assert found in ERRORS
    else:
        assert all(name in data.lower() and value in data for name, value in found["fields"])


@given(METHODS, TARGETS, FIELDS, st.data(), st.booleans())
def test_a_damaged_head(method, target, fields, data, is_request):
    """One byte changed: still only a head or one of the errors, and never a field that is not there."""
    head = bytearray(request_head(method, target, fields))
    head[data.draw(st.integers(0, len(head) - 1))] = data.draw(st.integers(0, 255))
    found = head_or_error(bytes(head), is_request, max_fields=8)
    if isinstance(found, str):
        assert found in ERRORS
    else:
        assert len(found["fields"]) <= 8
        assert all(name in bytes(head).lower() for name, _ in found["fields"])


@given(
    CHUNKS, st.sampled_from([b"", b";a=b", b';"x y"']), st.sampled_from([b"", b"x: y\r\n", b"a:\r\nb:\r\n"]),
    st.binary(max_size=20), st.lists(st.integers(0, 5000), max_size=6),
)  # fmt: skip
def test_a_chunked_body_whole_byte_by_byte_and_cut(chunks, extension, trailer, behind, places):
    data = chunked(chunks, extension, trailer)
    expected = (b"".join(chunks), behind)
    assert read_all(BodyReader("chunked"), [data + behind]) == expected
    assert read_all(BodyReader("chunked"), [bytes([byte]) for byte in data + behind]) == expected
    body = BodyReader("chunked")
    assert read_all(body, cut(data + behind, places)) == expected
    assert body.done
    body = BodyReader("chunked")
    read_all(body, cut(data[:-1], places))
    assert not body.done


@given(st.binary(max_size=200), st.integers(0, 250), st.lists(st.integers(0, 300), max_size=5))
def test_a_body_with_a_length_whole_and_cut(data, length, places):
    body = BodyReader("length", length)
    assert read_all(body, cut(data, places)) == (data[:length], data[length:])
    assert body.done == (len(data) >= length)


@given(st.binary(max_size=100) | st.lists(CHUNK_PIECES).map(b"".join))
def test_any_bytes_as_chunks(data):
    """Whole and byte by byte they are the same error, or the same payload."""

    def outcome(parts: list[bytes]) -> object:
        body = BodyReader("chunked")
        try:
            return *read_all(body, parts), body.done
        except ValueError as error:
            return str(error)

    whole = outcome([data])
    assert whole == outcome([bytes([byte]) for byte in data])
    if isinstance(whole, tuple):
        assert len(whole[0]) <= len(data)
