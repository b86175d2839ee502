"""Names to host sets."""

import queue
import socket
import threading
from dataclasses import replace

import pytest

from fastproxy import dns_queries
from fastproxy import resolver as resolver_module
from fastproxy.dns_queries import Answer
from fastproxy.model import Address, Cluster, ClusterType, DnsLookupFamily, DnsResolution, Host
from fastproxy.resolver import ClusterResolver, Slots, in_thread, is_ip_literal, look_up, look_up_for, resolve_first


def cluster(*names: str, kind: ClusterType = ClusterType.STRICT_DNS) -> Cluster:
    return Cluster("c", kind, hosts=tuple(Host(Address(name, 80), weight=2) for name in names))


def addresses(resolver: ClusterResolver) -> list[str]:
    return [host.address.host for host in resolver.hosts]


@pytest.mark.parametrize(("text", "literal"), [("127.0.0.1", True), ("::1", True), ("localhost", False), ("1", False)])
def test_ip_literals(text, literal):
    assert is_ip_literal(text) is literal


ANSWERS = [
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0)),
    (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 0)),
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.2", 0)),
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0)),
]


@pytest.mark.parametrize(
    ("family", "found"),
    [
        (DnsLookupFamily.AUTO, ("2001:db8::1",)),
        (DnsLookupFamily.V6_ONLY, ("2001:db8::1",)),
        (DnsLookupFamily.V4_ONLY, ("192.0.2.1", "192.0.2.2")),
        (DnsLookupFamily.V4_PREFERRED, ("192.0.2.1", "192.0.2.2")),
        (DnsLookupFamily.ALL, ("192.0.2.1", "2001:db8::1", "192.0.2.2")),
    ],
)
def test_families(monkeypatch, family, found):
    def answer(name, port, wanted, kind):
        return [each for each in ANSWERS if wanted in (socket.AF_UNSPEC, each[0])]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    assert look_up("name", family) == found


def test_auto_takes_ipv4_where_there_is_no_ipv6(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: ANSWERS[:1])
    assert look_up("name", DnsLookupFamily.AUTO) == ("192.0.2.1",)


def no_lookup(*_):
    raise AssertionError("asked the system")


@pytest.mark.parametrize("name", ["localhost", "h1.localhost", "a.b.localhost", "H1.LocalHost", "localhost."])
@pytest.mark.parametrize(
    ("family", "found"),
    [
        (DnsLookupFamily.AUTO, ("::1",)),
        (DnsLookupFamily.V6_ONLY, ("::1",)),
        (DnsLookupFamily.V4_ONLY, ("127.0.0.1",)),
        (DnsLookupFamily.V4_PREFERRED, ("127.0.0.1",)),
        (DnsLookupFamily.ALL, ("::1", "127.0.0.1")),
    ],
)
def test_localhost_and_all_below_it_are_this_machine(monkeypatch, name, family, found):
    monkeypatch.setattr(socket, "getaddrinfo", no_lookup)
    assert look_up(name, family) == found


@pytest.mark.parametrize("name", ["mylocalhost", "localhost.example", "localhost.localdomain", ""])
def test_other_names_are_looked_up(monkeypatch, name):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: ANSWERS[:1])
    assert look_up(name, DnsLookupFamily.V4_ONLY) == ("192.0.2.1",)


def test_the_system_is_asked_for_real():
    assert look_up("127.0.0.1", DnsLookupFamily.V4_ONLY) == ("127.0.0.1",)


OWN_SERVERS = DnsResolution((Address("192.0.2.53", 53),))


@pytest.mark.parametrize(
    ("fields", "resolution"),
    [
        ({"respect_dns_ttl": True}, DnsResolution()),
        ({"dns_resolution": OWN_SERVERS}, OWN_SERVERS),
        ({"dns_resolution": OWN_SERVERS, "respect_dns_ttl": True}, OWN_SERVERS),
    ],
)
def test_some_clusters_need_queries_of_our_own(monkeypatch, fields, resolution):
    asked = []

    def query(*what) -> Answer:
        asked.append(what)
        return Answer(("192.0.2.9",), 3.0)

    monkeypatch.setattr(dns_queries, "query", query)
    wanted = replace(cluster("name"), dns_lookup_family=DnsLookupFamily.V4_ONLY, **fields)
    assert look_up_for(wanted, "name") == Answer(("192.0.2.9",), 3.0)
    assert asked == [("name", DnsLookupFamily.V4_ONLY, resolution)]
    assert look_up_for(wanted, "a.localhost") == Answer(("127.0.0.1",))
    assert len(asked) == 1


def test_all_others_ask_the_system(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: ANSWERS[:1])
    assert look_up_for(cluster("name"), "name") == Answer(("192.0.2.1",))


def test_strict_dns_takes_all_addresses_of_all_names():
    resolver = ClusterResolver(cluster("a", "192.0.2.9", "b"), 10)
    assert addresses(resolver) == ["192.0.2.9"]
    assert resolver.names == ("a", "b")
    assert resolver.succeed("a", ("1.1.1.1", "2.2.2.2"))
    assert resolver.succeed("b", ("2.2.2.2", "3.3.3.3"))
    assert sorted(addresses(resolver)) == ["1.1.1.1", "192.0.2.9", "2.2.2.2", "3.3.3.3"]
    assert {host.hostname for host in resolver.hosts} == {"a", "b", "192.0.2.9"}
    assert {(host.weight, host.address.port) for host in resolver.hosts} == {(2, 80)}


def test_logical_dns_takes_the_first_address():
    resolver = ClusterResolver(cluster("a", kind=ClusterType.LOGICAL_DNS), 1)
    assert resolver.succeed("a", ("1.1.1.1", "2.2.2.2"))
    assert not resolver.succeed("a", ("1.1.1.1", "3.3.3.3"))
    assert resolver.succeed("a", ("3.3.3.3", "1.1.1.1"))
    assert addresses(resolver) == ["3.3.3.3"]


def test_another_order_of_the_same_addresses_is_no_change():
    resolver = ClusterResolver(cluster("a"), 10)
    assert resolver.succeed("a", ("1.1.1.1", "2.2.2.2"))
    assert not resolver.succeed("a", ("2.2.2.2", "1.1.1.1"))
    assert resolver.changes == 1


def test_a_failure_keeps_the_last_answer_and_is_logged_once(caplog):
    resolver = ClusterResolver(cluster("a"), 10)
    resolver.succeed("a", ("1.1.1.1",))
    for _ in range(3):
        resolver.fail("a", OSError("no server"))
    assert addresses(resolver) == ["1.1.1.1"]
    assert [record.getMessage() for record in caplog.records] == [
        "cluster 'c': cannot resolve 'a': no server (keeping the last answer)"
    ]
    assert (resolver.successes, resolver.failures) == (1, 3)


def test_more_hosts_than_counters_are_cut(caplog):
    resolver = ClusterResolver(cluster("a"), 2)
    resolver.succeed("a", ("1.1.1.1", "2.2.2.2", "3.3.3.3"))
    assert addresses(resolver) == ["1.1.1.1", "2.2.2.2"]
    assert "3 hosts, only 2 are used" in caplog.text


def ports(*numbers: int) -> list[Address]:
    return [Address("1.1.1.1", number) for number in numbers]


def test_an_address_keeps_its_slot_while_it_is_there():
    slots = Slots(4)
    assert slots.assign(ports(1, 2, 3)) == [0, 1, 2]
    assert slots.assign(ports(3, 4, 1)) == [2, 3, 0]


def test_an_address_that_comes_back_finds_its_slot():
    slots = Slots(4)
    slots.assign(ports(1, 2))
    slots.assign(ports(1))
    assert slots.assign(ports(2, 1)) == [1, 0]


def test_the_slot_of_the_address_that_went_first_is_used_again_first():
    slots = Slots(3)
    slots.assign(ports(1, 2, 3))
    slots.assign(ports(2, 3))
    slots.assign(ports(3))
    assert slots.assign(ports(3, 4)) == [2, 0]
    assert slots.assign(ports(3, 4, 5)) == [2, 0, 1]


def test_slots_are_never_shared():
    slots = Slots(5)
    for step in range(100):
        wanted = ports(*{(step * factor) % 11 for factor in (1, 2, 3, 5, 7)})
        given = slots.assign(wanted)
        assert len(set(given)) == len(wanted)
        assert set(given) <= set(range(5))


def test_hosts_carry_their_slots():
    resolver = ClusterResolver(cluster("a"), 9)
    resolver.succeed("a", ("1.1.1.1", "2.2.2.2"))
    resolver.succeed("a", ("3.3.3.3", "2.2.2.2"))
    assert [(host.address.host, host.slot) for host in resolver.hosts] == [("3.3.3.3", 2), ("2.2.2.2", 1)]


def test_the_first_lookups_run_at_once_and_are_bounded(caplog):
    release = threading.Event()

    def lookup(_, name):
        if name == "slow":
            release.wait(30)
            return Answer(("9.9.9.9",))
        if name == "bad":
            raise socket.gaierror(-2, "Name or service not known")
        return Answer(("1.1.1.1",))

    resolvers = [ClusterResolver(cluster("slow", "good"), 9), ClusterResolver(cluster("bad"), 9)]
    resolve_first(resolvers, 0.2, lookup)
    release.set()
    assert [addresses(each) for each in resolvers] == [["1.1.1.1"], []]
    assert "'slow': no answer within 0.2 s" in caplog.text
    assert "'bad'" in caplog.text
    assert [(each.attempts, each.successes, each.failures) for each in resolvers] == [(2, 1, 1), (1, 0, 1)]


def test_literals_never_go_to_dns():
    def lookup(_, name):
        raise AssertionError(name)

    resolver = ClusterResolver(cluster("127.0.0.1", "::1", kind=ClusterType.STRICT_DNS), 9)
    resolve_first([resolver], 1, lookup)
    assert addresses(resolver) == ["127.0.0.1", "::1"]
    assert resolver.attempts == 0


@pytest.mark.parametrize("fields", [{}, {"respect_dns_ttl": True}])
@pytest.mark.parametrize("name", ["a" * 70 + ".\udcff", "a..b", "x" * 64])
def test_a_name_that_cannot_be_encoded_is_a_failure(fields, name):
    found = ClusterResolver(replace(cluster(name), **fields), 9)
    resolve_first([found], 30)
    assert (found.pending, found.failures, found.hosts) == (set(), 1, ())


def test_any_error_is_an_answer():
    answers: queue.SimpleQueue[Answer | Exception] = queue.SimpleQueue()

    def fail() -> Answer:
        raise KeyError("surprise")

    in_thread(fail, answers.put)
    assert isinstance(answers.get(timeout=30), KeyError)


def test_no_thread_is_a_failure(monkeypatch):
    class NoThreads:
        def run(self, work):
            raise OSError("too many lookups are waiting")

    monkeypatch.setattr(resolver_module, "_threads", NoThreads())
    found = ClusterResolver(cluster("a"), 9)
    resolve_first([found], 30)
    assert (found.pending, found.failures) == (set(), 1)


def test_a_cluster_that_is_not_waited_for_is_not_looked_up_first():
    found = ClusterResolver(replace(cluster("a"), wait_for_warm_on_init=False), 9)
    resolve_first([found], 30, no_lookup)
    assert (found.attempts, found.refresh_rates.delay_s("a")) == (0, 0.0)
    found.pending.add("a")
    assert not found.is_awaited


def test_answers_and_failures_say_when_to_ask_again():
    found = ClusterResolver(replace(cluster("a"), respect_dns_ttl=True, dns_refresh_rate_s=9.0), 9)
    found.succeed("a", ("1.1.1.1",), 3.0)
    assert found.refresh_rates.delay_s("a") == 3.0
    found.fail("a", OSError("no server"))
    assert found.refresh_rates.delay_s("a") == 9.0


def test_a_logical_host_is_known_by_its_name_and_hashed_by_its_address():
    found = ClusterResolver(cluster("a", kind=ClusterType.LOGICAL_DNS), 9)
    found.succeed("a", ("1.1.1.1", "2.2.2.2"))
    [host] = found.hosts
    assert (str(host.address), host.hostname, host.hash_key) == ("1.1.1.1:80", "a", "")
