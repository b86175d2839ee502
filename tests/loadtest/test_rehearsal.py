"""The rehearsal itself, with a few users: the cluster grows and shrinks under them, and no session is lost.

Half of them change between two proxies that share nothing, from request to request.
"""

from tests.loadtest.rehearsal import Plan, rehearse


def test_no_session_is_lost_while_the_cluster_grows_and_shrinks(tmp_path):
    plan = Plan(users=9, spawn_rate=9, life_s=1.0, talk_s=0.3, tags=("scale", "nomad"), restarts=False)
    status, output = rehearse(plan, tmp_path)
    assert status == 0, output
    assert "one node per session" in output
