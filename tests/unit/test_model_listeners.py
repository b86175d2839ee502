"""Addresses as Envoy writes them."""

import pytest

from fastproxy.model import Address
from fastproxy.model_listeners import EVERY_CONNECTION, FilterChainMatch


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (Address("127.0.0.1", 80), "127.0.0.1:80"),
        (Address("::1", 80), "[::1]:80"),
        (Address("", 0, "/run/a.sock"), "/run/a.sock"),
        (Address("", 0, "@name"), "@name"),
    ],
)
def test_addresses_as_text(address, text):
    assert str(address) == text


def test_the_mode_of_a_file_is_no_part_of_its_name():
    assert Address("", 0, "/a", 0o600) == Address("", 0, "/a")


def test_a_match_without_conditions_takes_everything():
    assert FilterChainMatch() == EVERY_CONNECTION
