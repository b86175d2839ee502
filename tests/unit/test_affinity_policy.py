"""What a request and an answer say about a session."""

from dataclasses import replace

from fastproxy.affinity_policy import Protocol, policy_of
from fastproxy.model_affinity import ENGINE_IO, MCP, SOCKJS, SessionAffinity, cookie


def test_without_protocols_there_is_no_policy():
    assert policy_of(None) is None
    assert policy_of(SessionAffinity(protocols=())) is None


def test_engine_io_is_on_by_default():
    policy = policy_of(SessionAffinity())
    assert policy is not None
    assert policy.engine_io is not None
    assert policy.engine_io.name == b"engine.io"
    assert (policy.others, policy.has_others) == ((), False)
    assert (policy.asks, policy.max_asked_body_bytes, policy.least_sessions) == (True, 1_000_000, True)


def test_only_a_protocol_whose_nodes_tell_can_be_asked():
    assert Protocol(ENGINE_IO).can_be_asked
    assert not Protocol(replace(ENGINE_IO, lost=None)).can_be_asked


def test_equal_models_share_a_policy():
    """Thousands of routes may inherit what their virtual host says."""
    assert policy_of(SessionAffinity(ask=False)) is policy_of(SessionAffinity(ask=False))
    assert policy_of(SessionAffinity(ask=False)) is not policy_of(SessionAffinity())


def test_protocols_beside_engine_io_keep_their_order():
    policy = policy_of(SessionAffinity(protocols=(MCP, ENGINE_IO, cookie("SID"))))
    assert policy is not None
    assert policy.engine_io is not None
    assert ([other.name for other in policy.others], policy.has_others) == ([b"mcp", b"cookie:SID"], True)


def test_engine_io_may_be_left_out():
    policy = policy_of(SessionAffinity(protocols=(MCP,)))
    assert policy is not None
    assert policy.engine_io is None


def test_ids_of_sockjs_are_issued_by_the_acceptance_of_a_path():
    assert [Protocol(each).takes_paths for each in (SOCKJS, MCP, ENGINE_IO)] == [True, False, False]


def test_the_method_by_which_a_session_ends_is_compared_in_lower_case():
    assert [Protocol(each).ended_by for each in (MCP, ENGINE_IO)] == [b"delete", None]
