"""A target for atheris: a request head that we take is one for httptools and for a plain reader in Python too."""

from contextlib import suppress

from fastproxy.inspection import expected_accept, head_end, is_head, target, upgrade_wish
from tests.fuzz.fuzzing import fuzz
from tests.fuzz.plain_heads import fields_of, head_or_none, is_plain


def one_input(data: bytes) -> None:
    data = data.lstrip(b"\r\n")  # as the data plane does, before either reader sees it
    end = head_end(data)
    assert end == (data.find(b"\r\n\r\n") + 4 or -1) if b"\r\n\r\n" in data else end == -1
    data = data[:end] if end > 0 else data
    head = head_or_none(data, True)
    if head is None:  # one of the two readers is enough for that
        return
    agreed = is_head(data, True)
    assert agreed == is_head(data, True, range(1, len(data)))
    if not agreed:
        return
    assert head["fields"] == fields_of(data)
    assert is_plain(data), data
    assert not (head["is_chunked"] and head["content_length"] >= 0)
    with suppress(ValueError):
        target(data)
    upgrade_wish(data)
    expected_accept(data)


if __name__ == "__main__":
    fuzz(one_input)
