"""A target for atheris: a response head that we take is one for httptools and for a plain reader in Python too."""

from fastproxy.inspection import head_end, is_answer, is_head
from tests.fuzz.fuzzing import fuzz
from tests.fuzz.plain_heads import fields_of, head_or_none, is_plain


def one_input(data: bytes) -> None:
    end = head_end(data)
    data = data[:end] if end > 0 else data
    head = head_or_none(data, False)
    if head is None:  # one of the two readers is enough for that
        return
    agreed = is_head(data, False)
    assert agreed == is_head(data, False, range(1, len(data)))
    if not agreed:
        return
    assert isinstance(head["first"], int)
    assert 100 <= head["first"] <= 999
    assert head["fields"] == fields_of(data)
    assert is_plain(data), data
    is_answer(data, b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")


if __name__ == "__main__":
    fuzz(one_input)
