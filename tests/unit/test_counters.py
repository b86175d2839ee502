"""The counters' enums: consecutive slots, and names that belong to their scope."""

import pytest

from fastproxy.counters import (
    ClusterCounter,
    FilesystemCounter,
    HostCounter,
    HttpCounter,
    ListenerCounter,
    RouteCounter,
    TcpCounter,
)

SCOPES = [
    (ListenerCounter, "listener_"),
    (HttpCounter, "http_"),
    (RouteCounter, "route_"),
    (TcpCounter, "tcp_"),
    (ClusterCounter, "cluster_"),
    (HostCounter, "host_"),
    (FilesystemCounter, "filesystem_"),
]


@pytest.mark.parametrize(("scope", "prefix"), SCOPES)
def test_a_scope_is_a_block_of_slots(scope, prefix):
    members = scope.__members__
    assert [int(value) for value in members.values()] == list(range(len(members)))
    *names, last = members
    assert last.endswith("_COUNTERS")
    assert all(name.startswith(prefix) for name in names)


WITHOUT_TOTAL = {
    "http_downstream_cx_upgrades_active",
    "cluster_rq_retry_active",
    "cluster_high_cx_active",
    "cluster_high_rq_active",
    "cluster_high_rq_pending_active",
    "cluster_high_rq_retry_active",
    "host_high_cx_active",
    "host_rq_pending_active",
}


@pytest.mark.parametrize(("scope", "prefix"), SCOPES)
def test_what_goes_down_is_named_for_it(scope, prefix):
    """A gauge ends in `_active`, and its total stands beside it; what only limits need has none."""
    for name in scope.__members__:
        if name.endswith("_active") and name not in WITHOUT_TOTAL:
            total = name.removesuffix("_active") + "_total"
            assert total in scope.__members__


def test_a_tunnel_counts_its_bytes_in_the_same_slots_whoever_made_it():
    for name in ("downstream_cx_rx_bytes_total", "downstream_cx_tx_bytes_total"):
        assert int(HttpCounter[f"http_{name}"]) == int(TcpCounter[f"tcp_{name}"])
