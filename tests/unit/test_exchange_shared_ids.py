"""Nodes that issue each other's session ids."""

import pytest

from fastproxy.exchange.shared_ids import SharedIds
from fastproxy.model import HeaderHashPolicy, LbPolicy
from tests.unit.engine_world import World, get, ok

OPEN = b'0{"sid":"1","pingInterval":25000,"pingTimeout":20000}'
POLL = "/socket.io/?EIO=4&transport=polling"


def test_each_cluster_is_told_of_once(caplog):
    told = SharedIds()
    for cluster in ("a", "b", "a"):
        told.tell(cluster, "127.0.0.1:8001")
    assert [record.message.split(":")[0] for record in caplog.records] == ["cluster 'a'", "cluster 'b'"]


def answered_by(world: World, request: bytes, body: bytes) -> int:
    """The place of the node that has answered."""
    client = world.client().send(request)
    world.until(lambda: any(node.is_asked() for node in world.nodes))
    (place,) = [place for place, node in enumerate(world.nodes) if node.is_asked()]
    peer = world.nodes[place].accept()
    peer.head()
    peer.send(ok(body, "connection: close"))
    assert client.response() == (200, body)
    return place


@pytest.fixture
def hashed(worlds) -> World:
    policy = {"hash_policies": (HeaderHashPolicy("user"),)}
    return worlds(3, route=policy, cluster={"lb_policy": LbPolicy.RING_HASH})


def test_the_hash_decides_where_ids_do_not(hashed, caplog):
    users = {f"user: {number}": 0 for number in range(8)}
    for user in users:
        users[user] = answered_by(hashed, get(POLL, user), OPEN)
    assert len(set(users.values())) > 1, "all users on one node show nothing"
    for user, place in users.items():
        assert answered_by(hashed, get(f"{POLL}&sid=1", user), b"2") == place
    assert hashed.count("sid_shared") > 0
    assert "issues session ids that other hosts issue as well" in caplog.text


def test_one_host_may_issue_an_id_again(hashed):
    user = "user: 1"
    place = answered_by(hashed, get(POLL, user), OPEN)
    assert answered_by(hashed, get(POLL, user), OPEN) == place
    assert answered_by(hashed, get(f"{POLL}&sid=1", "user: 2"), b"2") == place
    assert hashed.count("sid_shared") == 0
