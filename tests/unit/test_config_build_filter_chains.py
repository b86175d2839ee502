"""Filter chains in the model: their matches, their filter, and what is wrong with them."""

import pytest

from fastproxy.config.build_listeners import build_listeners
from fastproxy.model import FilterChainMatch, HttpConnectionManager, SourceType, TcpCluster, TcpProxy
from tests.unit.config_files import EXTENSIONS, errors, v3_file, v3_listener, view, warnings

LISTENER = "static_resources.listeners[0]"
MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
TCP_PROXY = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"


def built(change):
    document = v3_file()
    change(v3_listener(document))
    bootstrap, report = view(document)
    assert errors(report) == []
    (listener,) = build_listeners(bootstrap, frozenset({"nodes"}), report)
    return listener, report


def tcp(**fields):
    typed = {"@type": f"type.googleapis.com/{TCP_PROXY}", "stat_prefix": "t", "cluster": "nodes", **fields}
    return {"name": "tcp", "typed_config": typed}


def chain(**match):
    return {"filters": [tcp()], "filter_chain_match": match}


def test_a_single_chain_without_conditions_is_the_default():
    listener, _ = built(lambda found: found["filter_chains"][0].update(filters=[tcp()]))
    assert (listener.filter, listener.filter_chains) == (TcpProxy("t", (TcpCluster("nodes"),)), ())


def test_every_condition():
    match = {
        "destination_port": 443,
        "prefix_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}, {"address_prefix": "::1"}],
        "direct_source_prefix_ranges": [{"address_prefix": "192.0.2.0", "prefix_len": 24}],
        "source_type": "EXTERNAL",
        "source_prefix_ranges": [{"address_prefix": "192.0.2.1", "prefix_len": 32}],
        "source_ports": [1, 2],
    }
    listener, _ = built(lambda found: found["filter_chains"].append(chain(**match)))
    assert listener.filter is None
    assert isinstance(listener.filter_chains[0].filter, HttpConnectionManager)
    assert listener.filter_chains[1].match == FilterChainMatch(
        443, ("10.0.0.0/8", "::1/0"), ("192.0.2.0/24",), SourceType.EXTERNAL, ("192.0.2.1/32",), (1, 2)
    )


def test_the_default_chain():
    listener, report = built(
        lambda found: found.update(
            filter_chains=[chain(destination_port=1)], default_filter_chain={"filters": [tcp(stat_prefix="d")]}
        )
    )
    assert listener.filter.stat_prefix == "d"
    assert [proxy.stat_prefix for proxy in listener.tcp_proxies] == ["t", "d"]
    assert warnings(report) == []


def test_a_default_that_nothing_reaches():
    _, report = built(lambda found: found.update(default_filter_chain={"filters": [tcp()]}))
    message = f"has no effect here: {LISTENER}.filter_chains[0] takes every connection"
    assert warnings(report) == [(f"{LISTENER}.default_filter_chain", message)]


def test_without_filters_a_connection_is_closed():
    listener, report = built(lambda found: found.update(filter_chains=[{"filters": []}]))
    assert (listener.filter, listener.filter_chains) == (None, ())
    assert warnings(report) == [
        (f"{LISTENER}.filter_chains[0].filters", "there are no filters: every connection is closed")
    ]


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (lambda found: found.pop("filter_chains"), f"{LISTENER}.filter_chains", "a listener needs a filter chain"),
        (
            lambda found: found["filter_chains"].append(chain()),
            f"{LISTENER}.filter_chains[1]",
            f"these connections are taken by {LISTENER}.filter_chains[0] already; change one of the two matches",
        ),
        (
            lambda found: found.update(
                filter_chains=[chain(source_ports=[1, 2]), chain(source_ports=[3]), chain(source_ports=[2, 4])]
            ),
            f"{LISTENER}.filter_chains[2]",
            f"these connections are taken by {LISTENER}.filter_chains[0] already; change one of the two matches",
        ),
        (
            lambda found: found["filter_chains"].append(
                chain(prefix_ranges=[{"address_prefix": "10.0.0", "prefix_len": 8}])
            ),
            f"{LISTENER}.filter_chains[1].filter_chain_match.prefix_ranges[0]",
            '"10.0.0/8" is no range of IP addresses; 10.0.0.0 with prefix_len 8 is one',
        ),
        (
            lambda found: found["filter_chains"].append(
                chain(prefix_ranges=[{"address_prefix": "10.0.0.0", "prefix_len": 33}])
            ),
            f"{LISTENER}.filter_chains[1].filter_chain_match.prefix_ranges[0]",
            '"10.0.0.0/33" is no range of IP addresses; 10.0.0.0 with prefix_len 8 is one',
        ),
        (
            lambda found: found["filter_chains"][0]["filters"].append(tcp()),
            f"{LISTENER}.filter_chains[0].filters[0]",
            'the filter "envoy.filters.network.http_connection_manager" is not supported; there can be one filter only',
        ),
        (
            lambda found: found["filter_chains"][0].update(
                filters=[{"name": "echo", "typed_config": {"@type": f"{EXTENSIONS}filters.network.echo.v3.Echo"}}]
            ),
            f"{LISTENER}.filter_chains[0].filters[0]",
            f'the filter "echo" is not supported; use {MANAGER} or {TCP_PROXY}',
        ),
    ],
)
def test_mistakes(change, path, message):
    _, report = built(change)
    assert errors(report) == [(path, message)]
