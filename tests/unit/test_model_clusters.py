"""Clusters and hosts in the model."""

from dataclasses import replace

from fastproxy.model_clusters import Cluster, Host
from fastproxy.model_listeners import Address


def test_a_cluster_counts_under_its_other_name():
    assert Cluster("nodes").stat_name == "nodes"
    assert Cluster("nodes", alt_stat_name="others").stat_name == "others"


def test_where_a_host_counts_is_not_what_it_is():
    host = Host(Address("127.0.0.1", 8001))
    assert replace(host, slot=3) == host
    assert replace(host, weight=2) != host
