"""The simulation counts what it says: a few sessions of it, and its table beside a dict."""

import random
from dataclasses import replace

import pytest

from tests.simulation.affinity import ROWS, Options, Simulation, row
from tests.simulation.nodes import Cluster, least_loaded
from tests.simulation.restart import Options as RestartOptions
from tests.simulation.restart import Restart
from tests.simulation.tables import SessionTable

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


@pytest.mark.parametrize(("addresses", "most"), [(1, 2 * 1024 + 4), (50, 4096 + 50 * 4)])
def test_a_flood_costs_no_more_searches_than_allowed_and_no_session(addresses, most):
    options = replace(SMALL, seconds=40, moves=0.2, flood_per_s=200, flood_from=addresses)
    flooded = Simulation(options).run()
    assert 0 <= flooded.flood_ids - 200 * options.seconds < 200
    nodes = range(SMALL.nodes, SMALL.nodes + 3)
    assert most * nodes[0] <= flooded.flood_asked <= (most + 100 * options.seconds + 50) * nodes[-1]
    assert flooded.found > 0
    assert not flooded.lost


@pytest.mark.parametrize(("sessions", "seconds", "addresses"), [(100_000, 25, 1), (20_000, 5, 1000)])
def test_all_sessions_are_found_after_a_restart(sessions, seconds, addresses):
    figures = Restart(RestartOptions(sessions, seconds, addresses=addresses)).run()
    assert (figures.limited, figures.too_large) == (0, 0)
    assert 1000 <= figures.most_searches < 2048


def test_more_than_the_limits_allow_are_lost_after_a_restart():
    """So the simulation can tell."""
    figures = Restart(RestartOptions(sessions=15_000, seconds=1)).run()
    assert figures.limited > 0
    figures = Restart(RestartOptions(sessions=2000, seconds=1, addresses=1000, request_bytes=100_000)).run()
    assert figures.too_large > 0


def test_a_row_of_the_table():
    cells = row("name", Simulation(SMALL).run()).split("|")[1:-1]
    assert len(cells) == 9
    assert len(set(ROWS)) == 7


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
