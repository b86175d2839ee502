"""Envoy's order of conditions: each keeps the chains that say most, and what is excluded never comes back."""

import pytest

from fastproxy.filter_chains import FilterChains
from fastproxy.model import FilterChainMatch as Match
from fastproxy.model import SourceType

HERE, THERE = ("10.0.0.1", 443), ("192.0.2.7", 5000)
EVERY = Match()


def found(*matches, local=HERE, remote=THERE):
    return FilterChains(matches).find_py(local, remote)


@pytest.mark.parametrize(
    ("match", "takes"),
    [
        (Match(), True),
        (Match(destination_port=443), True),
        (Match(destination_port=80), False),
        (Match(prefix_ranges=("10.0.0.0/8",)), True),
        (Match(prefix_ranges=("10.0.0.0/31",)), True),
        (Match(prefix_ranges=("10.0.0.2/31",)), False),
        (Match(prefix_ranges=("11.0.0.0/8", "10.0.0.1/32")), True),
        (Match(prefix_ranges=("::/0",)), False),
        (Match(direct_source_prefix_ranges=("192.0.2.0/24",)), True),
        (Match(direct_source_prefix_ranges=("192.0.3.0/24",)), False),
        (Match(source_prefix_ranges=("192.0.0.0/14",)), True),
        (Match(source_prefix_ranges=("10.0.0.0/8",)), False),
        (Match(source_ports=(1, 5000)), True),
        (Match(source_ports=(1,)), False),
        (Match(source_type=SourceType.EXTERNAL), True),
        (Match(source_type=SourceType.SAME_IP_OR_LOOPBACK), False),
    ],
)
def test_one_chain(match, takes):
    assert found(match) == (0 if takes else -1)


def test_no_chains():
    assert found() == -1


def test_ipv6():
    v6 = Match(prefix_ranges=("2001:db8::/33",))
    assert found(v6, local=("2001:db8:7fff::1", 80), remote=("2001:db8::2", 1)) == 0
    assert found(v6, local=("2001:db8:8000::1", 80), remote=("2001:db8::2", 1)) == -1


def test_the_destination_port_comes_before_the_ip():
    assert found(Match(prefix_ranges=("10.0.0.1/32",)), Match(destination_port=443)) == 1


def test_the_longest_prefix_wins_wherever_it_stands():
    matches = (Match(prefix_ranges=("10.0.0.0/8", "10.0.0.0/24")), Match(prefix_ranges=("10.0.0.0/16",)), EVERY)
    assert found(*matches) == 0
    assert found(*matches, local=("10.0.1.1", 443)) == 1
    assert found(*matches, local=("11.0.0.1", 443)) == 2


def test_what_a_condition_has_excluded_does_not_come_back():
    """The chain of the port does not fit the source, and yet the one without a port is out of the race."""
    port = Match(destination_port=443, source_prefix_ranges=("172.16.0.0/12",))
    assert found(port, EVERY) == -1
    assert found(port, EVERY, local=("10.0.0.1", 80)) == 1


@pytest.mark.parametrize(
    ("local", "remote", "place"),
    [
        (("127.0.0.1", 1), ("127.0.0.1", 2), 0),
        (("10.0.0.1", 1), ("10.0.0.1", 2), 0),
        (("10.0.0.1", 1), ("127.0.0.1", 2), 0),
        (("::1", 1), ("::1", 2), 0),
        (("", 0), ("", 0), 0),
        (("10.0.0.1", 1), ("10.0.0.2", 2), 1),
        (("10.0.0.1", 1), ("127.0.0.2", 2), 1),
        (("2001:db8::1", 1), ("2001:db8::2", 2), 1),
    ],
)
def test_who_is_local(local, remote, place):
    matches = (Match(source_type=SourceType.SAME_IP_OR_LOOPBACK), Match(source_type=SourceType.EXTERNAL))
    assert found(*matches, local=local, remote=remote) == place


def test_a_source_type_comes_before_the_source():
    matches = (Match(source_type=SourceType.EXTERNAL), Match(source_prefix_ranges=("192.0.2.7/32",)))
    assert found(*matches) == 0


def test_a_source_port_comes_last():
    matches = (EVERY, Match(source_ports=(5000,)))
    assert found(*matches) == 1
    assert found(*matches, remote=("192.0.2.7", 5001)) == 0


def test_a_unix_socket_has_neither_port_nor_ip():
    assert found(Match(destination_port=443), EVERY, local=("", 0), remote=("", 0)) == 1
    assert found(Match(prefix_ranges=("0.0.0.0/0",)), local=("", 0), remote=("", 0)) == -1
