"""How names are looked up, from the file to the model; mistakes with their places."""

import copy
import json

import pytest

from fastproxy import config
from fastproxy.config.build_dns import CARES, GETADDRINFO
from fastproxy.errors import ConfigError, Problem
from fastproxy.model import Address, Cluster, DnsLookupFamily, DnsResolution, RefreshRate
from tests.unit.config_files import V1, V3_CLUSTER_PATH, v1_cluster, v3_cluster, v3_file

SERVERS = (Address("10.0.0.1", 53), Address("::1", 54))
APPLE = "envoy.extensions.network.dns_resolver.apple.v3.AppleDnsResolverConfig"
RESOLVERS = [
    {"socket_address": {"address": "10.0.0.1", "port_value": 53, "protocol": "UDP"}},
    {"socket_address": {"address": "::1", "port_value": 54}},
]


def typed(name: str = CARES, **fields) -> dict:
    return {"name": "x", "typed_config": {"@type": f"type.googleapis.com/{name}", **fields}}


@pytest.fixture
def load(tmp_path):
    """Loads a file with a cluster that has these fields too."""

    def run(**fields) -> config.Loaded:
        document = v3_file()
        v3_cluster(document).update(type="STRICT_DNS", **fields)
        file = tmp_path / "envoy.json"
        file.write_text(json.dumps(document, indent=1))
        return config.load(str(file))

    return run


@pytest.fixture
def cluster(load):
    def run(**fields) -> Cluster:
        loaded = load(**fields)
        assert loaded.warnings == ()
        return loaded.configuration.clusters[0]

    return run


def test_defaults(cluster):
    assert cluster() == cluster(wait_for_warm_on_init=True, respect_dns_ttl=False, dns_lookup_family="AUTO")
    found = cluster()
    assert (found.dns_refresh_rate_s, found.dns_failure_refresh_rate, found.dns_jitter_s) == (5.0, None, 0.0)
    assert (found.respect_dns_ttl, found.wait_for_warm_on_init) == (False, True)
    assert found.dns_resolution == DnsResolution()


def test_when_names_are_looked_up(cluster):
    found = cluster(
        dns_refresh_rate="1.5s",
        dns_jitter="0.25s",
        respect_dns_ttl=True,
        wait_for_warm_on_init=False,
        dns_failure_refresh_rate={"base_interval": "2s", "max_interval": "3s"},
    )
    assert (found.dns_refresh_rate_s, found.dns_jitter_s) == (1.5, 0.25)
    assert (found.respect_dns_ttl, found.wait_for_warm_on_init) == (True, False)
    assert found.dns_failure_refresh_rate == RefreshRate(2.0, 3.0)


def test_back_off_goes_up_to_ten_times_its_base(cluster):
    found = cluster(dns_failure_refresh_rate={"base_interval": "2s"})
    assert found.dns_failure_refresh_rate == RefreshRate(2.0, 20.0)


@pytest.mark.parametrize("family", DnsLookupFamily)
def test_families(cluster, family):
    assert cluster(dns_lookup_family=family.name).dns_lookup_family is family


@pytest.mark.parametrize(
    "fields",
    [
        {"dns_resolvers": RESOLVERS},
        {"dns_resolution_config": {"resolvers": RESOLVERS}},
        {"typed_dns_resolver_config": typed(resolvers=RESOLVERS)},
        {"typed_dns_resolver_config": typed(resolvers=RESOLVERS), "dns_resolvers": RESOLVERS[:1]},
    ],
)
def test_resolvers(cluster, fields):
    assert cluster(**fields).dns_resolution == DnsResolution(SERVERS)


def test_resolvers_of_a_v1_file(tmp_path):
    document = copy.deepcopy(V1)
    v1_cluster(document).update(type="strict_dns", dns_resolvers=["10.0.0.1:53", "[::1]:54"])
    file = tmp_path / "envoy.json"
    file.write_text(json.dumps(document))
    assert config.load(str(file)).configuration.clusters[0].dns_resolution == DnsResolution(SERVERS)


def test_how_servers_are_asked(cluster):
    options = {"use_tcp_for_dns_lookups": True, "no_default_search_domain": True}
    found = cluster(
        typed_dns_resolver_config=typed(
            resolvers=RESOLVERS[:1],
            use_resolvers_as_fallback=True,
            rotate_nameservers=True,
            query_timeout_seconds=7,
            query_tries=2,
            dns_resolver_options=options,
        )
    )
    assert found.dns_resolution == DnsResolution(SERVERS[:1], True, True, True, True, 7.0, 2)
    older = cluster(dns_resolution_config={"resolvers": RESOLVERS[:1], "dns_resolver_options": options})
    assert older.dns_resolution == DnsResolution(SERVERS[:1], use_tcp=True, no_default_search_domain=True)
    assert cluster(use_tcp_for_dns_lookups=True).dns_resolution == DnsResolution(use_tcp=True)


@pytest.mark.parametrize("config", [typed(), typed(GETADDRINFO)])
def test_a_resolver_without_settings_is_the_system(cluster, config):
    assert cluster(typed_dns_resolver_config=config).dns_resolution == DnsResolution()


def place(problem: Problem, text: str) -> str:
    """The text from where the problem was found to the end of that line."""
    return text.splitlines()[problem.line - 1][problem.column - 1 :].rstrip(",")


ADDRESS = {"address": "10.0.0.1", "port_value": 53}


def one_resolver(**changes) -> dict:
    return {"dns_resolution_config": {"resolvers": [{"socket_address": {**ADDRESS, **changes}}]}}


@pytest.mark.parametrize(
    ("fields", "path", "at", "message"),
    [
        (
            {"dns_failure_refresh_rate": {"base_interval": "2s", "max_interval": "1s"}},
            "dns_failure_refresh_rate.max_interval",
            '"1s"',
            "max_interval is below base_interval; make it at least as long",
        ),
        (
            one_resolver(address="ns.example"),
            "dns_resolution_config.resolvers[0].socket_address.address",
            '"ns.example"',
            '"ns.example" is no IP address of a resolver',
        ),
        (
            one_resolver(port_value=0),
            "dns_resolution_config.resolvers[0].socket_address.port_value",
            "0",
            "a resolver needs a port from 1 to 65535; DNS has 53",
        ),
        (
            {"dns_resolvers": [{"pipe": {"path": "/run/dns"}}]},
            "dns_resolvers[0]",
            "{",
            'a resolver needs a "socket_address" with an IP address and a port',
        ),
        (
            {"typed_dns_resolver_config": typed(APPLE)},
            "typed_dns_resolver_config.typed_config",
            "{",
            "resolvers of type AppleDnsResolverConfig are not supported; use CaresDnsResolverConfig",
        ),
        (
            {"typed_dns_resolver_config": typed(filter_unroutable_families=True)},
            "typed_dns_resolver_config.typed_config.filter_unroutable_families",
            '"filter_unroutable_families": true',
            "not supported",
        ),
        ({"dns_refresh_rate": "0s"}, "dns_refresh_rate", '"0s"', ""),
        ({"dns_jitter": "-1s"}, "dns_jitter", '"-1s"', ""),
        ({"dns_failure_refresh_rate": {}}, "dns_failure_refresh_rate.base_interval", "{}", ""),
        ({"dns_failure_refresh_rate": {"base_interval": "0s"}}, "dns_failure_refresh_rate.base_interval", '"0s"', ""),
        ({"dns_lookup_family": "V5_ONLY"}, "dns_lookup_family", '"V5_ONLY"', ""),
        ({"dns_resolution_config": {}}, "dns_resolution_config.resolvers", "{}", ""),
    ],
)
def test_mistakes_have_their_place(load, tmp_path, fields, path, at, message):
    with pytest.raises(ConfigError) as refused:
        load(**fields)
    text = (tmp_path / "envoy.json").read_text()
    problems = [each for each in refused.value.problems if message in each.message]
    assert (f"{V3_CLUSTER_PATH}.{path}", at) in [(each.path, place(each, text)) for each in problems]
    assert len(refused.value.problems) == len(problems)


def test_settings_without_effect_are_said(load):
    settings = typed(udp_max_queries=9, edns0_max_payload_size=1200)
    warnings = load(typed_dns_resolver_config=settings).warnings
    assert {each.path.rpartition(".")[2] for each in warnings} == {"udp_max_queries", "edns0_max_payload_size"}
