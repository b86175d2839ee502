"""The simulation counts what it says: a few sessions of it, and its table beside a dict."""

import random

from tests.simulation.affinity import ROWS, Options, Simulation, row
from tests.simulation.nodes import Cluster, least_loaded
from tests.simulation.tables import SessionTable, Unknown

SMALL = Options(sessions=300, nodes=10, edges=4, seconds=240, slots=1024, drain_s=100)


def test_clients_that_keep_to_one_edge_host_are_asked_for_only_after_its_restart():
    still = Simulation(Options(**{**vars(SMALL), "edge_every_s": 1000, "node_every_s": 1000})).run()
    assert still.requests == still.hits > 0
    assert still.asked == still.found == 0
    restarting = Simulation(SMALL).run()
    assert 0 < restarting.found == restarting.requests - restarting.hits - restarting.searched_in_vain
    assert not restarting.lost


def test_without_a_key_half_of_the_nodes_are_asked_with_one_hardly_more_than_one():
    moving = Options(**{**vars(SMALL), "moves": 0.2})
    without = Simulation(moving).run()
    assert 4 < without.asked / without.found < 8
    keyed = Simulation(Options(**{**vars(moving), "has_key": True})).run()
    assert 1 <= keyed.asked / keyed.found < 2.5


def test_a_flood_costs_no_more_searches_than_allowed():
    flooded = Simulation(
        Options(**{**vars(SMALL), "flood_per_s": 50, "searches_per_s": 1.0, "searches_burst": 5.0})
    ).run()
    assert flooded.flood_ids == 50 * SMALL.seconds
    assert 0 < flooded.flood_asked <= (SMALL.seconds + 5) * (SMALL.nodes + 2)


def test_a_row_of_the_table():
    cells = row("name", Simulation(SMALL).run()).split("|")[1:-1]
    assert len(cells) == 9
    assert len(set(ROWS)) == 6


def test_the_table_of_sessions_is_a_dict_while_there_is_room():
    table, model, draw = SessionTable(1024), {}, random.Random(1)
    for sid in range(1, 400):
        assert not table.learn(sid, sid % 7, now_s=10, lifetime_s=draw.choice([5, 50]))
        model[sid] = sid % 7
    assert {sid: table.find(sid, 12, 50) for sid in model} == model
    assert table.live(40) == len(model)
    assert table.find(400, 12, 50) is None
    assert table.find(1, 62, 50) is None


def test_a_full_table_displaces_what_would_expire_first():
    table = SessionTable(8)
    displaced = [table.learn(sid, 1, now_s=1, lifetime_s=100 + sid) for sid in range(1, 30)]
    assert displaced.count(True) >= 29 - 8
    assert table.find(29, 2, 1) == 1


def test_unknown_ids_are_remembered_for_a_while_and_searches_counted():
    unknown = Unknown(entries=2, lifetime_s=10, per_s=1, burst=2)
    for sid in (1, 2, 3):
        assert unknown.may_search(0) is (sid < 3)
        if sid < 3:
            unknown.add(sid, 0)
    assert unknown.has(1, 9)
    assert not unknown.has(1, 10)
    assert unknown.may_search(1)
    unknown.add(3, 1)
    assert not unknown.has(1, 1)


def test_a_search_that_finds_its_session_is_charged_while_it_lasts():
    unknown = Unknown(entries=2, lifetime_s=10, per_s=0, burst=1)
    assert unknown.may_search(0)
    unknown.charge_until(3)
    assert [unknown.may_search(now_s) for now_s in (0, 1, 2, 3, 9)] == [False, False, False, True, True]


def test_the_ring_uses_every_node_and_moves_few_keys():
    cluster = Cluster(10)
    before = {key: cluster.on_the_ring(key) for key in range(500)}
    assert set(before.values()) == set(cluster.hosts)
    cluster.join()
    moved = [key for key in before if cluster.on_the_ring(key) != before[key]]
    assert 0 < len(moved) < 120


def test_ties_of_the_least_loaded_are_broken_by_lot():
    draw = random.Random(2)
    assert {least_loaded([1, 2, 3], [0, 5, 1, 1], draw) for _ in range(50)} == {2, 3}
