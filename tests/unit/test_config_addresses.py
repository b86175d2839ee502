"""Addresses of v1 files, IP literals and names."""

import pytest

from fastproxy.config.addresses import is_dns_name, is_ip, parse_url
from tests.unit.config_files import errors, tree


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("tcp://127.0.0.1:8002", ("127.0.0.1", 8002)),
        ("tcp://0.0.0.0:0", ("0.0.0.0", 0)),
        ("tcp://[::1]:65535", ("::1", 65535)),
        ("tcp://localhost:80", ("localhost", 80)),
        ("tcp://node-1.echo.svc:80", ("node-1.echo.svc", 80)),
    ],
)
def test_good_urls(url, address):
    root, report = tree(f'{{"url": "{url}"}}')
    assert parse_url(root.members()["url"], report) == address
    assert errors(report) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('"127.0.0.1:8002"', '"127.0.0.1:8002" is no address; write it as "tcp://127.0.0.1:8002"'),
        ('"tcp://127.0.0.1"', "is no address"),
        ('"tcp://:80"', "is no address"),
        ('"tcp://::1:80"', "is no address"),
        ('"tcp://a:80/x"', "is no address"),
        ('"http://a:80"', "is no address"),
        ('"tcp://127.0.0.1:65536"', "port 65536 is out of range; ports go up to 65535"),
        ('"unix://a.sock"', "Unix sockets are not supported yet"),
        ("8002", "expected an address in quotes, not the number 8002"),
    ],
)
def test_bad_urls(value, words):
    root, report = tree(f'{{"url": {value}}}')
    assert parse_url(root.members()["url"], report) is None
    [(path, message)] = errors(report)
    assert path == "url"
    assert words in message


def test_is_ip():
    assert is_ip("10.0.0.1")
    assert is_ip("fe80::1")
    assert not is_ip("fe80::1%eth0")
    assert not is_ip("localhost")
    assert not is_ip("1.2.3")
    assert not is_ip("[::1]")


def test_is_dns_name():
    assert is_dns_name("localhost")
    assert is_dns_name("a.example.")
    assert is_dns_name("10.0.0.1")
    assert is_dns_name("my_node")
    assert not is_dns_name("")
    assert not is_dns_name("a b")
    assert not is_dns_name("a..b")
    assert not is_dns_name("-a")
    assert not is_dns_name("x" * 64)
