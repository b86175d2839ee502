"""Queries of our own, against a server that says what a test wants."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from fastproxy import dns_queries
from fastproxy.dns_queries import Answer, by_preference, query
from fastproxy.model import Address, DnsLookupFamily, DnsResolution
from tests.support import dns_server
from tests.support.dns_server import AAAA, SERVFAIL, A, DnsServer
from tests.support.punctual import punctual, within

AUTO, ALL, V4, V6 = DnsLookupFamily.AUTO, DnsLookupFamily.ALL, DnsLookupFamily.V4_ONLY, DnsLookupFamily.V6_ONLY
NAME = "node.test"


@pytest.fixture
def server(monkeypatch, tmp_path) -> Iterator[DnsServer]:
    monkeypatch.setattr(dns_queries, "HOSTS_FILE", tmp_path / "hosts")
    with dns_server.dns_server() as made:
        made.addresses[NAME] = ["192.0.2.1", "2001:db8::1", "192.0.2.2"]
        yield made


QUICK_S = 0.2  # for a server that does not answer
PATIENCE_S = 20.0  # for one that does


def at(*servers: DnsServer, timeout_s: float = PATIENCE_S, **more) -> DnsResolution:
    resolvers = tuple(Address("127.0.0.1", each.port) for each in servers)
    return DnsResolution(resolvers, no_default_search_domain=True, query_timeout_s=timeout_s, query_tries=1, **more)


@pytest.mark.parametrize(
    ("family", "addresses", "kinds"),
    [
        (V4, ("192.0.2.1", "192.0.2.2"), [A]),
        (V6, ("2001:db8::1",), [AAAA]),
        (AUTO, ("2001:db8::1",), [AAAA]),
        (DnsLookupFamily.V4_PREFERRED, ("192.0.2.1", "192.0.2.2"), [A]),
        (ALL, ("2001:db8::1", "192.0.2.1", "192.0.2.2"), [AAAA, A]),
    ],
)
def test_families(server, family, addresses, kinds):
    assert query(NAME, family, at(server)) == Answer(addresses, 60.0)
    assert server.asked == [(NAME, kind) for kind in kinds]


@pytest.mark.parametrize(
    ("family", "there", "addresses"),
    [
        (AUTO, "192.0.2.1", ("192.0.2.1",)),
        (DnsLookupFamily.V4_PREFERRED, "2001:db8::1", ("2001:db8::1",)),
        (ALL, "192.0.2.1", ("192.0.2.1",)),
        (ALL, "2001:db8::1", ("2001:db8::1",)),
    ],
)
def test_the_other_family_where_there_is_only_that(server, family, there, addresses):
    server.addresses[NAME] = [there]
    assert query(NAME, family, at(server)).addresses == addresses


@pytest.mark.parametrize("family", [AUTO, ALL])
@punctual
def test_a_server_that_never_answers_for_ipv6(server, family):
    server.silent_about.add(AAAA)
    with within(2 * QUICK_S):  # the silence, and then the other answer
        assert query(NAME, family, at(server, timeout_s=QUICK_S)).addresses == ("192.0.2.1", "192.0.2.2")


def test_only_an_address_of_the_wanted_family_counts(server):
    server.addresses[NAME] = ["192.0.2.1"]
    with pytest.raises(OSError, match="does not contain an answer"):
        query(NAME, V6, at(server))


def test_the_smallest_time_to_live_counts(server):
    server.aliases["alias.test"] = (NAME, 7)
    assert query("alias.test", V4, at(server)) == Answer(("192.0.2.1", "192.0.2.2"), 7.0)
    server.ttl_s = 3
    assert query("alias.test", V4, at(server)).ttl_s == 3.0
    server.ttl_s = 0
    assert query(NAME, V4, at(server)).ttl_s == 0.0


def test_a_name_that_does_not_exist(server):
    with pytest.raises(OSError, match="does not exist"):
        query("other.test", AUTO, at(server))


def test_a_server_that_fails(server):
    server.failure = SERVFAIL
    with pytest.raises(OSError, match="SERVFAIL"):
        query(NAME, V4, at(server))


def test_silence_ends(server):
    server.is_silent = True
    with pytest.raises(OSError, match="lifetime expired"):
        query(NAME, V4, at(server, timeout_s=QUICK_S))


def test_a_query_is_bounded_whatever_the_file_says(server, monkeypatch):
    monkeypatch.setattr(dns_queries, "MAX_QUERY_S", 0.1)
    server.is_silent = True
    resolution = DnsResolution((Address("127.0.0.1", server.port),), query_timeout_s=3600.0, query_tries=1000)
    with pytest.raises(OSError, match="lifetime expired"):
        query(NAME, V4, resolution)


@punctual
def test_the_next_server_is_asked(server):
    server.is_silent = True
    server.asked.clear()
    with dns_server.dns_server() as second:
        second.addresses[NAME] = ["192.0.2.9"]
        with within(2 * QUICK_S):
            assert query(NAME, V4, at(server, second, timeout_s=QUICK_S)).addresses == ("192.0.2.9",)
    assert server.asked == [(NAME, A)]


def test_an_answer_that_is_too_long_comes_over_tcp(server):
    server.truncates = True
    assert query(NAME, V4, at(server)).addresses == ("192.0.2.1", "192.0.2.2")
    assert server.asked == [(NAME, A)] * 2


def test_tcp_at_once(server):
    server.truncates = True
    assert query(NAME, V4, at(server, use_tcp=True)).addresses == ("192.0.2.1", "192.0.2.2")
    assert server.asked == [(NAME, A)]


@pytest.mark.parametrize("name", ["in.hosts", "IN.hosts.", "also"])
def test_the_hosts_file_comes_first(server, name):
    dns_queries.HOSTS_FILE.write_text(
        "# in.hosts 9\n\n10.0.0.1 in.Hosts also # in.not\nfe80::1%eth0 in.hosts also\n10.0.0.2\tx\tin.hosts also\n"
    )
    assert query(name, AUTO, at(server)) == Answer(("10.0.0.1", "10.0.0.2"))
    assert server.asked == []


def test_the_hosts_file_may_know_only_the_other_family(server):
    dns_queries.HOSTS_FILE.write_text(f"10.0.0.1 {NAME}\n")
    assert query(NAME, V6, at(server)).addresses == ("2001:db8::1",)


def use_system_file(monkeypatch, tmp_path, text: str) -> None:
    """Let dnspython read this for resolv.conf(5)."""
    import dns.resolver

    file = tmp_path / "resolv.conf"
    file.write_text(text)
    read = dns.resolver.Resolver.read_resolv_conf
    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", lambda self, _: read(self, str(file)))


def test_servers_of_the_file_stand_in_where_the_system_has_none(server, monkeypatch, tmp_path):
    use_system_file(monkeypatch, tmp_path, "")
    assert query(NAME, V4, at(server, use_resolvers_as_fallback=True)).addresses == ("192.0.2.1", "192.0.2.2")
    with pytest.raises(OSError, match="no nameservers"):
        query(NAME, V4, DnsResolution(use_tcp=True))


def test_servers_of_the_system_come_before_a_fallback(server, monkeypatch, tmp_path):
    use_system_file(monkeypatch, tmp_path, "nameserver 127.0.0.2\n")
    with pytest.raises(OSError, match=r"127\.0\.0\.2"):
        query(NAME, V4, at(server, timeout_s=QUICK_S, use_resolvers_as_fallback=True))
    assert server.asked == []


def test_search_domains_of_the_system(server, monkeypatch, tmp_path):
    use_system_file(monkeypatch, tmp_path, "nameserver 127.0.0.2\nsearch test\n")
    found = DnsResolution((Address("127.0.0.1", server.port),), query_timeout_s=PATIENCE_S, query_tries=1)
    assert query("node", V4, found).addresses == ("192.0.2.1", "192.0.2.2")
    with pytest.raises(OSError, match="does not exist"):
        query("node", V4, at(server))


@pytest.mark.parametrize("family", DnsLookupFamily)
def test_each_address_once(family):
    assert by_preference(family, [], ["10.0.0.1", "10.0.0.1"]) in (("10.0.0.1",), ())


def test_dnspython_is_loaded_only_when_it_is_asked():
    program = (
        "import sys, fastproxy.supervisor, fastproxy.config\n"
        "from fastproxy import dns_queries\n"
        "from fastproxy.model import *\n"
        "assert 'dns' not in sys.modules\n"
        "dns_queries._resolver(DnsResolution((Address('127.0.0.1', 9),)))\n"
        "assert 'dns' in sys.modules\n"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=50).returncode == 0


def test_no_process_is_forked_in_the_middle_of_the_import():
    """The child would find modules that are never finished."""
    program = (
        "import os, threading, time\n"
        "from fastproxy import dns_queries\n"
        "held, done = threading.Event(), []\n"
        "def load():\n"
        "    with dns_queries._importing:\n"
        "        held.set()\n"
        "        time.sleep(0.1)\n"
        "        done.append(1)\n"
        "threading.Thread(target=load).start()\n"
        "held.wait()\n"
        "pid = os.fork()\n"
        "if not pid:\n"
        "    os._exit(0 if done and not dns_queries._importing.locked() else 1)\n"
        "assert os.waitpid(pid, 0)[1] == 0 and not dns_queries._importing.locked()\n"
    )
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", program], timeout=50).returncode == 0
