"""Descriptors of the model compare by value, and say whether they stand for any value."""

from fastproxy.model import DescriptorLimit, TokenBucket
from fastproxy.model_descriptors import ActionKind, DescriptorAction, DescriptorRule

BUCKET = TokenBucket(1, 1, 1.0)


def test_values():
    rule = DescriptorRule((DescriptorAction(ActionKind.REQUEST_HEADER, "k", name="x"),))
    assert rule == DescriptorRule((DescriptorAction(ActionKind.REQUEST_HEADER, "k", name="x"),))
    assert (rule.hits, rule.tells_clients, rule.actions[0].skip_if_absent) == (1, None, False)


def test_a_descriptor_without_a_value_stands_for_any():
    assert not DescriptorLimit((("a", "b"), ("c", "d")), BUCKET).is_wildcard
    assert DescriptorLimit((("a", "b"), ("c", "")), BUCKET).is_wildcard
