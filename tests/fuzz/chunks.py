"""A target for atheris: a chunked body, cut anywhere, gives what it gives whole, and what a plain reader takes."""

from fastproxy.inspection import BodyReader
from tests.fuzz.fuzzing import Cutter, fuzz
from tests.fuzz.plain_heads import read_chunks


def read(parts: list[bytes]) -> tuple[bytes, bytes, bool] | str:
    """Payload, what stands behind the body, and whether it has ended; or what is wrong."""
    body = BodyReader("chunked")
    payload = rest = b""
    try:
        for part in parts:
            used, got = body.take(part) if not body.done else (0, b"")
            assert used == len(part) or body.done
            payload, rest = payload + got, rest + part[used:]
    except ValueError as error:
        return str(error)
    return payload, rest, body.done


def one_input(data: bytes) -> None:
    cutter = Cutter(data)
    whole = read([cutter.data])
    assert read(cutter.pieces()) == whole
    assert read([bytes([byte]) for byte in cutter.data]) == whole
    if isinstance(whole, tuple) and whole[2]:
        assert read_chunks(cutter.data) == whole[:2], cutter.data


if __name__ == "__main__":
    fuzz(one_input)
