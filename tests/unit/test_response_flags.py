"""Response flags as letters and long names."""

import pytest

from fastproxy.response_flags import NAMES, format_flags

BIT = {letters: 1 << number for number, (letters, _) in enumerate(NAMES)}


def test_none() -> None:
    assert format_flags(0) == b"-"
    assert format_flags(0, True) == b"-"


@pytest.mark.parametrize(("letters", "name"), NAMES)
def test_each(letters: bytes, name: bytes) -> None:
    assert format_flags(BIT[letters]) == letters
    assert format_flags(BIT[letters], True) == name


@pytest.mark.parametrize("cause", [b"UF", b"UC", b"UPE", b"UT"])
def test_exhausted_retries_stand_before_their_cause(cause: bytes) -> None:
    assert format_flags(BIT[b"URX"] | BIT[cause]) == b"URX," + cause


def test_all_at_once() -> None:
    assert format_flags(2**64 - 1) == b",".join(letters for letters, _ in NAMES)
    assert format_flags(2**64 - 1, True) == b",".join(name for _, name in NAMES)


def test_long_names_of_two() -> None:
    both = format_flags(BIT[b"URX"] | BIT[b"UF"], True)
    assert both == b"UpstreamRetryLimitExceeded,UpstreamConnectionFailure"
